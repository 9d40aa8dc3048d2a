import Postgres

/// SQL that gives jobs back: failed, released, renamed.
enum FailureStatements {
    /// Counts failures.
    ///
    /// `$6` seconds or null, `$7` attempts allowed, `$8` and `$9` first and longest backoff in seconds.
    /// Answers the parts that died, those that died of this very claim before (the answer was lost) included.
    static let fail = Statement(
        "job.fail",
        """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases, $4::text[] AS reasons,
                         $5::text[] AS messages, $6::double precision[] AS delays
                  OFFSET 0) AS a,
                 unnest(a.parts, a.leases, a.reasons, a.messages, a.delays)
                 AS u(part_id, lease, reason, message, delay)
        ), held AS MATERIALIZED (
            SELECT t.*, (j.attempt + 1)::smallint AS attempt, j.crashes, j.attempt + 1 >= $7::bigint AS dies
            FROM told AS t
            JOIN coldroll.job AS j ON j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
            WHERE j.state = 'running'
            ORDER BY j.part_id
            FOR UPDATE OF j
        ), kept AS (
            UPDATE coldroll.job AS j
            SET state = 'scheduled', attempt = h.attempt,
                -- Behind everything that never failed, whose ranks are times and less than that.
                rank = CASE WHEN j.rank < 1000000000000 THEN j.rank + 2000000000000 ELSE j.rank END, note = left(h.reason || ': ' || h.message, 500),
                due = now() + make_interval(secs => coalesce(
                    h.delay * (1 + 0.1 * random()),
                    least($9::double precision, $8::double precision * power(2, least(h.attempt, 30) - 1))
                    * (0.8 + 0.4 * random())))
            FROM held AS h
            WHERE j.part_id = h.part_id AND NOT h.dies
        ), gone AS (
            DELETE FROM coldroll.job AS j USING held AS h WHERE j.part_id = h.part_id AND h.dies
        ), buried AS (
            INSERT INTO coldroll.outcome (part_id, lease, worker_id, kind, reason, attempts, crashes, decided_by)
            SELECT h.part_id, h.lease, h.worker_id, 'dead', h.reason, h.attempt, h.crashes, 'worker'
            FROM held AS h
            WHERE h.dies
            ON CONFLICT DO NOTHING
            RETURNING part_id
        ), history AS (
            INSERT INTO coldroll.job_error (part_id, lease, worker_id, attempt, is_crash, reason, message)
            SELECT h.part_id, h.lease, h.worker_id, h.attempt, false, h.reason, left(h.message, 8000) FROM held AS h
        )
        SELECT b.part_id FROM buried AS b
        UNION ALL
        SELECT t.part_id
        FROM told AS t
        WHERE coalesce((SELECT true FROM coldroll.outcome AS c
                        WHERE c.part_id = t.part_id AND c.lease = t.lease AND c.worker_id = t.worker_id
                          AND c.kind = 'dead' AND c.decided_by = 'worker' LIMIT 1), false)
        """
    )

    /// Gives jobs back, nothing counted.
    ///
    /// `$4` seconds of delay, `$5` notes.
    static let release = Statement(
        "job.release",
        """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases,
                         $4::double precision[] AS delays, $5::text[] AS notes
                  OFFSET 0) AS a,
                 unnest(a.parts, a.leases, a.delays, a.notes) AS u(part_id, lease, delay, note)
        ), held AS MATERIALIZED (
            SELECT t.part_id, t.delay, t.note
            FROM told AS t
            JOIN coldroll.job AS j ON j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
            WHERE j.state = 'running'
            ORDER BY j.part_id
            FOR NO KEY UPDATE OF j
        ), back AS (
            UPDATE coldroll.job AS j
            SET state = CASE WHEN h.delay > 0 THEN 'scheduled'::coldroll.job_state ELSE 'ready' END,
                due = CASE WHEN h.delay > 0 THEN now() + make_interval(secs => h.delay) END,
                note = coalesce(left(h.note, 500), j.note)
            FROM held AS h
            WHERE j.part_id = h.part_id
            RETURNING j.state
        )
        SELECT count(*), (SELECT pg_notify('coldroll_job', '') WHERE EXISTS (SELECT FROM back WHERE state = 'ready'))
        FROM back
        """
    )

    /// Another kind, `$4`, for a part whose job is held; one row if the claim still holds.
    ///
    /// Its job stays in the lane that it is in. A half-done upload, which was begun as what it is not, is forgotten.
    static let correct = Statement(
        "part.correct",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        ), upload AS (
            DELETE FROM coldroll.upload AS u USING held AS h WHERE u.part_id = h.part_id
        ), part AS (
            UPDATE coldroll.part AS p SET kind = $4::text
            FROM held AS h
            WHERE p.id = h.part_id
            RETURNING p.item_id
        )
        UPDATE coldroll.item AS i SET is_video = $4::text = 'video'
        FROM part AS p
        WHERE i.id = p.item_id
        RETURNING i.id
        """
    )

    /// Another name for a part whose job is held; one row if it took place.
    static let rename = Statement(
        "part.rename",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        )
        UPDATE coldroll.part AS p
        SET object_name = $4::text, name_key = $5::text
        FROM held AS h
        WHERE p.id = h.part_id
        RETURNING p.id
        """
    )
}
