import Postgres

/// SQL that says that transfers begin.
enum StartStatements {
    /// Notes jobs as begun; answers those that are still this worker's, the only ones that it may begin.
    ///
    /// One batch is one row, and no job's row is touched. The worker's row is locked against whoever declares its death:
    /// either the death comes first and nothing may begin, or the row is there when the jobs are taken back. Jobs are
    /// looked up by scalar subqueries: index lookups under any statistics.
    static let start = Statement(
        "job.start",
        """
        WITH alive AS MATERIALIZED (
            SELECT w.id FROM coldroll.worker AS w WHERE w.id = $1::bigint AND w.state = 'alive' FOR SHARE
        ), held AS MATERIALIZED (
            SELECT t.part_id, t.lease
            FROM alive AS a
            CROSS JOIN unnest($2::bigint[], $3::bigint[]) AS t(part_id, lease)
            WHERE coalesce((SELECT j.state = 'running' AND j.lease = t.lease AND j.worker_id = a.id
                            FROM coldroll.job AS j
                            WHERE j.part_id = t.part_id), false)
        ), mark AS (
            INSERT INTO coldroll.job_start (worker_id, parts, leases)
            SELECT $1::bigint, array_agg(h.part_id), array_agg(h.lease) FROM held AS h HAVING count(*) > 0
        )
        SELECT h.part_id, h.lease FROM held AS h
        """
    )

    /// Removes what workers that are gone began, once their jobs are taken back; counts the rows.
    ///
    /// Workers that live do so by their heartbeats. Nobody refers to a row, so that its place in the table is enough.
    static let forget = Statement(
        "job_start.forget",
        """
        WITH old AS MATERIALIZED (
            SELECT s.ctid AS place
            FROM coldroll.job_start AS s
            WHERE NOT EXISTS (SELECT FROM coldroll.worker AS w WHERE w.id = s.worker_id AND w.state = 'alive')
              AND coalesce((SELECT false FROM coldroll.job AS j
                            WHERE j.state = 'running' AND j.worker_id = s.worker_id LIMIT 1), true)
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
