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

    static let lanes = Statement(
        "status.lanes",
        """
        SELECT l.id, s.kind, s.account, l.kind,
               CASE WHEN l.paused_at IS NOT NULL THEN 'paused'
                    WHEN l.parked_until > now() THEN 'parked' ELSE 'open' END,
               CASE WHEN l.paused_at IS NOT NULL THEN 'paused by ' || l.paused_by
                    WHEN l.parked_until > now() THEN l.park_reason END,
               CASE WHEN l.paused_at IS NULL AND l.parked_until > now()
                    THEN extract(epoch FROM l.parked_until - now())::float8 END
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

    static let all = [workers, rate, oldest, lanes, failures]
}
