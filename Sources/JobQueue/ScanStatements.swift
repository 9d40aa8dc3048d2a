import Postgres

/// SQL that opens, keeps and ends scans.
///
/// Whoever writes to one names its lease.
enum ScanStatements {
    /// Makes openings of scans of one source take turns.
    static let lockSource = Statement(
        "scan.lock_source",
        "SELECT s.id FROM coldroll.source AS s WHERE s.id = $1::bigint FOR NO KEY UPDATE"
    )

    /// The open scan of a source: key, whether its process is gone, seconds since its last sign, whether it is of this
    /// very range, and what a ticket for it says if lease `$5` is its own: this opening was answered into nowhere.
    static let open = Statement(
        "scan.find_open",
        """
        SELECT s.id, s.renewed_at < now() - make_interval(secs => $2::double precision),
               extract(epoch FROM now() - greatest(s.renewed_at, s.started_at))::double precision,
               s.since IS NOT DISTINCT FROM $3::text AND s.until IS NOT DISTINCT FROM $4::text,
               s.lease = $5::bigint, s.lease, s.page_token,
               to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), s.pages > 0
        FROM coldroll.scan AS s
        WHERE s.source_id = $1::bigint AND s.outcome IS NULL
        FOR UPDATE
        """
    )

    static let takeOver = Statement(
        "scan.take_over",
        """
        UPDATE coldroll.scan AS s SET lease = $2::bigint, renewed_at = now(), last_page = NULL, last_new = NULL
        WHERE s.id = $1::bigint
        RETURNING s.id, s.lease, s.page_token,
                  to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        """
    )

    static let abandon = Statement(
        "scan.abandon",
        """
        UPDATE coldroll.scan AS s
        SET outcome = 'failed', ended_at = now(), lease = nextval('coldroll.lease'),
            reason = 'abandoned: its process is gone, and a scan of another range was asked for'
        WHERE s.id = $1::bigint
        """
    )

    static let begin = Statement(
        "scan.begin",
        """
        INSERT INTO coldroll.scan (source_id, since, until, lease) VALUES ($1::bigint, $2::text, $3::text, $4::bigint)
        RETURNING id, lease, page_token, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        """
    )

    static let renew = Statement(
        "scan.renew",
        """
        UPDATE coldroll.scan AS s SET renewed_at = now()
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
        RETURNING s.id
        """
    )

    static let letGo = Statement(
        "scan.let_go",
        """
        UPDATE coldroll.scan AS s SET renewed_at = '-infinity'
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
        RETURNING s.id
        """
    )

    static let restart = Statement(
        "scan.restart",
        """
        UPDATE coldroll.scan AS s SET page_token = NULL, renewed_at = now()
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
        RETURNING s.id
        """
    )

    /// Also answers a repeat of the same end, whose answer was lost.
    static let finish = Statement(
        "scan.finish",
        """
        UPDATE coldroll.scan AS s
        SET outcome = $3::text, reason = $4::text, ended_at = coalesce(s.ended_at, now()), page_token = NULL
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND coalesce(s.outcome = $3::text, true)
        RETURNING s.pages, s.seen, s.new
        """
    )

    /// New items of page `$3`, if it is the one that this scan recorded last: the answer to it was lost.
    static let repeatedPage = Statement(
        "page.repeated",
        """
        SELECT s.last_new
        FROM coldroll.scan AS s
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL AND s.last_page = $3::bigint
        """
    )

    static let knownItems = Statement(
        "scan.known_items",
        """
        SELECT count(*)
        FROM coldroll.item AS i
        WHERE i.source_id = $1::bigint
          AND i.scan_id <> coalesce((SELECT s.id FROM coldroll.scan AS s
                                     WHERE s.source_id = $1::bigint AND s.outcome IS NULL), 0)
        """
    )

    static let counts = Statement(
        "scan.counts",
        "SELECT s.pages, s.seen, s.new FROM coldroll.scan AS s WHERE s.id = $1::bigint"
    )

    /// The newest scan of source `$1`: key, outcome, reason, whether it gave a sign of life within `$2` seconds, range.
    static let newest = Statement(
        "scan.newest",
        """
        SELECT s.id, s.outcome, s.reason,
               s.outcome IS NULL AND s.renewed_at >= now() - make_interval(secs => $2::double precision), s.since, s.until
        FROM coldroll.scan AS s
        WHERE s.source_id = $1::bigint
        ORDER BY s.id DESC
        LIMIT 1
        """
    )
}
