import Postgres

/// SQL of a worker's own life.
enum WorkerStatements {
    /// A repeat, whose first answer was lost, does nothing.
    static let register = Statement(
        "worker.register",
        """
        INSERT INTO coldroll.worker (id, host, process_id, version, slots, sources)
        VALUES ($1::bigint, $2::text, $3::bigint, $4::text, $5::bigint, $6::bigint[])
        ON CONFLICT ON CONSTRAINT worker_pkey DO NOTHING
        """
    )

    /// A sign of life; then one row `alive` if the worker still counts as alive, and one for each difference.
    ///
    /// Jobs claimed less than `$5` seconds ago may not have reached the process yet. A beat that comes more than `$6`
    /// seconds after the last one, or before it by a clock that was set back, begins a new time of steady contact. A
    /// full join has no plan that compares each row with each. Jobs of leases before `$7` are not looked at; where all
    /// are, what this worker began and none of which runs any more is forgotten.
    static let beat = Statement(
        "worker.beat",
        """
        WITH beat AS (
            UPDATE coldroll.worker AS w
            SET beat_at = now(), busy = $2::bigint,
                steady_since = CASE WHEN w.beat_at BETWEEN now() - make_interval(secs => $6::double precision)
                                                       AND now() + make_interval(secs => $6::double precision)
                                    THEN w.steady_since ELSE now() END
            WHERE w.id = $1::bigint AND w.state = 'alive'
            RETURNING w.id
        ), held AS MATERIALIZED (
            SELECT h.part_id, h.lease FROM unnest($3::bigint[], $4::bigint[]) AS h(part_id, lease)
        ), mine AS MATERIALIZED (
            SELECT j.part_id, j.lease, j.claimed_at
            FROM coldroll.job AS j
            WHERE j.state = 'running' AND j.worker_id = $1::bigint AND j.lease >= $7::bigint
        ), going_on AS MATERIALIZED (
            SELECT s.ctid AS place
            FROM coldroll.job_start AS s
            CROSS JOIN unnest(s.parts, s.leases) AS u(part_id, lease)
            JOIN mine AS m ON m.part_id = u.part_id AND m.lease = u.lease
            WHERE s.worker_id = $1::bigint
        ), forgotten AS (
            DELETE FROM coldroll.job_start AS s
            WHERE s.worker_id = $1::bigint AND $7::bigint = 0 AND s.ctid NOT IN (SELECT g.place FROM going_on AS g)
        )
        SELECT 'alive', NULL::bigint, NULL::bigint FROM beat
        UNION ALL
        SELECT CASE WHEN m.part_id IS NULL THEN 'lost' ELSE 'orphaned' END,
               coalesce(h.part_id, m.part_id), coalesce(h.lease, m.lease)
        FROM held AS h
        FULL JOIN mine AS m ON m.part_id = h.part_id AND m.lease = h.lease
        WHERE m.part_id IS NULL
           OR h.part_id IS NULL AND m.claimed_at < now() - make_interval(secs => $5::double precision)
        """,
        isKept: true
    )

    /// The end in order; what the worker still has goes back, nothing counted.
    static let stop = Statement(
        "worker.stop",
        """
        WITH ended AS (
            UPDATE coldroll.worker AS w SET state = 'stopped', ended_at = now(), busy = 0
            WHERE w.id = $1::bigint AND w.state = 'alive'
        ), held AS MATERIALIZED (
            SELECT j.part_id
            FROM coldroll.job AS j
            WHERE j.worker_id = $1::bigint AND j.state = 'running'
            ORDER BY j.part_id
            FOR NO KEY UPDATE
        ), back AS (
            UPDATE coldroll.job AS j SET state = 'ready'
            WHERE j.part_id = ANY (ARRAY (SELECT h.part_id FROM held AS h))
            RETURNING j.part_id
        )
        SELECT count(*), (SELECT pg_notify('coldroll_job', '') WHERE EXISTS (SELECT FROM back)) FROM back
        """
    )
}
