import Postgres

/// SQL about lanes and sums.
enum LaneStatements {
    /// True, once the statement waits no longer than five seconds for a lock: a person's open transaction may hold a lane,
    /// and who waits for it without an end holds a connection and can tell nobody why.
    ///
    /// A condition that depends on no row is judged before the first one is read and locked. It does not help where somebody
    /// holds the whole table: that is waited for before the statement begins.
    private static let hasPatience = "(SELECT set_config('lock_timeout', '5s', true)) IS NOT NULL"

    /// Parks lane `$2` of source `$1`, or all its lanes if null, for `$3` seconds; a longer park stands.
    ///
    /// 55P03 where somebody holds a lane's row for long.
    static let park = Statement(
        "lane.park",
        """
        WITH until AS MATERIALIZED (
            SELECT l.id, now() + make_interval(secs => $3::double precision) AS time
            FROM coldroll.lane AS l
            WHERE \(hasPatience)
              AND l.source_id = $1::bigint AND ($2::bigint IS NULL OR l.id = $2::bigint)
            ORDER BY l.id
            FOR NO KEY UPDATE
        )
        UPDATE coldroll.lane AS l SET parked_until = u.time, park_reason = $4::text
        FROM until AS u
        WHERE l.id = u.id AND coalesce(l.parked_until < u.time, true)
        """
    )

    /// Google answered 429: parks the lanes of source `$1` and of all sources of the same OAuth client's project.
    ///
    /// `$2` seconds as Google asked, or null; the request was sent `$3` seconds ago; `$4` the reason; `$5` and `$6` the
    /// first and the longest pause in seconds where Google did not say. A lane that is parked already, or was parked
    /// after the request was sent, stays as it is: of many workers that are refused at once, the first counts. Answers
    /// the seconds that the source is parked from now on. 55P03 where somebody holds a lane's row for long.
    static let slowDown = Statement(
        "lane.slow_down",
        """
        WITH held AS MATERIALIZED (
            SELECT l.id, l.parked_until, l.slowed_at, l.slowed_for
            FROM coldroll.lane AS l
            WHERE l.source_id IN (
                SELECT s.id FROM coldroll.source AS m
                JOIN coldroll.source AS s
                  ON s.id = m.id OR coldroll.project(s.client_id) = coldroll.project(m.client_id)
                WHERE m.id = $1::bigint)
              AND \(hasPatience)
            ORDER BY l.id
            FOR NO KEY UPDATE
        ), timed AS MATERIALIZED (
            SELECT h.*, clock_timestamp() AS now FROM held AS h
        ), news AS MATERIALIZED (
            SELECT t.id, t.now,
                   coalesce($2::double precision,
                            CASE WHEN t.now < t.parked_until + make_interval(secs => t.slowed_for)
                                 THEN greatest($5::double precision, least($6::double precision, t.slowed_for * 2))
                            END, $5::double precision) AS pause
            FROM timed AS t
            WHERE coalesce(t.parked_until <= t.now, true)
              AND coalesce(t.slowed_at < t.now - make_interval(secs => $3::double precision), true)
        ), slowed AS (
            UPDATE coldroll.lane AS l
            SET parked_until = n.now + make_interval(secs => n.pause), park_reason = $4::text, slowed_at = n.now,
                slowed_for = n.pause
            FROM news AS n
            WHERE l.id = n.id
        )
        SELECT greatest(coalesce((SELECT max(n.pause) FROM news AS n), 0),
                        coalesce((SELECT max(extract(epoch FROM t.parked_until - t.now)) FROM timed AS t), 0))
               ::double precision
        """
    )

    /// Lanes of sources `$1` (all if empty) that hand out nothing now, with the jobs in them; by number where neither time nor
    /// a login (`$2` has paused it) will open them.
    static let waiting = Statement(
        "lane.waiting",
        """
        SELECT CASE WHEN l.paused_at IS NOT NULL THEN format('%s lane %s is %s', l.kind, l.id, coldroll.pause_text(l.paused_by))
                    ELSE l.park_reason END,
               CASE WHEN l.paused_at IS NULL THEN extract(epoch FROM l.parked_until - now())::double precision END,
               CASE WHEN l.paused_at IS NOT NULL AND l.paused_by IS DISTINCT FROM $2::text THEN l.id END,
               (SELECT coalesce(sum(y.parts), 0)::bigint FROM coldroll.tally AS y
                WHERE y.place = 'live' AND y.lane_id = l.id)
        FROM coldroll.lane AS l
        WHERE (cardinality($1::bigint[]) = 0 OR l.source_id = ANY ($1::bigint[]))
          AND (l.paused_at IS NOT NULL OR l.parked_until > now())
        ORDER BY l.id
        """
    )

    /// Sums over the parts of sources `$1` (all if empty), each part looked for in every place that it may be.
    static let totals = Statement(
        "part.totals",
        """
        SELECT count(*), count(o.part_id),
               count(*) FILTER (WHERE c.kind = 'duplicate'), count(*) FILTER (WHERE c.kind = 'skipped'),
               count(*) FILTER (WHERE c.kind = 'dead'),
               count(*) FILTER (WHERE j.state = 'ready'), count(*) FILTER (WHERE j.state = 'scheduled'),
               count(*) FILTER (WHERE j.state = 'running'),
               count(*) FILTER (WHERE num_nonnulls(o.part_id, c.part_id, j.part_id) <> 1),
               coalesce(sum(o.size), 0)::bigint,
               count(*) FILTER (WHERE o.fidelity = 'original'), count(*) FILTER (WHERE o.fidelity <> 'original'),
               CASE WHEN count(j.due) > 0
                    THEN greatest(0, extract(epoch FROM min(j.due) - now())) END::double precision
        FROM coldroll.part AS p
        LEFT JOIN coldroll.object AS o ON o.part_id = p.id
        LEFT JOIN coldroll.outcome AS c ON c.part_id = p.id AND c.superseded_at IS NULL
        LEFT JOIN coldroll.job AS j ON j.part_id = p.id
        WHERE cardinality($1::bigint[]) = 0 OR p.source_id = ANY ($1::bigint[])
        """
    )

    /// Whether any job of sources `$1` is live: a look into the index of each state, however long the backlog is.
    static let hasLive = Statement(
        "job.has_live",
        """
        SELECT coalesce((SELECT true FROM coldroll.job AS j
                         WHERE j.state = 'ready' AND j.lane_id = l.id
                         ORDER BY j.lane_id, j.rank, j.part_id LIMIT 1), false)
            OR coalesce((SELECT true FROM coldroll.job AS j
                         WHERE j.state = 'running' AND j.lane_id = l.id
                         ORDER BY j.worker_id LIMIT 1), false)
            OR coalesce((SELECT true FROM coldroll.job AS j
                         WHERE j.state = 'scheduled' AND j.lane_id = l.id
                         ORDER BY j.due LIMIT 1), false)
        FROM coldroll.lane AS l
        WHERE l.source_id = ANY ($1::bigint[])
        """
    )
}
