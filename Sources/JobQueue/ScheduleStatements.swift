import Postgres

/// SQL about the schedule of a source, and about turns that are due.
enum ScheduleStatements {
    /// Source `$1` runs as `$2` says, in time zone `$3`, from time `$4` on (seconds since 1970; null is now).
    ///
    /// A row only where it did not do so before.
    static let keep = Statement(
        "schedule.keep",
        """
        INSERT INTO coldroll.schedule AS s (source_id, expression, zone, since)
        VALUES ($1::bigint, $2::text, $3::text, coalesce(to_timestamp($4::double precision), now()))
        ON CONFLICT (source_id) DO UPDATE
        SET expression = excluded.expression, zone = excluded.zone, since = excluded.since
        WHERE (s.expression, s.zone) IS DISTINCT FROM (excluded.expression, excluded.zone)
        RETURNING s.source_id
        """
    )

    /// What source `$1` has from a clock that was ahead, and would keep its schedule silent until then, is put right.
    ///
    /// A due time that lies more than a day ahead is taken from its turn, so that its own run comes when it is really due. A
    /// smaller step back is no reason to run twice.
    static let mend = Statement(
        "schedule.mend",
        """
        WITH begun AS (
            UPDATE coldroll.schedule AS s SET since = now()
            WHERE s.source_id = $1::bigint AND s.since > now()
            RETURNING s.source_id
        ), due AS (
            UPDATE coldroll.turn AS t SET due_at = NULL
            WHERE t.source_id = $1::bigint AND t.due_at > now() + interval '1 day'
            RETURNING t.number
        )
        SELECT (SELECT count(*) FROM begun AS b) + (SELECT count(*) FROM due AS d)
        """
    )

    /// The schedule of source `$1`, the database's time and the latest due time that has its turn and has come.
    static let look = Statement(
        "schedule.look",
        """
        SELECT s.expression, s.zone, extract(epoch FROM s.since)::double precision,
               extract(epoch FROM now())::double precision,
               (SELECT extract(epoch FROM max(t.due_at))::double precision
                FROM coldroll.turn AS t WHERE t.source_id = s.source_id AND t.due_at <= now())
        FROM coldroll.schedule AS s
        WHERE s.source_id = $1::bigint
        """
    )

    /// The database's time, when the last turn of source `$1` was begun, and whether it goes on; no row where none was.
    static let lastRun = Statement(
        "schedule.last_run",
        """
        SELECT extract(epoch FROM now())::double precision, extract(epoch FROM t.begun_at)::double precision,
               t.ended_at IS NULL
        FROM coldroll.turn AS t
        WHERE t.source_id = $1::bigint AND t.begun_at <= now()
        ORDER BY t.number DESC
        LIMIT 1
        """
    )

    /// Time `$2` (seconds since 1970) of source `$1`'s schedule has come: the open turn is for it, or a new one.
    ///
    /// No row where this time, or a later one that has come too, has its turn. Else, with words `$4` that are not null, a
    /// notice of missed runs about `$3` goes with it.
    static let due = Statement(
        "schedule.due",
        """
        WITH made AS (
            INSERT INTO coldroll.turn AS t (source_id, why, due_at)
            SELECT $1::bigint, 'schedule', to_timestamp($2::double precision)
            WHERE NOT EXISTS (SELECT FROM coldroll.turn AS k
                              WHERE k.source_id = $1::bigint AND k.due_at >= to_timestamp($2::double precision)
                                AND k.due_at <= now())
            ON CONFLICT (source_id) WHERE ended_at IS NULL
            DO UPDATE SET due_at = excluded.due_at, asks = t.asks + 1,
                          next_try_at = CASE WHEN t.next_try_at > now() THEN now() ELSE t.next_try_at END
            WHERE t.due_at IS NULL OR t.due_at < excluded.due_at OR t.due_at > now()
            RETURNING t.source_id, t.number, t.asks > 1 AS joined
        ), told AS (
            INSERT INTO coldroll.notice (source_id, run, event, subject, words)
            SELECT m.source_id, m.number, 'missed', $3::text, $4::text FROM made AS m WHERE $4::text IS NOT NULL
            ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        )
        SELECT m.number, m.joined FROM made AS m
        """
    )

    static let all = [keep, mend, look, lastRun, due]
}
