import Postgres

/// SQL that hands out jobs.
enum ClaimStatements {
    /// Jobs of one lane that one statement hands out at most; `JobQueue.claim` asks again for what is wanted beyond.
    private static let most = 1000

    /// Up to `$3` jobs for worker `$1` from the open lanes of sources `$2`, an equal share from each that has any; none
    /// from the lanes `$4`.
    ///
    /// In lanes `$5` only those behind rank `$6` and part `$7`.
    /// The order equals index `job_ready`. The share of a lane is a limit outside a subquery whose own limit is a
    /// constant: the planner takes a limit that it cannot compute for a tenth of the table, may sort it, and plans each
    /// claim anew to know better, which with dead entries before the first live one costs a quarter of a millisecond. Rows are
    /// locked as they are pulled, so no more than the share, and updated where they lie: the lock keeps them there. All of
    /// them get one lease: a number of the sequence, which orders claims, and twenty random bits, since after a failover to a
    /// replica that was behind the sequence repeats numbers, and the same worker may hold the earlier one. What the worker
    /// needs is joined after the update, by key; the few uploads are read as a whole, and doubts are looked for where there
    /// are any. It does not wait for the disk: `CommitPolicy.lazy`.
    static let claim = Statement(
        "job.claim",
        """
        WITH lane AS MATERIALIZED (
            SELECT l.id, l.rank, l.part_id, row_number() OVER (ORDER BY random()) AS turn, count(*) OVER () AS lanes
            FROM (SELECT k.*, coalesce(($6::bigint[])[array_position($5::bigint[], k.id)], (-9223372036854775807)::bigint)
                         AS rank, coalesce(($7::bigint[])[array_position($5::bigint[], k.id)], 0) AS part_id
                  FROM coldroll.lane AS k
                  OFFSET 0) AS l
            WHERE l.source_id = ANY ($2::bigint[]) AND l.paused_at IS NULL AND coalesce(l.parked_until <= now(), true)
              AND l.id <> ALL ($4::bigint[]) AND \(CommitPolicy.lazy)
              AND EXISTS (SELECT FROM coldroll.worker AS w WHERE w.id = $1::bigint AND w.state = 'alive')
              AND (SELECT true FROM coldroll.job AS j
                   WHERE j.state = 'ready' AND j.lane_id = l.id AND (j.rank, j.part_id) > (l.rank, l.part_id)
                   ORDER BY j.lane_id, j.rank, j.part_id LIMIT 1)
        ), picked AS MATERIALIZED (
            SELECT p.place
            FROM lane AS l
            CROSS JOIN LATERAL (
                SELECT s.place
                FROM (SELECT r.place
                      FROM (SELECT j.ctid AS place
                            FROM coldroll.job AS j
                            WHERE j.state = 'ready' AND j.lane_id = l.id AND (j.rank, j.part_id) > (l.rank, l.part_id)
                            ORDER BY j.lane_id, j.rank, j.part_id
                            LIMIT \(most)
                            FOR NO KEY UPDATE SKIP LOCKED) AS r
                      LIMIT $3::bigint) AS s
                LIMIT $3::bigint / l.lanes + CASE WHEN l.turn <= $3::bigint % l.lanes THEN 1 ELSE 0 END
            ) AS p
        ), claimed AS (
            UPDATE coldroll.job AS j
            SET state = 'running', lease = (SELECT nextval('coldroll.lease') * 1048576 + (random() * 1048575)::bigint),
                worker_id = $1::bigint, claimed_at = now()
            WHERE j.ctid = ANY (ARRAY (SELECT p.place FROM picked AS p))
            RETURNING j.part_id, j.lease, j.lane_id, j.attempt, j.crashes, j.accept_reduced,
                      j.rank
        )
        SELECT c.part_id, c.lease, c.lane_id, c.attempt + 1, c.crashes, c.accept_reduced,
               p.kind, p.source_id, p.object_name, p.folder_month,
               i.source_item, i.filename, i.mime_type,
               to_char(i.capture_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), i.width, i.height,
               c.part_id = ANY (ARRAY (SELECT u.part_id FROM coldroll.upload AS u)),
               c.rank,
               CASE WHEN (SELECT EXISTS (SELECT FROM coldroll.doubt AS o WHERE o.ended_at IS NULL))
                    THEN coalesce((SELECT true FROM coldroll.doubt AS d WHERE d.part_id = c.part_id AND d.ended_at IS NULL),
                                  false)
                    ELSE false END
        FROM claimed AS c
        JOIN coldroll.part AS p ON p.id = c.part_id
        JOIN coldroll.item AS i ON i.id = p.item_id
        """,
        isKept: true
    )
}
