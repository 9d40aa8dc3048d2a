import Postgres

/// What metrics ask the ledger beyond what `status` asks.
///
/// None but the count of dead parts reads more than some thousand rows, however large the queue is.
enum MetricStatements {
    /// Jobs of each lane: live ones as they are tallied, scheduled ones, those of them that failed before, running ones.
    static let lanes = Statement(
        "metrics.lanes",
        """
        SELECT s.kind, s.account, l.kind, coalesce(t.live, 0), coalesce(w.jobs, 0), coalesce(w.again, 0),
               coalesce(r.jobs, 0)
        FROM coldroll.lane AS l
        JOIN coldroll.source AS s ON s.id = l.source_id
        LEFT JOIN (SELECT y.lane_id, sum(y.parts)::bigint AS live FROM coldroll.tally AS y
                   WHERE y.place = 'live' GROUP BY y.lane_id) AS t ON t.lane_id = l.id
        LEFT JOIN (SELECT j.lane_id, count(*) AS jobs, count(*) FILTER (WHERE j.attempt > 0) AS again
                   FROM coldroll.job AS j WHERE j.state = 'scheduled' GROUP BY j.lane_id) AS w ON w.lane_id = l.id
        LEFT JOIN (SELECT j.lane_id, count(*) AS jobs
                   FROM coldroll.job AS j WHERE j.state = 'running' GROUP BY j.lane_id) AS r ON r.lane_id = l.id
        ORDER BY l.id
        """
    )

    /// Seconds since the part was found that has been ready longest.
    static let oldest = Statement(
        "metrics.oldest",
        """
        SELECT extract(epoch FROM now() - i.found_at)::double precision
        FROM coldroll.job AS j
        JOIN coldroll.part AS p ON p.id = j.part_id
        JOIN coldroll.item AS i ON i.id = p.item_id
        WHERE j.state = 'ready'
        ORDER BY j.part_id
        LIMIT 1
        """
    )

    /// Parts that are given up, by the word that their reason begins with.
    static let dead = Statement(
        "metrics.dead",
        """
        SELECT split_part(o.reason, ':', 1), count(*) FROM coldroll.outcome AS o
        WHERE o.kind = 'dead' AND o.superseded_at IS NULL
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50
        """
    )

    /// Tries that failed in the last day, by reason, of the newest ten thousand.
    static let failures = Statement(
        "metrics.failures",
        """
        SELECT split_part(f.reason, ':', 1), count(*)
        FROM (SELECT e.reason, e.at FROM coldroll.job_error AS e ORDER BY e.id DESC LIMIT 10000) AS f
        WHERE f.at > now() - interval '1 day'
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50
        """
    )

    /// The end of the last run of each source that left nothing open, in seconds since 1970.
    static let successes = Statement(
        "metrics.successes",
        """
        SELECT s.kind, s.account, extract(epoch FROM max(r.ended_at))::double precision
        FROM coldroll.run AS r JOIN coldroll.source AS s ON s.id = r.source_id
        WHERE r.outcome = 'complete'
        GROUP BY s.id ORDER BY s.id
        """
    )

    /// How many runs took at most so many seconds, for each of bounds `$1`; null is the row of all, with their sum.
    static let runs = Statement(
        "metrics.runs",
        """
        WITH took AS MATERIALIZED (
            SELECT greatest(0, extract(epoch FROM r.ended_at - r.started_at))::double precision AS seconds
            FROM coldroll.run AS r WHERE r.ended_at IS NOT NULL
        )
        SELECT b.bound, count(t.seconds), 0::double precision
        FROM unnest($1::double precision[]) AS b (bound) LEFT JOIN took AS t ON t.seconds <= b.bound
        GROUP BY b.bound
        UNION ALL
        SELECT NULL, count(*), coalesce(sum(t.seconds), 0) FROM took AS t
        ORDER BY 1 NULLS LAST
        """
    )

    /// Turns of source `$1` that are open, and those of them that a process has.
    static let turns = Statement(
        "metrics.turns",
        """
        SELECT count(*), count(*) FILTER (WHERE t.beat_at > now() - interval '45 seconds')
        FROM coldroll.turn AS t WHERE t.source_id = $1::bigint AND t.ended_at IS NULL
        """
    )

    static let workers = Statement(
        "metrics.workers",
        """
        SELECT count(*) FROM coldroll.worker AS w
        WHERE w.state = 'alive' AND w.beat_at > now() - interval '1 minute'
        """
    )

    static let all = [lanes, oldest, dead, failures, successes, runs, turns, workers]
}
