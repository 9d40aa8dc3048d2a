import Postgres

/// SQL about sums that are kept, not counted.
enum TallyStatements {
    /// Sums over the parts of sources `$1` (all if empty) from the tallies.
    ///
    /// Only what is scheduled or runs is counted, by the index of its state: claims and retries change states far more
    /// often than jobs come and go. All of it is of one moment, since a statement has one snapshot.
    static let tallies = Statement(
        "part.tallies",
        """
        WITH tally AS MATERIALIZED (
            SELECT t.place, sum(t.parts)::bigint AS parts, sum(t.bytes)::bigint AS bytes
            FROM coldroll.tally AS t
            WHERE cardinality($1::bigint[]) = 0 OR t.source_id = ANY ($1::bigint[])
            GROUP BY t.place
        ), waiting AS MATERIALIZED (
            SELECT count(*) AS jobs, min(j.due) AS next_due
            FROM coldroll.job AS j
            WHERE j.state = 'scheduled'
              AND (cardinality($1::bigint[]) = 0
                   OR j.lane_id = ANY (ARRAY (SELECT l.id FROM coldroll.lane AS l WHERE l.source_id = ANY ($1::bigint[]))))
        ), running AS MATERIALIZED (
            SELECT count(*) AS jobs
            FROM coldroll.job AS j
            WHERE j.state = 'running'
              AND (cardinality($1::bigint[]) = 0
                   OR j.lane_id = ANY (ARRAY (SELECT l.id FROM coldroll.lane AS l WHERE l.source_id = ANY ($1::bigint[]))))
        ), sum AS (
            SELECT coalesce(sum(t.parts) FILTER (WHERE t.place = 'found'), 0)::bigint AS found,
                   coalesce(sum(t.parts) FILTER (WHERE t.place = 'original'), 0)::bigint AS originals,
                   coalesce(sum(t.parts) FILTER (WHERE t.place = 'rendition'), 0)::bigint AS renditions,
                   coalesce(sum(t.bytes), 0)::bigint AS bytes,
                   coalesce(sum(t.parts) FILTER (WHERE t.place = 'duplicate'), 0)::bigint AS duplicate,
                   coalesce(sum(t.parts) FILTER (WHERE t.place = 'skipped'), 0)::bigint AS skipped,
                   coalesce(sum(t.parts) FILTER (WHERE t.place = 'dead'), 0)::bigint AS dead,
                   coalesce(sum(t.parts) FILTER (WHERE t.place = 'live'), 0)::bigint AS live
            FROM tally AS t
        )
        SELECT s.found, s.originals + s.renditions, s.duplicate, s.skipped, s.dead,
               s.live - w.jobs - r.jobs, w.jobs, r.jobs,
               s.found - s.originals - s.renditions - s.duplicate - s.skipped - s.dead - s.live,
               s.bytes, s.originals, s.renditions,
               CASE WHEN w.next_due IS NOT NULL
                    THEN greatest(0, extract(epoch FROM w.next_due - now())) END::double precision
        FROM sum AS s, waiting AS w, running AS r
        """
    )

    /// Counts everything and corrects the tallies; one row for each that was wrong.
    static let recount = Statement(
        "tally.recount",
        """
        SELECT r.place, s.kind, s.account, r.tallied, r.counted
        FROM coldroll.recount() AS r
        LEFT JOIN coldroll.source AS s ON s.id = r.source_id
        """
    )

    /// Adds up to `$2` rows of the tallies together, if there are more than `$1`; counts those that went.
    ///
    /// Rows that another process folds are passed over: who folds what does not matter. Nobody refers to a row, so that
    /// its place in the table is enough to delete it, as long as the same statement holds it.
    static let fold = Statement(
        "tally.fold",
        """
        WITH folded AS MATERIALIZED (
            SELECT t.ctid AS place
            FROM coldroll.tally AS t
            WHERE (SELECT count(*) FROM coldroll.tally) > $1::bigint
            LIMIT $2::bigint
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM coldroll.tally AS t WHERE t.ctid = ANY (ARRAY (SELECT f.place FROM folded AS f))
            RETURNING t.source_id, t.lane_id, t.place, t.parts, t.bytes
        ), kept AS (
            INSERT INTO coldroll.tally (source_id, lane_id, place, parts, bytes)
            SELECT g.source_id, g.lane_id, g.place, sum(g.parts), sum(g.bytes)
            FROM gone AS g
            GROUP BY g.source_id, g.lane_id, g.place
            HAVING sum(g.parts) <> 0 OR sum(g.bytes) <> 0
        )
        SELECT count(*) FROM gone
        """
    )
}
