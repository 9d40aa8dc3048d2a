import Postgres

/// SQL that says that transfers begin.
enum StartStatements {
    private static let waits = CommitPolicy.durable(
        if: "$4::boolean OR EXISTS (SELECT FROM coldroll.scan AS s WHERE s.outcome IS NULL)"
    )

    /// Notes jobs as begun; answers first how many, without a part, then each job that may not begin, and whether it is
    /// still this worker's: then its lane was paused or parked since the claim.
    ///
    /// Nearly always all begin, and the answer is one row; of a worker that is dead or unknown none does, and none is named.
    /// It waits for the disk if `$4` says so, and while any scan is open. Nobody waits for a page, and the end of its scan
    /// brings it to the disk: until then this does, since what is stored under a name of a page that is forgotten
    /// afterwards is not known of if the name goes to another item then. One batch is one row, and no job's row is touched.
    /// The worker's row is locked against whoever declares its death: either the death comes first and nothing may begin, or
    /// the row is there when the jobs are taken back. Jobs are looked up by scalar subqueries: index lookups under any
    /// statistics.
    static let start = Statement(
        "job.start",
        """
        WITH alive AS MATERIALIZED (
            SELECT w.id FROM coldroll.worker AS w
            WHERE w.id = $1::bigint AND w.state = 'alive' AND \(waits)
            FOR SHARE
        ), told AS MATERIALIZED (
            SELECT t.part_id, t.lease,
                   (SELECT CASE WHEN j.state = 'running' AND j.lease = t.lease AND j.worker_id = a.id THEN j.lane_id END
                    FROM coldroll.job AS j
                    WHERE j.part_id = t.part_id) AS lane_id
            FROM alive AS a
            CROSS JOIN unnest($2::bigint[], $3::bigint[]) AS t(part_id, lease)
        ), judged AS MATERIALIZED (
            SELECT t.part_id, t.lease, t.lane_id IS NOT NULL AS is_held,
                   t.lane_id IS NOT NULL
                   AND t.lane_id <> ALL (ARRAY (SELECT l.id FROM coldroll.lane AS l
                                                WHERE l.paused_at IS NOT NULL OR l.parked_until > now())) AS may_begin
            FROM told AS t
        ), mark AS (
            INSERT INTO coldroll.job_start (worker_id, parts, leases)
            SELECT $1::bigint, array_agg(j.part_id), array_agg(j.lease) FROM judged AS j WHERE j.may_begin
            HAVING count(*) > 0
            RETURNING cardinality(parts) AS begun
        )
        SELECT NULL::bigint, coalesce((SELECT m.begun FROM mark AS m), 0)::bigint, NULL::boolean
        UNION ALL
        SELECT j.part_id, j.lease, j.is_held FROM judged AS j WHERE NOT j.may_begin
        """,
        isKept: true
    )

    /// Removes what workers that are gone began, once their jobs are taken back; counts the rows.
    ///
    /// Workers that live do so by their heartbeats, and are passed over first: to ask for the running jobs of one that works
    /// hard reads all that it ended while a snapshot is held. Nobody refers to a row, so that its place in the table is
    /// enough.
    static let forget = Statement(
        "job_start.forget",
        """
        WITH lost AS MATERIALIZED (
            SELECT d.worker_id
            FROM (SELECT DISTINCT s.worker_id FROM coldroll.job_start AS s OFFSET 0) AS d
            WHERE coalesce((SELECT false FROM coldroll.worker AS w WHERE w.id = d.worker_id AND w.state = 'alive'), true)
        ), idle AS MATERIALIZED (
            SELECT l.worker_id
            FROM lost AS l
            WHERE coalesce((SELECT false FROM coldroll.job AS j
                            WHERE j.state = 'running' AND j.worker_id = l.worker_id LIMIT 1), true)
        ), old AS MATERIALIZED (
            SELECT s.ctid AS place
            FROM coldroll.job_start AS s
            WHERE EXISTS (SELECT FROM idle) AND s.worker_id = ANY (ARRAY (SELECT i.worker_id FROM idle AS i))
            LIMIT $1::bigint
            FOR UPDATE OF s SKIP LOCKED
        ), gone AS (
            DELETE FROM coldroll.job_start AS s WHERE s.ctid = ANY (ARRAY (SELECT o.place FROM old AS o))
            RETURNING s.worker_id
        )
        SELECT count(*) FROM gone
        """
    )
}
