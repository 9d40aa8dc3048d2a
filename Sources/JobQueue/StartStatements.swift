import Postgres

/// SQL that says that transfers begin.
enum StartStatements {
    /// Marks jobs as begun; answers those that are still this worker's, the only ones that it may begin.
    ///
    /// One batch is one statement, and the update touches no index. The arrays pass through OFFSET 0 as in
    /// `CompleteStatements`.
    static let start = Statement(
        "job.start",
        """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases OFFSET 0) AS a,
                 unnest(a.parts, a.leases) AS u(part_id, lease)
        ), held AS MATERIALIZED (
            SELECT j.part_id
            FROM told AS t
            JOIN coldroll.job AS j ON j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
            WHERE j.state = 'running'
              AND EXISTS (SELECT FROM coldroll.worker AS w WHERE w.id = $1::bigint AND w.state = 'alive')
            ORDER BY j.part_id
            FOR NO KEY UPDATE OF j
        )
        UPDATE coldroll.job AS j SET started_at = now()
        FROM held AS h
        WHERE j.part_id = h.part_id
        RETURNING j.part_id, j.lease
        """
    )
}
