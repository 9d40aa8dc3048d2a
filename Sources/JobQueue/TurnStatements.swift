import Postgres

/// SQL about turns of the run: of a source one is open at a time.
enum TurnStatements {
    /// Asks for a run of source `$1`: joins the open turn, which is tried at once if it waited, or makes one.
    ///
    /// A turn in nobody's hands keeps in `next_try_at` since when somebody might have taken it.
    static let ask = Statement(
        "turn.ask",
        """
        INSERT INTO coldroll.turn AS t (source_id, why) VALUES ($1::bigint, 'call')
        ON CONFLICT (source_id) WHERE ended_at IS NULL
        DO UPDATE SET asks = t.asks + 1,
                      next_try_at = CASE WHEN t.next_try_at > now() THEN now() ELSE t.next_try_at END
        RETURNING t.number, t.asks > 1
        """
    )

    /// Process `$2` on host `$3` takes the open turn of source `$1`.
    ///
    /// If nobody has it, or its holder has been silent for `$4` seconds, or it is that process itself, to which
    /// the answer was lost. A time that lies a minute ahead was written before the database's clock was set back: it counts as long ago.
    static let take = Statement(
        "turn.take",
        """
        UPDATE coldroll.turn AS t
        SET holder = $2::bigint, host = $3::text, begun_at = coalesce(t.begun_at, now()), beat_at = now(),
            tries = t.tries + 1, next_try_at = NULL
        WHERE t.number = (
            SELECT o.number FROM coldroll.turn AS o
            WHERE o.source_id = $1::bigint AND o.ended_at IS NULL
              AND (o.holder IS NULL OR o.holder = $2::bigint OR o.beat_at < now() - make_interval(secs => $4::double precision)
                   OR o.beat_at > now() + interval '1 minute')
              AND (o.next_try_at IS NULL OR o.next_try_at <= now() OR o.next_try_at > now() + interval '1 hour')
            FOR UPDATE SKIP LOCKED)
        RETURNING t.number, t.why, t.tries::bigint, extract(epoch FROM now() - t.asked_at)::double precision
        """
    )

    /// A sign of life of holder `$2` of turn `$1`; no row if it is not his any more.
    static let beat = Statement(
        "turn.beat",
        """
        UPDATE coldroll.turn AS t SET beat_at = now()
        WHERE t.number = $1::bigint AND t.holder = $2::bigint AND t.ended_at IS NULL
        RETURNING t.number
        """
    )

    /// Holder `$2` ends turn `$1` with code `$3` and message `$4`.
    ///
    /// What is to be told of it goes with it (`$5` event, null for nothing; `$6` subject, `$7` words). May be repeated where the answer was lost. No row if it is not his any more; one that he let go of is, while nobody has begun try `$8` + 1.
    static let end = Statement(
        "turn.end",
        """
        WITH ended AS (
            UPDATE coldroll.turn AS t
            SET ended_at = coalesce(t.ended_at, now()), code = $3::integer, message = $4::text, holder = $2::bigint,
                beat_at = now(), next_try_at = NULL
            WHERE t.number = $1::bigint
              AND (t.holder = $2::bigint
                   OR (t.holder IS NULL AND t.ended_at IS NULL AND t.next_try_at <= now() AND t.tries = $8::bigint))
            RETURNING t.number, t.source_id
        ), told AS (
            INSERT INTO coldroll.notice (source_id, run, event, subject, words)
            SELECT e.source_id, e.number, $5::text, $6::text, $7::text FROM ended AS e WHERE $5::text IS NOT NULL
            ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        )
        SELECT e.number FROM ended AS e
        """
    )

    /// Holder `$2` lets go of turn `$1` after a try that ended with code `$3` and message `$4`.
    ///
    /// Whoever comes by tries again in `$5` seconds. `$6` to `$8` are as `$5` to `$7` of `end`; the subject is another each day,
    /// and for each due time, so that the owner hears of a run that does not come to its end for as long as it lasts.
    static let postpone = Statement(
        "turn.postpone",
        """
        WITH postponed AS (
            UPDATE coldroll.turn AS t
            SET holder = NULL, beat_at = NULL, code = $3::integer, message = $4::text,
                next_try_at = now() + make_interval(secs => $5::double precision)
            WHERE t.number = $1::bigint AND t.holder = $2::bigint AND t.ended_at IS NULL
            RETURNING t.number, t.source_id, t.due_at
        ), told AS (
            INSERT INTO coldroll.notice (source_id, run, event, subject, words)
            SELECT p.source_id, p.number, $6::text,
                   concat_ws(' ', $7::text, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
                             'due ' || extract(epoch FROM p.due_at)::bigint),
                   $8::text
            FROM postponed AS p WHERE $6::text IS NOT NULL
            ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        )
        SELECT p.number FROM postponed AS p
        """
    )

    /// Holder `$2` lets go of turn `$1`, which anybody may take at once.
    static let letGo = Statement(
        "turn.let_go",
        """
        UPDATE coldroll.turn AS t SET holder = NULL, beat_at = NULL, next_try_at = now()
        WHERE t.number = $1::bigint AND t.holder = $2::bigint AND t.ended_at IS NULL
        RETURNING t.number
        """
    )

    static let all = [ask, take, beat, end, postpone, letGo]
}
