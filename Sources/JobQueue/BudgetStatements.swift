import Postgres

/// SQL about Google's daily quotas.
///
/// The day is that of Los Angeles by the database's clock, read after the row is locked: whoever waited for the lock
/// over midnight counts on the new day.
enum BudgetStatements {
    /// Makes the row of project `$1`, kind `$2`, with limit `$3`.
    static let open = Statement(
        "budget.open",
        """
        INSERT INTO coldroll.budget (project, kind, day_limit, day)
        VALUES ($1::text, $2::text, $3::bigint, (clock_timestamp() AT TIME ZONE 'America/Los_Angeles')::date)
        ON CONFLICT ON CONSTRAINT budget_pkey DO NOTHING
        """
    )

    /// Draws up to `$4` requests of limit `$3`; one row: how many, the day, and the seconds until the next one.
    ///
    /// Near the end the share shrinks to an eighth of what is left, so that no process sits on what others need.
    static let draw = Statement(
        "budget.draw",
        """
        WITH held AS MATERIALIZED (
            SELECT b.project, b.kind, b.day, b.drawn, b.refused_at
            FROM coldroll.budget AS b
            WHERE b.project = $1::text AND b.kind = $2::text
            FOR NO KEY UPDATE
        ), timed AS MATERIALIZED (
            SELECT h.*, clock_timestamp() AT TIME ZONE 'America/Los_Angeles' AS local FROM held AS h
        ), today AS MATERIALIZED (
            SELECT t.project, t.kind, t.local::date AS day,
                   CASE WHEN t.day = t.local::date THEN t.drawn ELSE 0 END AS drawn,
                   CASE WHEN t.day = t.local::date THEN t.refused_at END AS refused_at
            FROM timed AS t
        ), share AS MATERIALIZED (
            SELECT t.*, CASE WHEN t.refused_at IS NOT NULL OR t.drawn >= $3::bigint THEN 0
                             ELSE least($4::bigint, greatest(1, ($3::bigint - t.drawn) / 8)) END AS granted
            FROM today AS t
        )
        UPDATE coldroll.budget AS b
        SET day = s.day, drawn = s.drawn + s.granted, day_limit = $3::bigint, refused_at = s.refused_at
        FROM share AS s
        WHERE b.project = s.project AND b.kind = s.kind
        RETURNING s.granted, s.day::text,
                  extract(epoch FROM ((s.day + 1)::timestamp AT TIME ZONE 'America/Los_Angeles') - clock_timestamp())
                  ::double precision
        """
    )

    /// Gives `$4` requests of day `$3` back; nothing if that day is over.
    static let giveBack = Statement(
        "budget.give_back",
        """
        UPDATE coldroll.budget AS b SET drawn = greatest(0, b.drawn - $4::bigint)
        WHERE b.project = $1::text AND b.kind = $2::text AND b.day = $3::text::date
        """
    )

    /// Google says that the day's quota is used up: nothing more is drawn from it today.
    ///
    /// Not in the day's first hour, in which Google may still count on the last one: that would cost a whole day.
    static let refuse = Statement(
        "budget.refuse",
        """
        UPDATE coldroll.budget AS b SET refused_at = clock_timestamp()
        WHERE b.project = $1::text AND b.kind = $2::text
          AND b.day = (clock_timestamp() AT TIME ZONE 'America/Los_Angeles')::date
          AND clock_timestamp() AT TIME ZONE 'America/Los_Angeles' >= b.day + interval '1 hour'
        RETURNING extract(epoch FROM ((b.day + 1)::timestamp AT TIME ZONE 'America/Los_Angeles') - clock_timestamp())
                  ::double precision
        """
    )
}
