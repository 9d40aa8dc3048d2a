import Postgres

/// SQL about what is told to the owner, once by all hosts together.
enum NoticeStatements {
    /// Notes that event `$2` about `$3` of source `$1` is to be told in words `$4`, about run `$5`; once.
    static let note = Statement(
        "notice.note",
        """
        INSERT INTO coldroll.notice (source_id, event, subject, words, run)
        VALUES ($1::bigint, $2::text, $3::text, $4::text, $5::bigint)
        ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        """
    )

    /// Notes the turns of source `$1` that were not begun within `$2` seconds of their time, each once.
    static let missed = Statement(
        "notice.missed",
        """
        INSERT INTO coldroll.notice (source_id, run, event, subject, words)
        SELECT t.source_id, t.number, 'missed', coalesce('due ' || extract(epoch FROM t.due_at)::bigint, 'turn ' || t.number),
               format('The run that was %s on %s ', CASE WHEN t.due_at IS NULL THEN 'asked for' ELSE 'due' END,
                      to_char(coalesce(t.due_at, t.asked_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
               || CASE WHEN t.begun_at IS NULL THEN 'has not begun: no host could take it.'
                       ELSE format('did not happen then; it was made up for on %s.',
                                   to_char(t.begun_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) END
        FROM coldroll.turn AS t
        WHERE t.source_id = $1::bigint
          AND coalesce(t.begun_at, now()) > coalesce(t.due_at, t.asked_at) + make_interval(secs => $2::double precision)
          AND (t.ended_at IS NULL OR t.asked_at > now() - interval '1 day')
        ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        """
    )

    /// Notes the open turn of source `$1` that was begun and has been in nobody's hands for `$2` seconds, once a day.
    static let idle = Statement(
        "notice.idle",
        """
        INSERT INTO coldroll.notice (source_id, run, event, subject, words)
        SELECT o.source_id, o.number, 'missed',
               format('turn %s idle %s', o.number, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
               format('The run that began on %s is not done, and no host has gone on with it since %s.',
                      to_char(o.begun_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                      to_char(o.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
        FROM (SELECT t.source_id, t.number, t.begun_at, coalesce(t.beat_at, t.next_try_at, t.asked_at) AS since
              FROM coldroll.turn AS t
              WHERE t.source_id = $1::bigint AND t.ended_at IS NULL AND t.begun_at IS NOT NULL) AS o
        WHERE o.since < now() - make_interval(secs => $2::double precision)
        ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        """
    )

    /// Notes that the login of source `$1` is refused, or dies within `$2` seconds: once a day.
    static let login = Statement(
        "notice.login",
        """
        INSERT INTO coldroll.notice (source_id, event, subject, words)
        SELECT l.source_id, 'login',
               CASE WHEN l.refusal IS NULL THEN 'ends ' ELSE 'refused ' END
               || to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
               coalesce(l.refusal,
                        format('The login to Google Photos ends on %s: run ''coldroll login'' before that.',
                               to_char(l.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')))
        FROM coldroll.login AS l
        WHERE l.source_id = $1::bigint
          AND (l.refusal IS NOT NULL OR l.ends_at < now() + make_interval(secs => $2::double precision))
        ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
        """
    )

    /// Gives the next untold notice of source `$1` to whoever asks, for `$2` seconds; after `$3` tries none any more.
    static let claim = Statement(
        "notice.claim",
        """
        UPDATE coldroll.notice AS n
        SET tries = n.tries + 1, claimed_until = now() + make_interval(secs => $2::double precision)
        WHERE n.id = (
            SELECT m.id FROM coldroll.notice AS m
            WHERE m.source_id = $1::bigint AND m.told_at IS NULL AND m.tries < $3::bigint
              AND m.made_at > now() - interval '1 day'
              AND (m.claimed_until IS NULL OR m.claimed_until < now() OR m.claimed_until > now() + interval '1 hour')
            ORDER BY m.id
            LIMIT 1
            FOR UPDATE SKIP LOCKED)
        RETURNING n.id, n.event, n.words, n.run, n.tries::bigint
        """
    )

    /// Notice `$1` was received.
    static let told = Statement(
        "notice.told",
        "UPDATE coldroll.notice AS n SET told_at = now() WHERE n.id = $1::bigint AND n.told_at IS NULL"
    )

    /// Notice `$1` is anybody's to tell again in `$2` seconds, as if nobody had set about it.
    static let putOff = Statement(
        "notice.put_off",
        """
        UPDATE coldroll.notice AS n
        SET tries = greatest(n.tries - 1, 0), claimed_until = now() + make_interval(secs => $2::double precision)
        WHERE n.id = $1::bigint AND n.told_at IS NULL
        """
    )

    static let all = [note, missed, idle, login, claim, told, putOff]
}
