import Postgres

/// SQL that any process may run at any time to put things right.
///
/// It never waits for a lock.
enum SweepStatements {
    /// Declares workers dead that were silent for `$1` seconds, while another worker's beats prove that the database
    /// could be reached for as long.
    ///
    /// Silence is measured by a clock that may be set: a beat from far in the future is one from before that.
    static let reap = Statement(
        "worker.reap",
        """
        UPDATE coldroll.worker AS w SET state = 'dead', ended_at = now()
        WHERE w.id = ANY (ARRAY (
            SELECT s.id
            FROM coldroll.worker AS s
            WHERE s.state = 'alive'
              AND s.beat_at NOT BETWEEN now() - make_interval(secs => $1::double precision)
                                    AND now() + make_interval(secs => $1::double precision)
              AND EXISTS (SELECT FROM coldroll.worker AS w
                          WHERE w.state = 'alive'
                            AND w.beat_at BETWEEN now() - make_interval(secs => $1::double precision / 2)
                                              AND now() + make_interval(secs => $1::double precision / 2)
                            AND w.steady_since <= now() - make_interval(secs => $1::double precision))
            FOR NO KEY UPDATE SKIP LOCKED))
        RETURNING w.id
        """
    )

    /// Takes up to `$1` jobs back from workers that are gone; dead after `$2` crashes.
    ///
    /// Counts those that are back and those that died. A crash is counted for what was begun; what only waited in the
    /// worker's hands is not to blame. A worker must be seen to be gone: one that registered after this statement
    /// began is not in its sight, and is no reason to take its jobs away. Rows of workers that nobody knows are taken
    /// after a minute. The return is spread over `$3` seconds, so that a part that kills workers does not meet the same
    /// neighbours again.
    static let orphans = Statement(
        "job.reap",
        takingBack(
            """
            FROM coldroll.job AS j
            LEFT JOIN coldroll.worker AS w ON w.id = j.worker_id
            WHERE j.state = 'running'
              AND (w.state <> 'alive' OR w.id IS NULL AND j.claimed_at < now() - interval '1 minute')
            """
        )
    )

    /// The same for workers that are known to be gone: does not read what those that live have ended while a snapshot is
    /// held.
    static let knownOrphans = Statement(
        "job.reap_known",
        takingBack(
            """
            FROM coldroll.job AS j
            JOIN coldroll.worker AS w ON w.id = j.worker_id
            WHERE j.state = 'running' AND w.state <> 'alive'
              AND j.worker_id = ANY (ARRAY (SELECT g.id FROM coldroll.worker AS g WHERE g.state <> 'alive'))
            """
        )
    )

    private static func takingBack(_ running: String) -> String {
        """
        WITH begun AS MATERIALIZED (
            SELECT s.worker_id, u.part_id, u.lease
            FROM coldroll.job_start AS s
            CROSS JOIN unnest(s.parts, s.leases) AS u(part_id, lease)
            WHERE NOT EXISTS (SELECT FROM coldroll.worker AS w WHERE w.id = s.worker_id AND w.state IN ('alive', 'stopped'))
        ), taken AS MATERIALIZED (
            SELECT j.part_id, j.lease, j.worker_id, j.attempt, j.crashes, w.state,
                   coalesce(w.host || ', process ' || w.process_id, 'unknown') AS worker
            \(running)
            ORDER BY j.part_id
            LIMIT $1::bigint
            FOR UPDATE OF j SKIP LOCKED
        ), lost AS MATERIALIZED (
            SELECT t.part_id, t.lease, t.worker_id, t.attempt, t.worker, t.is_crash,
                   (t.crashes + CASE WHEN t.is_crash THEN 1 ELSE 0 END)::smallint AS crashes
            FROM (SELECT k.*, (k.part_id, k.lease, k.worker_id) IN (SELECT b.part_id, b.lease, b.worker_id FROM begun AS b)
                         AS is_crash
                  FROM taken AS k
                  OFFSET 0) AS t
        ), back AS (
            UPDATE coldroll.job AS j
            SET state = 'scheduled', crashes = l.crashes,
                due = now() + make_interval(secs => $3::double precision * (0.2 + 0.8 * random())),
                note = CASE WHEN l.is_crash THEN 'its worker vanished (' || l.worker || ')' ELSE j.note END
            FROM lost AS l
            WHERE j.part_id = l.part_id AND NOT (l.is_crash AND l.crashes >= $2::bigint)
            RETURNING j.part_id
        ), gone AS (
            DELETE FROM coldroll.job AS j
            USING lost AS l
            WHERE j.part_id = l.part_id AND l.is_crash AND l.crashes >= $2::bigint
        ), buried AS (
            INSERT INTO coldroll.outcome (part_id, lease, worker_id, kind, reason, attempts, crashes, decided_by)
            SELECT l.part_id, l.lease, l.worker_id, 'dead', format('killed its worker %s times', l.crashes), l.attempt,
                   l.crashes, 'reaper'
            FROM lost AS l
            WHERE l.is_crash AND l.crashes >= $2::bigint
            ON CONFLICT DO NOTHING
            RETURNING part_id
        ), history AS (
            INSERT INTO coldroll.job_error (part_id, lease, worker_id, attempt, is_crash, reason, message)
            SELECT l.part_id, l.lease, l.worker_id, l.attempt, true, 'worker vanished',
                   'The worker (' || l.worker || ') fell silent while this part''s transfer was under way.'
            FROM lost AS l
            WHERE l.is_crash
        )
        SELECT (SELECT count(*) FROM back), (SELECT count(*) FROM buried)
        """
    }

    /// Makes up to `$1` due jobs ready; counts them.
    static let promote = Statement(
        "job.promote",
        """
        WITH due AS MATERIALIZED (
            SELECT j.part_id
            FROM coldroll.job AS j
            WHERE j.state = 'scheduled' AND j.due <= now()
            ORDER BY j.due
            LIMIT $1::bigint
            FOR NO KEY UPDATE SKIP LOCKED
        ), ready AS (
            UPDATE coldroll.job AS j SET state = 'ready', due = NULL
            WHERE j.part_id = ANY (ARRAY (SELECT d.part_id FROM due AS d))
            RETURNING j.part_id
        )
        SELECT count(*), (SELECT pg_notify('coldroll_job', '') WHERE EXISTS (SELECT FROM ready)) FROM ready
        """
    )
}
