import Postgres

/// What `status` and `failures` ask the ledger beyond the sums.
enum StatusStatements {
    static let workers = Statement(
        "status.workers",
        """
        SELECT w.id, w.host, w.process_id, w.busy, w.slots, extract(epoch FROM now() - w.beat_at)::float8, w.version,
               (SELECT count(*) FROM coldroll.job j WHERE j.worker_id = w.id AND j.state = 'running')
        FROM coldroll.worker w
        WHERE w.state = 'alive'
        ORDER BY w.started_at, w.id
        """
    )

    /// Parts and bytes stored in the last minute, and the seconds of it in which something was; never less than ten, so that
    /// one part that was just stored is not taken for a speed.
    static let rate = Statement(
        "status.rate",
        """
        SELECT count(*), coalesce(sum(size), 0)::bigint,
               greatest(10, coalesce(extract(epoch FROM now() - min(stored_at)), 60))::float8
        FROM coldroll.object
        WHERE stored_at > now() - interval '1 minute' AND NOT adopted
        """
    )

    /// The job that runs longest, and the part that waits longest (parts are numbered as they are found).
    static let oldest = Statement(
        "status.oldest",
        """
        (SELECT 'running', p.id, p.object_name, extract(epoch FROM now() - j.claimed_at)::float8
         FROM coldroll.job j JOIN coldroll.part p ON p.id = j.part_id
         WHERE j.state = 'running' ORDER BY j.claimed_at LIMIT 1)
        UNION ALL
        (SELECT 'waiting', p.id, p.object_name, extract(epoch FROM now() - i.found_at)::float8
         FROM coldroll.job j JOIN coldroll.part p ON p.id = j.part_id JOIN coldroll.item i ON i.id = p.item_id
         WHERE j.state <> 'running' ORDER BY j.part_id LIMIT 1)
        """
    )

    /// Quotas of the projects, each as of today in Pacific time, and the day on which the queue of the project's sources
    /// is empty if it is the quota that limits it: a media request for each part, an API request for each 50.
    static let quotas = Statement(
        "status.quotas",
        """
        SELECT q.project, q.kind, q.day_limit, q.drawn, q.is_refused,
               extract(epoch FROM q.midnight - now())::float8,
               CASE WHEN q.day_limit > 0 AND q.needed > q.remaining
                    THEN to_char((now() AT TIME ZONE 'America/Los_Angeles')::date
                                 + ceil((q.needed - q.remaining)::float8 / q.day_limit)::int, 'YYYY-MM-DD') END
        FROM (
            SELECT d.*, CASE WHEN d.is_refused THEN 0 ELSE greatest(0, d.day_limit - d.drawn) END AS remaining,
                   CASE WHEN d.kind = 'media' THEN d.jobs ELSE (d.jobs + 49) / 50 END AS needed
            FROM (
                SELECT b.project, b.kind, b.day_limit, CASE WHEN t.is_today THEN b.drawn ELSE 0 END AS drawn,
                       t.is_today AND b.refused_at IS NOT NULL AS is_refused,
                       ((now() AT TIME ZONE 'America/Los_Angeles')::date + 1)::timestamp
                       AT TIME ZONE 'America/Los_Angeles' AS midnight,
                       (SELECT coalesce(sum(y.parts), 0)::bigint
                        FROM coldroll.tally AS y JOIN coldroll.source AS s ON s.id = y.source_id
                        WHERE y.place = 'live' AND coldroll.project(s.client_id) = b.project) AS jobs
                FROM coldroll.budget AS b
                CROSS JOIN LATERAL (
                    SELECT b.day = (now() AT TIME ZONE 'America/Los_Angeles')::date AS is_today) AS t
            ) AS d
        ) AS q
        ORDER BY q.project, q.kind
        """
    )

    static let logins = Statement(
        "status.logins",
        """
        SELECT s.kind, s.account, l.refusal, extract(epoch FROM now() - l.signed_in_at)::double precision,
               extract(epoch FROM l.ends_at - now())::double precision,
               to_char(l.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
               extract(epoch FROM l.token_ends_at - now())::double precision, l.refreshes
        FROM coldroll.login AS l JOIN coldroll.source AS s ON s.id = l.source_id
        ORDER BY s.id
        """
    )

    /// Lanes with the parts in them, and whether anybody works on them.
    ///
    /// A worker beats once a minute at least, and six beats that do not come are its death: seven minutes, as in `stuck.sql`.
    static let lanes = Statement(
        "status.lanes",
        """
        SELECT l.id, s.kind, s.account, l.kind,
               CASE WHEN l.paused_at IS NOT NULL THEN 'paused'
                    WHEN l.parked_until > now() THEN 'parked' ELSE 'open' END,
               CASE WHEN l.paused_at IS NOT NULL THEN coldroll.pause_text(l.paused_by)
                    WHEN l.parked_until > now() THEN l.park_reason END,
               CASE WHEN l.paused_at IS NULL AND l.parked_until > now()
                    THEN extract(epoch FROM l.parked_until - now())::float8 END,
               (SELECT coalesce(sum(y.parts), 0)::bigint FROM coldroll.tally AS y
                WHERE y.place = 'live' AND y.lane_id = l.id),
               EXISTS (SELECT FROM coldroll.worker AS w
                       WHERE w.state = 'alive' AND w.beat_at > now() - interval '7 minutes'
                         AND l.source_id = ANY (w.sources))
        FROM coldroll.lane l JOIN coldroll.source s ON s.id = l.source_id
        ORDER BY l.id
        """
    )

    /// Parts that are dead, then those that failed and will be tried again.
    static let failures = Statement(
        "failures.list",
        """
        SELECT part, state, object_name, reason, message, attempts::bigint, crashes::bigint,
               to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               extract(epoch FROM next_try_in)::float8
        FROM coldroll.failures
        ORDER BY state <> 'dead', part
        """
    )

    static let all = [quotas, workers, rate, oldest, lanes, logins, failures]
}
