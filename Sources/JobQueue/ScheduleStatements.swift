import Postgres

/// SQL about the schedule of a source, and about turns that are due.
enum ScheduleStatements {
    /// Source `$1` runs as `$2` says, in time zone `$3`, from now on; a row only where it did not do so before.
    static let keep = Statement(
        "schedule.keep",
        """
        INSERT INTO coldroll.schedule AS s (source_id, expression, zone) VALUES ($1::bigint, $2::text, $3::text)
        ON CONFLICT (source_id) DO UPDATE
        SET expression = excluded.expression, zone = excluded.zone, since = now()
        WHERE (s.expression, s.zone) IS DISTINCT FROM (excluded.expression, excluded.zone)
        RETURNING s.source_id
        """
    )

    /// The schedule of source `$1`, the database's time and the latest due time that has its turn.
    static let look = Statement(
        "schedule.look",
        """
        SELECT s.expression, s.zone, extract(epoch FROM s.since)::double precision,
               extract(epoch FROM now())::double precision,
               (SELECT extract(epoch FROM max(t.due_at))::double precision
                FROM coldroll.turn AS t WHERE t.source_id = s.source_id)
        FROM coldroll.schedule AS s
        WHERE s.source_id = $1::bigint
        """
    )

    /// Time `$2` (seconds since 1970) of source `$1`'s schedule has come: the open turn is for it, or a new one.
    ///
    /// No row where this time, or a later one, has its turn.
    static let due = Statement(
        "schedule.due",
        """
        INSERT INTO coldroll.turn AS t (source_id, why, due_at)
        SELECT $1::bigint, 'schedule', to_timestamp($2::double precision)
        WHERE NOT EXISTS (SELECT FROM coldroll.turn AS k
                          WHERE k.source_id = $1::bigint AND k.due_at >= to_timestamp($2::double precision))
        ON CONFLICT (source_id) WHERE ended_at IS NULL
        DO UPDATE SET due_at = excluded.due_at, asks = t.asks + 1, next_try_at = NULL
        WHERE t.due_at IS NULL OR t.due_at < excluded.due_at
        RETURNING t.number, t.asks > 1
        """
    )

    static let all = [keep, look, due]
}
