import Postgres

/// SQL that opens, keeps and ends scans.
///
/// Whoever writes to one names its lease.
enum ScanStatements {
    /// Makes openings of scans of one source take turns; answers whether it can be listed whole.
    static let lockSource = Statement(
        "scan.lock_source",
        "SELECT s.kind <> 'picker' FROM coldroll.source AS s WHERE s.id = $1::bigint FOR NO KEY UPDATE"
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
               to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), s.pages
        FROM coldroll.scan AS s
        WHERE s.source_id = $1::bigint AND s.outcome IS NULL
        FOR UPDATE
        """
    )

    /// A pass that goes on at its first page, as one that was past its last page does, begins anew, and only now: all that
    /// was uploaded until then is listed.
    static let takeOver = Statement(
        "scan.take_over",
        """
        WITH anew AS MATERIALIZED (
            SELECT c.id FROM coldroll.scan AS c WHERE c.id = $1::bigint AND c.page_token IS NULL
        ), \(forgetting)
        UPDATE coldroll.scan AS s
        SET lease = $2::bigint, renewed_at = now(), last_page = NULL, last_new = NULL,
            unreadable = CASE WHEN s.page_token IS NULL THEN 0 ELSE s.unreadable END,
            empty_pages = CASE WHEN s.page_token IS NULL THEN 0 ELSE s.empty_pages END,
            found_before = CASE WHEN s.page_token IS NULL THEN s.new ELSE s.found_before END,
            started_at = CASE WHEN s.page_token IS NULL THEN now() ELSE s.started_at END
        WHERE s.id = $1::bigint
        RETURNING s.id, s.lease, s.page_token,
                  to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), s.pages
        """
    )

    /// What pass `anew` forgets because it begins anew: what it saw may have been seen a month ago, and would vouch for
    /// what the listing leaves out now.
    private static let forgetting = """
        forgotten AS (
            DELETE FROM coldroll.unread AS u WHERE u.scan_id = (SELECT a.id FROM anew AS a)
        ), unseen AS (
            DELETE FROM coldroll.sighting AS g WHERE g.scan_id = (SELECT a.id FROM anew AS a)
        ), unasked AS (
            DELETE FROM coldroll.empty_page AS e WHERE e.scan_id = (SELECT a.id FROM anew AS a)
        )
        """

    /// Like each end of a scan it waits for the disk: starts of transfers no longer do so for its pages then.
    static let abandon = Statement(
        "scan.abandon",
        """
        WITH forgotten AS (
            DELETE FROM coldroll.sighting AS g WHERE g.scan_id = $1::bigint
        ), unasked AS (
            DELETE FROM coldroll.empty_page AS e WHERE e.scan_id = $1::bigint
        )
        UPDATE coldroll.scan AS s
        SET outcome = 'failed', ended_at = now(), lease = nextval('coldroll.lease'),
            empty_pages = s.empty_pages + \(stillEmpty("$1::bigint")),
            reason = 'abandoned: its process is gone, and a scan of another range was asked for'
        WHERE s.id = $1::bigint AND \(CommitPolicy.durable)
        """
    )

    static let begin = Statement(
        "scan.begin",
        """
        INSERT INTO coldroll.scan (source_id, since, until, lease) VALUES ($1::bigint, $2::text, $3::text, $4::bigint)
        RETURNING id, lease, page_token, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), pages
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

    /// The pass begins anew, as one that is taken over at its first page does.
    static let restart = Statement(
        "scan.restart",
        """
        WITH anew AS MATERIALIZED (
            SELECT c.id FROM coldroll.scan AS c
            WHERE c.id = $1::bigint AND c.lease = $2::bigint AND c.outcome IS NULL
            FOR UPDATE
        ), \(forgetting)
        UPDATE coldroll.scan AS s 
        SET page_token = NULL, unreadable = 0, empty_pages = 0, found_before = s.new,
            started_at = now(), renewed_at = now()
        FROM anew AS a
        WHERE s.id = a.id
        RETURNING s.id
        """
    )

    private static func stillEmpty(_ scan: String) -> String {
        "(SELECT count(*) FROM coldroll.empty_page AS e WHERE e.scan_id = \(scan))"
    }

    /// Pages of scan `$1` that came without any item, in their order, and what they were asked for with.
    static let emptyPages = Statement(
        "scan.empty_pages",
        "SELECT e.id, e.token, e.is_believed FROM coldroll.empty_page AS e WHERE e.scan_id = $1::bigint ORDER BY e.id"
    )

    /// A page that is looked at again, asked for with `$4`, came without any item.
    static let noteEmptyPage = Statement(
        "scan.note_empty_page",
        """
        WITH fence AS MATERIALIZED (\(fenceAtPage)), noted AS (
            INSERT INTO coldroll.empty_page (scan_id, page, token)
            SELECT f.id, $3::bigint, $4::text FROM fence AS f
            WHERE NOT EXISTS (SELECT FROM coldroll.empty_page AS e
                              WHERE e.scan_id = f.id AND e.token IS NOT DISTINCT FROM $4::text)
        )
        SELECT f.id FROM fence AS f
        """
    )

    /// Empty page `$4` was empty again.
    static let believeEmptyPage = Statement(
        "scan.believe_empty_page",
        """
        WITH fence AS MATERIALIZED (\(fenceAtPage)), believed AS (
            UPDATE coldroll.empty_page AS e SET is_believed = true
            WHERE e.id = $4::bigint AND e.scan_id = (SELECT f.id FROM fence AS f)
        )
        SELECT f.id FROM fence AS f
        """
    )

    /// Empty page `$4` has items after all.
    static let fillPage = Statement(
        "scan.fill_page",
        """
        WITH fence AS MATERIALIZED (\(fenceAtPage)), filled AS (
            DELETE FROM coldroll.empty_page AS e
            WHERE e.id = $4::bigint AND e.scan_id = (SELECT f.id FROM fence AS f)
        )
        SELECT f.id FROM fence AS f
        """
    )

    /// Not where a failover forgot pages: what was recorded of one that has items after all may be among them.
    private static let fenceAtPage = """
        SELECT s.id FROM coldroll.scan AS s
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL AND s.pages = $3::bigint
        FOR UPDATE
        """

    /// Entries without an id that scan `$1` has met, by identity, and how many of each.
    static let unread = Statement(
        "scan.unread",
        "SELECT u.identity, u.entries FROM coldroll.unread AS u WHERE u.scan_id = $1::bigint"
    )

    /// How what a full scan saw agrees with what is known: items expected, those of them that it did not see, those of these
    /// that are no younger than all that it saw, and items taken for deleted that it saw; of the missing ones those that no scan
    /// before has missed, as many and as old; and whether more pages of it came without any item than of the last one that
    /// is complete.
    ///
    /// Expected is what was known before, and what an earlier pass of the same scan found.
    /// Differences of sets on purpose: they are hashed or sorted under any statistics, where a join may be quadratic.
    static let comparison = Statement(
        "scan.comparison",
        """
        WITH seen AS MATERIALIZED (
            SELECT DISTINCT u.id
            FROM coldroll.sighting AS g CROSS JOIN unnest(g.items) AS u(id)
            WHERE g.scan_id = $1::bigint
        ), believed AS MATERIALIZED (
            SELECT a.item_id AS id FROM coldroll.absence AS a WHERE a.source_id = $2::bigint AND a.believed
        ), missing AS MATERIALIZED (
            SELECT i.id FROM coldroll.item AS i WHERE i.source_id = $2::bigint
            EXCEPT SELECT b.id FROM believed AS b
            EXCEPT SELECT v.id FROM seen AS v
        ), known AS MATERIALIZED (
            SELECT i.id FROM coldroll.item AS i WHERE i.source_id = $2::bigint AND i.scan_id <> $1::bigint
            EXCEPT SELECT b.id FROM believed AS b
        ), oldest AS MATERIALIZED (
            SELECT min(i.capture_time) AS capture_time FROM seen AS v JOIN coldroll.item AS i ON i.id = v.id
        ), untold AS MATERIALIZED (
            SELECT m.id FROM missing AS m EXCEPT SELECT a.item_id FROM coldroll.absence AS a WHERE a.source_id = $2::bigint
        )
        SELECT (SELECT count(*) FROM known) + c.found_before, (SELECT count(*) FROM missing),
               (SELECT count(*) FROM missing AS m JOIN coldroll.item AS i ON i.id = m.id
                WHERE i.capture_time <= (SELECT o.capture_time FROM oldest AS o)),
               (SELECT count(*) FROM (SELECT b.id FROM believed AS b INTERSECT SELECT v.id FROM seen AS v) AS r),
               (SELECT count(*) FROM untold),
               (SELECT count(*) FROM untold AS m JOIN coldroll.item AS i ON i.id = m.id
                WHERE i.capture_time <= (SELECT o.capture_time FROM oldest AS o)),
               c.empty_pages + \(stillEmpty("c.id"))
               > coalesce((SELECT l.empty_pages FROM coldroll.scan AS l
                           WHERE l.source_id = $2::bigint AND l.outcome = 'complete' AND l.since IS NULL AND l.until IS NULL
                           ORDER BY l.id DESC LIMIT 1), 0)
        FROM coldroll.scan AS c
        WHERE c.id = $1::bigint
        """
    )

    /// Where a scan stands that its holder thinks to be elsewhere: a failover to a replica that was behind has lost pages.
    static let position = Statement(
        "scan.position",
        """
        SELECT s.page_token, s.pages
        FROM coldroll.scan AS s
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
        """
    )

    /// Also answers a repeat of the same end, whose answer was lost: by then what was seen is forgotten, so that only
    /// the first end may compare.
    ///
    /// One that did not fail ends after page `$7`, no other.
    ///
    /// What a full scan did not see is noted, and believed if it is complete. Entries without an id are known again by this
    /// one from then on, and by the last one that was accepted.
    static let finish = Statement(
        "scan.finish",
        """
        WITH fence AS MATERIALIZED (
            SELECT s.id, s.source_id,
                   s.outcome IS NULL AND s.since IS NULL AND s.until IS NULL AND $3::text <> 'failed'
                   AND (SELECT o.kind <> 'picker' FROM coldroll.source AS o WHERE o.id = s.source_id) AS compares
            FROM coldroll.scan AS s
            WHERE s.id = $1::bigint AND s.lease = $2::bigint
              AND coalesce(s.outcome = $3::text, $3::text = 'failed' OR s.pages = $7::bigint)
              AND \(CommitPolicy.durable)
            FOR UPDATE
        ), listed AS MATERIALIZED (
            SELECT DISTINCT u.id
            FROM fence AS f JOIN coldroll.sighting AS g ON g.scan_id = f.id CROSS JOIN unnest(g.items) AS u(id)
        ), seen AS MATERIALIZED (
            SELECT l.id FROM listed AS l WHERE (SELECT f.compares FROM fence AS f)
        ), missed AS (
            INSERT INTO coldroll.absence AS a (item_id, source_id, scan_id, believed)
            SELECT m.id, f.source_id, f.id, $3::text = 'complete'
            FROM (SELECT i.id FROM fence AS e JOIN coldroll.item AS i ON i.source_id = e.source_id WHERE e.compares
                  EXCEPT SELECT v.id FROM seen AS v
                  EXCEPT SELECT b.item_id FROM coldroll.absence AS b WHERE b.believed) AS m
            CROSS JOIN fence AS f
            ON CONFLICT ON CONSTRAINT absence_pkey
            DO UPDATE SET believed = true WHERE excluded.believed AND NOT a.believed
        ), returned AS (
            DELETE FROM coldroll.absence AS a
            WHERE a.item_id = ANY (ARRAY (SELECT b.item_id FROM coldroll.absence AS b INTERSECT SELECT v.id FROM seen AS v))
        ), forgotten AS (
            DELETE FROM coldroll.sighting AS g USING fence AS f WHERE g.scan_id = f.id
        ), unasked AS (
            DELETE FROM coldroll.empty_page AS e USING fence AS f WHERE e.scan_id = f.id
        ), outdated AS (
            DELETE FROM coldroll.unread AS u
            USING fence AS f
            WHERE f.compares AND $3::text = 'complete'
              AND u.scan_id IN (SELECT c.id FROM coldroll.scan AS c WHERE c.source_id = f.source_id AND c.id < f.id)
              AND ($6::boolean OR u.scan_id IS DISTINCT FROM (SELECT c.id FROM coldroll.scan AS c
                                                              WHERE c.source_id = f.source_id AND c.accepted
                                                              ORDER BY c.id DESC LIMIT 1))
        )
        UPDATE coldroll.scan AS s
        SET outcome = $3::text, reason = $4::text, ended_at = coalesce(s.ended_at, now()), page_token = NULL,
            missing = coalesce(s.missing, $5::bigint), accepted = $6::boolean,
            empty_pages = s.empty_pages + \(stillEmpty("f.id")),
            items = coalesce(s.items, (SELECT count(*) FROM listed))
        FROM fence AS f
        WHERE s.id = f.id
        RETURNING s.pages, s.seen, s.new, s.unreadable, s.items
        """
    )

    /// New items of page `$3`, if it is the one that this scan recorded last: the answer to it was lost.
    static let repeatedPage = Statement(
        "page.repeated",
        """
        SELECT s.last_new, s.pages
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

    /// Items that the next full scan should see.
    static let expectedItems = Statement(
        "scan.expected_items",
        """
        SELECT (SELECT count(*) FROM coldroll.item AS i WHERE i.source_id = $1::bigint)
             - (SELECT count(*) FROM coldroll.absence AS a WHERE a.source_id = $1::bigint AND a.believed)
        """
    )

    static let counts = Statement(
        "scan.counts",
        "SELECT s.pages, s.seen, s.new, s.unreadable, s.items FROM coldroll.scan AS s WHERE s.id = $1::bigint"
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

    /// Entries without an id of source `s` since its last full scan `w` that are not acknowledged: those that look the same are one
    /// row, with how many of them are too many.
    private static let gaps = """
        SELECT x.entries - coalesce(y.entries, 0) AS entries, x.filename, x.capture_time, x.identity
        FROM (SELECT e.identity, max(e.entries) AS entries, max(e.filename) AS filename, max(e.capture_time) AS capture_time
              FROM coldroll.scan AS u JOIN coldroll.unread AS e ON e.scan_id = u.id
              WHERE u.source_id = s.id AND u.id >= coalesce(w.id, 0)
              GROUP BY e.identity) AS x
        LEFT JOIN coldroll.unread AS y
            ON y.identity = x.identity
           AND y.scan_id = (SELECT a.id FROM coldroll.scan AS a
                            WHERE a.source_id = s.id AND a.accepted ORDER BY a.id DESC LIMIT 1)
        WHERE x.entries > coalesce(y.entries, 0)
        """

    /// The first `$2` entries of source `$1` that `standing` counts and of which anything is known, those with a name first.
    static let firstGaps = Statement(
        "scan.first_gaps",
        """
        SELECT g.filename, to_char(g.capture_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        FROM coldroll.source AS s
        LEFT JOIN LATERAL (
            SELECT c.id FROM coldroll.scan AS c
            WHERE c.source_id = s.id AND c.outcome = 'complete' AND c.since IS NULL AND c.until IS NULL
            ORDER BY c.id DESC LIMIT 1
        ) AS w ON true
        CROSS JOIN LATERAL (\(gaps)) AS g
        WHERE s.id = $1::bigint AND g.identity <> ''
        ORDER BY g.filename IS NULL, g.capture_time DESC NULLS LAST, g.filename COLLATE "C", g.identity
        LIMIT $2::bigint
        """
    )

    /// The first `$2` entries of the last scan of source `$1` that was accepted of which anything is known, in the same order.
    static let firstAccepted = Statement(
        "scan.first_accepted",
        """
        SELECT e.filename, to_char(e.capture_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        FROM coldroll.unread AS e
        WHERE e.scan_id = (SELECT a.id FROM coldroll.scan AS a
                           WHERE a.source_id = $1::bigint AND a.accepted ORDER BY a.id DESC LIMIT 1)
          AND e.identity <> ''
        ORDER BY e.filename IS NULL, e.capture_time DESC NULLS LAST, e.filename COLLATE "C", e.identity
        LIMIT $2::bigint
        """
    )

    /// How sources `$1` (all if empty) stand: their newest scan, the age of what is known of them, and what is not settled.
    ///
    /// A scan that did not end well is settled by a later one that is complete and lists all that it would have listed; one of
    /// a picker by a later one, since the person is told and picks again. No scan of a picker is a full one.
    /// An entry without an id that looks like one of the last scan that was accepted is acknowledged, as often as it was in that
    /// scan; what was counted and not kept never is.
    /// `$2` is the silence after which a process counts as gone, in seconds.
    static let standing = Statement(
        "scan.standing",
        """
        SELECT s.kind, s.account, n.state, n.since, n.until, n.started, n.ended, n.pages, coalesce(n.items, n.seen), n.new, n.missing,
               n.unreadable, n.reason, CASE WHEN s.kind <> 'picker' THEN w.ended END,
               g.entries + k.entries,
               coalesce(o.state, CASE WHEN EXISTS (SELECT FROM coldroll.pick_session AS p
                                                   WHERE p.source_id = s.id AND p.ended_at IS NULL AND p.unlisted)
                                      THEN 'broken off' END), o.reason,
               EXISTS (SELECT FROM coldroll.pick_session AS p
                       WHERE p.source_id = s.id AND p.ended_at IS NULL AND p.picked_at IS NULL), k.entries, s.id,
               NOT EXISTS (SELECT FROM coldroll.item AS i WHERE i.source_id = s.id), n.empty_pages
        FROM coldroll.source AS s
        LEFT JOIN LATERAL (
            SELECT coalesce(c.outcome, CASE WHEN c.renewed_at >= now() - make_interval(secs => $2::double precision)
                                            THEN 'running' ELSE 'broken off' END) AS state,
                   c.since, c.until, extract(epoch FROM now() - c.started_at)::double precision AS started,
                   extract(epoch FROM now() - c.ended_at)::double precision AS ended, c.pages, c.seen, c.items, c.new,
                   c.missing, c.unreadable, c.reason, c.empty_pages
            FROM coldroll.scan AS c WHERE c.source_id = s.id ORDER BY c.id DESC LIMIT 1
        ) AS n ON true
        LEFT JOIN LATERAL (
            SELECT c.id, extract(epoch FROM now() - c.ended_at)::double precision AS ended
            FROM coldroll.scan AS c
            WHERE c.source_id = s.id AND c.outcome = 'complete' AND c.since IS NULL AND c.until IS NULL
            ORDER BY c.id DESC LIMIT 1
        ) AS w ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(x.entries), 0)::bigint AS entries FROM (\(gaps)) AS x
        ) AS g
        CROSS JOIN LATERAL (
            SELECT greatest(0, max(u.unreadable - coalesce((SELECT sum(e.entries) FROM coldroll.unread AS e
                                                            WHERE e.scan_id = u.id), 0)))::bigint AS entries
            FROM coldroll.scan AS u WHERE u.source_id = s.id AND u.id >= coalesce(w.id, 0)
        ) AS k
        LEFT JOIN LATERAL (
            SELECT coalesce(c.outcome, CASE WHEN c.renewed_at >= now() - make_interval(secs => $2::double precision)
                                            THEN 'running' ELSE 'broken off' END) AS state, c.reason
            FROM coldroll.scan AS c
            WHERE c.source_id = s.id AND c.outcome IS DISTINCT FROM 'complete' AND c.id > coalesce(w.id, 0)
              AND NOT EXISTS (SELECT FROM coldroll.scan AS l
                              WHERE l.source_id = s.id AND l.id > c.id AND l.outcome = 'complete'
                                AND l.since IS NOT DISTINCT FROM c.since AND l.until IS NOT DISTINCT FROM c.until)
            ORDER BY c.outcome IS NOT DISTINCT FROM 'suspicious' DESC, c.id DESC LIMIT 1
        ) AS o ON true
        WHERE cardinality($1::bigint[]) = 0 OR s.id = ANY ($1::bigint[])
        ORDER BY s.id
        """
    )
}
