import Postgres

/// SQL about the logins that a fleet shares.
enum LoginStatements {
    /// Who pauses the lanes of a source whose login is refused: `lane.waiting` shows it as the one to blame.
    static let pauser = "a login that Google refuses: run 'coldroll login'"

    /// Login `$2` of source `$1` with scopes `$3`, good for `$4` seconds (null: no end is known) begins anew.
    ///
    /// Nothing of an earlier one counts, and what was paused for it goes on. Only in place of login `$6`, or where there is none.
    static let signIn = Statement(
        "login.sign_in",
        """
        WITH kept AS (
            INSERT INTO coldroll.login AS l (source_id, id, scopes, ends_at)
            VALUES ($1::bigint, $2::uuid, $3::text[], now() + make_interval(secs => $4::double precision))
            ON CONFLICT (source_id) DO UPDATE
            SET id = excluded.id, scopes = excluded.scopes, ends_at = excluded.ends_at, signed_in_at = now(),
                refused_at = NULL, refusal = NULL, sealed_token = NULL, token_ends_at = NULL, refreshed_at = NULL,
                refresh_lease = NULL, refresh_until = NULL, refreshes = 0
            WHERE l.id = $6::uuid
            RETURNING l.source_id
        ), resumed AS (
            UPDATE coldroll.lane AS l SET paused_at = NULL, paused_by = NULL
            WHERE l.source_id = (SELECT k.source_id FROM kept AS k) AND l.paused_by = $5::text
        )
        SELECT pg_notify('coldroll_job', '')::text FROM kept
        """
    )

    /// Remembers whose source it is, once.
    static let learnSubject = Statement(
        "source.learn_subject",
        "UPDATE coldroll.source AS s SET subject = $2::text WHERE s.id = $1::bigint AND s.subject IS NULL"
    )

    static let subject = Statement(
        "source.subject",
        "SELECT s.subject FROM coldroll.source AS s WHERE s.id = $1::bigint"
    )

    static let find = Statement(
        "login.find",
        """
        SELECT l.id::text, l.refusal, l.sealed_token, extract(epoch FROM l.token_ends_at - now())::double precision,
               coalesce(l.refresh_until > now(), false), array_to_string(l.scopes, ' ')
        FROM coldroll.login AS l
        WHERE l.source_id = $1::bigint
        """
    )

    /// The right to refresh for `$4` seconds under lease `$3`, unless somebody has it, or login `$2` is another by now.
    static let beginRefresh = Statement(
        "login.begin_refresh",
        """
        UPDATE coldroll.login AS l
        SET refresh_lease = $3::bigint, refresh_until = now() + make_interval(secs => $4::double precision)
        WHERE l.source_id = $1::bigint AND l.id = $2::uuid AND l.refused_at IS NULL
          AND l.sealed_token IS NOT DISTINCT FROM $5::text
          AND (coalesce(l.refresh_until <= now(), true) OR l.refresh_lease = $3::bigint)
        RETURNING l.source_id
        """
    )

    /// Shares sealed token `$3`, good for `$4` seconds, fetched under lease `$2`.
    static let share = Statement(
        "login.share",
        """
        UPDATE coldroll.login AS l
        SET sealed_token = $3::text, token_ends_at = now() + make_interval(secs => $4::double precision),
            refreshed_at = now(), refreshes = l.refreshes + 1, refresh_lease = NULL, refresh_until = NULL
        WHERE l.source_id = $1::bigint AND l.refresh_lease = $2::bigint
        """
    )

    /// Gives the right to refresh back; `$3` seconds pass before anybody tries again.
    static let endRefresh = Statement(
        "login.end_refresh",
        """
        UPDATE coldroll.login AS l
        SET refresh_until = now() + make_interval(secs => $3::double precision)
        WHERE l.source_id = $1::bigint AND l.refresh_lease = $2::bigint
        """
    )

    /// Login `$2` of source `$1` is refused for good, for reason `$3`: its lanes are paused until the next one.
    static let refuse = Statement(
        "login.refuse",
        """
        WITH refused AS (
            UPDATE coldroll.login AS l
            SET refused_at = now(), refusal = $3::text, sealed_token = NULL, token_ends_at = NULL, refresh_lease = NULL,
                refresh_until = NULL
            WHERE l.source_id = $1::bigint AND l.id = $2::uuid AND l.refused_at IS NULL
            RETURNING l.source_id
        )
        UPDATE coldroll.lane AS l SET paused_at = now(), paused_by = $4::text
        WHERE l.source_id = (SELECT r.source_id FROM refused AS r) AND l.paused_at IS NULL
        """
    )

    /// Lanes of source `$1` that were paused by `$2` are open again: the number of them.
    static let resume = Statement(
        "login.resume",
        """
        WITH resumed AS (
            UPDATE coldroll.lane AS l SET paused_at = NULL, paused_by = NULL
            WHERE l.source_id = $1::bigint AND l.paused_by = $2::text
            RETURNING l.id
        ), rung AS (
            SELECT pg_notify('coldroll_job', '')::text FROM resumed
        )
        SELECT (SELECT count(*) FROM resumed), (SELECT count(*) FROM rung)
        """
    )

    /// Whether lanes of source `$1` are paused by `$2`.
    static let pauses = Statement(
        "login.pauses",
        """
        SELECT EXISTS (SELECT FROM coldroll.lane AS l WHERE l.source_id = $1::bigint AND l.paused_by = $2::text)
        """
    )

    static let all = [signIn, learnSubject, subject, find, beginRefresh, share, endRefresh, refuse, resume, pauses]
}
