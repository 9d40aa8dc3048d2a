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

    /// A pass that goes on at its first page, as one does whose look at the front was broken off, begins anew, and only now:
    /// all that was uploaded until then is listed.
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
            empty_pages = s.empty_pages + \(EmptyPageStatements.count(of: "$1::bigint")),
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

    /// Entries without an id that scan `$1` has met, by identity, and how many of each.
    static let unread = Statement(
        "scan.unread",
        "SELECT u.identity, u.entries FROM coldroll.unread AS u WHERE u.scan_id = $1::bigint"
    )

    /// How what a full scan saw agrees with what is known: items expected, those of them that it did not see, those of these
    /// that are no younger than all that it saw, and items taken for deleted that it saw; of the missing ones those that no scan
    /// before has missed, as many and as old; and whether more pages of it came without any item than of the last one that
    /// is complete, their last pages aside: `$3` is what that of this one was asked for with.
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
               c.empty_pages + \(EmptyPageStatements.count(of: "c.id", before: "$3::text"))
               > coalesce((SELECT l.empty_pages - l.empty_end::integer FROM coldroll.scan AS l
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
    /// One that did not fail ends after page `$7`, no other; `$8` is what its last page was asked for with.
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
            empty_pages = s.empty_pages + \(EmptyPageStatements.count(of: "f.id")),
            empty_end = s.empty_end
                        OR \(EmptyPageStatements.count(of: "f.id"))
                        > \(EmptyPageStatements.count(of: "f.id", before: "$8::text")),
            end_token = coalesce(s.end_token, $8::text), items = coalesce(s.items, (SELECT count(*) FROM listed))
        FROM fence AS f
        WHERE s.id = f.id
        RETURNING s.pages, s.seen, s.new, s.unreadable, s.items
        """
    )

    /// Scan `$1` had not come to the listing's end, `$2` says.
    ///
    /// Like each end of a scan it waits for the disk.
    static let disbelieve = Statement(
        "scan.disbelieve",
        """
        UPDATE coldroll.scan AS s
        SET outcome = 'failed', reason = $2::text, accepted = false
        WHERE s.id = $1::bigint AND s.outcome = 'complete' AND \(CommitPolicy.durable)
        """
    )

    /// What the last page of scan `$1` was asked for with, if it is complete, and whether nothing was on it.
    static let lastPage = Statement(
        "scan.last_page",
        "SELECT s.end_token, s.empty_end FROM coldroll.scan AS s WHERE s.id = $1::bigint AND s.outcome = 'complete'"
    )

    /// Whether any of the ids `$2` is of no item of source `$1`.
    static let hasUnknown = Statement(
        "scan.has_unknown",
        """
        SELECT EXISTS (SELECT FROM unnest($2::text[]) AS u(id)
                       WHERE NOT EXISTS (SELECT FROM coldroll.item AS i
                                         WHERE i.source_id = $1::bigint AND i.source_item = u.id COLLATE "C"))
        """
    )

    /// Whether the pass of scan `$1` that is going on has seen any item.
    static let hasSeen = Statement(
        "scan.has_seen",
        "SELECT EXISTS (SELECT FROM coldroll.sighting AS g WHERE g.scan_id = $1::bigint AND cardinality(g.items) > 0)"
    )

    /// How many of the ids `$3` are of no item of source `$2` that the pass of scan `$1` has seen.
    ///
    /// Keys by scalar subqueries, and a difference of sets: joins of what has no statistics may be quadratic.
    static let unseen = Statement(
        "scan.unseen",
        """
        WITH asked AS MATERIALIZED (
            SELECT u.id, (SELECT i.id FROM coldroll.item AS i
                          WHERE i.source_id = $2::bigint AND i.source_item = u.id COLLATE "C") AS key
            FROM (SELECT DISTINCT u.id FROM unnest($3::text[]) AS u(id)) AS u
        ), met AS (
            SELECT a.key FROM asked AS a WHERE a.key IS NOT NULL
            INTERSECT
            SELECT v.id FROM coldroll.sighting AS g CROSS JOIN unnest(g.items) AS v(id) WHERE g.scan_id = $1::bigint
        )
        SELECT (SELECT count(*) FROM asked) - (SELECT count(*) FROM met)
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
}
