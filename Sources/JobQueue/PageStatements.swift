import Postgres

/// SQL that records a page of a scan.
enum PageStatements {
    /// One page: items, their parts and jobs, the next token and the scan's lease, or nothing where the lease is lost.
    ///
    /// It is recorded after `$26` others or not at all: a failover to a replica that was behind, or the end of the server's
    /// machine, may have lost one (`CommitPolicy.lazy`), and the gap would never be seen. Entries that repeat an id of the page are left out by the caller; `$25` counts all. `$23` is
    /// -1 for the newest first, 1 for the oldest first. Names beside the plain ones (`$18` to `$21`) are four of
    /// a page's texts in ten, and needed by hardly any page: while `$24` is false they are left out, and a page that needs
    /// them is answered with NULLs and leaves no trace.
    ///
    /// Looks keys up by scalar subqueries on purpose: they are index lookups under any statistics, where a join may
    /// read the whole table. Everything else joins the page's own rows. `$27` to `$30` are what is known of the `$4` entries
    /// without an id, each identity once. Ids are drawn before the inserts, so that no
    /// row is looked for again after them. `$31` says which names several parts of the page want, known items' too: only of
    /// those is the first one looked for.
    static let record = Statement("page.record", sql(picked: false), isKept: true)

    /// The same, and that the items are on page `$33` (a page token, null for the first) of Picker session `$32`.
    ///
    /// It waits for the disk: a session is gone some day, and what was picked in it cannot be listed again; and the marker in
    /// the state store counts what was picked.
    static let recordPicked = Statement("page.record_picked", sql(picked: true), isKept: true)

    /// The newest session that an item was picked in is the one that it is fetched through.
    private static let picked = """
        ), picked_page AS (
            INSERT INTO coldroll.pick_page (session_id, page_token)
            SELECT $32::bigint, $33::text FROM fence WHERE (SELECT t.is_enough FROM told AS t)
            RETURNING id
        ), picked AS (
            INSERT INTO coldroll.pick (item_id, page_id)
            SELECT v.id, g.id
            FROM picked_page AS g
            CROSS JOIN (SELECT n.id FROM new_item AS n
                        UNION ALL
                        SELECT (j.was).id FROM judged AS j WHERE NOT j.is_new) AS v
            ON CONFLICT ON CONSTRAINT pick_pkey DO UPDATE SET page_id = excluded.page_id

        """

    /// Different entries without an id that are kept of a scan.
    static let mostUnread = 1000

    /// The item as it is known; null where it is new.
    private static let known = """
        (SELECT i FROM coldroll.item AS i
                          WHERE i.source_id = f.source_id AND i.source_item = e.source_item)
        """

    /// Whether no part has the name.
    private static let isFree = """
        coalesce((SELECT false FROM coldroll.part AS q WHERE q.name_key = u.name_key), true)
        """

    /// What orders the jobs of a lane.
    ///
    /// Undated ones come last either way; year 9999 is less than 1e12.
    static func rank(_ direction: String, of row: String) -> String {
        "coalesce(\(direction)::bigint * extract(epoch FROM \(row).capture_time)::bigint, 500000000000)"
    }

    /// A page without any entry is asked for again, by whatever process comes to the end; one that is all there is says enough
    /// by itself, and what was picked is listed again whole.
    private static let hollow = """
        ), hollow AS (
            INSERT INTO coldroll.empty_page (scan_id, page, token)
            SELECT f.id, f.pages + 1, f.page_token FROM fence AS f
            WHERE $25::bigint = 0 AND $4 = 0 AND num_nonnulls($3::text, f.page_token) > 0 AND (SELECT t.is_enough FROM told AS t)

        """

    private static func sql(picked isPicked: Bool) -> String {
        """
        WITH fence AS MATERIALIZED (
            SELECT s.id, s.source_id, s.pages, s.page_token,
                   (SELECT l.id FROM coldroll.lane AS l WHERE l.source_id = s.source_id AND l.kind = 'photo') AS photo,
                   (SELECT l.id FROM coldroll.lane AS l WHERE l.source_id = s.source_id AND l.kind = 'video') AS video
            FROM coldroll.scan AS s
            WHERE s.id = $1 AND s.lease = $2 AND s.outcome IS NULL AND s.last_page IS DISTINCT FROM $22::bigint
              AND s.pages = $26::bigint AND \(isPicked ? CommitPolicy.durable : CommitPolicy.lazy)
            FOR UPDATE
        ), judged AS MATERIALIZED (
            SELECT l.*, (l.was).id IS NULL AS is_new
            FROM (SELECT e.*, f.source_id, CASE WHEN e.is_video THEN f.video ELSE f.photo END AS lane_id,
                         \(known) AS was
                  FROM fence AS f
                  CROSS JOIN unnest($5::text[], $6::text[], $7::text[], $8::text[]::timestamptz[], $9::text[],
                                    $10::bigint[], $11::bigint[], $12::boolean[])
                             WITH ORDINALITY AS e(source_item, filename, mime_type, capture_time, capture_from, width,
                                                  height, is_video, ord)
                  OFFSET 0) AS l
        ), new_item AS MATERIALIZED (
            SELECT nextval('coldroll.item_id_seq') AS id, j.*,
                   \(rank("$23", of: "j")) AS rank
            FROM (SELECT * FROM judged WHERE is_new ORDER BY ord) AS j
        ), new_part AS MATERIALIZED (
            -- With its plain name, if that is free in the ledger and no earlier part of the page wants it.
            SELECT nextval('coldroll.part_id_seq') AS id, p.*
            FROM (SELECT n.id AS item_id, n.source_id, n.lane_id, n.rank, u.kind, u.folder_month, u.object_name, u.name_key,
                         u.ord,
                         (NOT u.is_shared
                          OR u.ord = ANY (ARRAY (SELECT min(w.ord)
                                                 FROM unnest($13::bigint[], $17::text[], $31::boolean[])
                                                      WITH ORDINALITY AS w(item, name_key, is_shared, ord)
                                                 JOIN new_item AS m ON m.ord = w.item
                                                 WHERE w.is_shared
                                                 GROUP BY w.name_key COLLATE "C")))
                         AND \(isFree) AS is_plain
                  FROM unnest($13::bigint[], $14::text[], $15::text[], $16::text[], $17::text[], $31::boolean[])
                       WITH ORDINALITY AS u(item, kind, folder_month, object_name, name_key, is_shared, ord)
                  JOIN new_item AS n ON n.ord = u.item
                  ORDER BY u.ord) AS p
        ), told AS MATERIALIZED (
            SELECT $24::boolean OR NOT EXISTS (SELECT FROM new_part AS p WHERE NOT p.is_plain) AS is_enough
        ), item_row AS (
            INSERT INTO coldroll.item (id, source_id, scan_id, source_item, filename, mime_type, capture_time,
                                       capture_from, width, height, is_video)
            SELECT n.id, n.source_id, $1, n.source_item, n.filename, n.mime_type, n.capture_time, n.capture_from,
                   n.width, n.height, n.is_video
            FROM new_item AS n
            WHERE (SELECT t.is_enough FROM told AS t)
        ), changed AS MATERIALIZED (
            -- What is missing now does not erase what was known.
            SELECT (j.was).id, coalesce(j.filename, (j.was).filename) AS filename,
                   coalesce(j.mime_type, (j.was).mime_type) AS mime_type,
                   coalesce(j.capture_time, (j.was).capture_time) AS capture_time,
                   CASE WHEN j.capture_time IS NULL THEN (j.was).capture_from ELSE j.capture_from END AS capture_from,
                   coalesce(j.width, (j.was).width) AS width, coalesce(j.height, (j.was).height) AS height
            FROM judged AS j
            WHERE NOT j.is_new AND (SELECT t.is_enough FROM told AS t)
              AND (j.filename <> (j.was).filename OR j.mime_type <> (j.was).mime_type
                   OR j.capture_time <> (j.was).capture_time OR j.width <> (j.was).width
                   OR j.height <> (j.was).height
                   OR num_nulls((j.was).filename, (j.was).mime_type, (j.was).capture_time, (j.was).width,
                                (j.was).height)
                      > num_nulls(coalesce(j.filename, (j.was).filename), coalesce(j.mime_type, (j.was).mime_type),
                                  coalesce(j.capture_time, (j.was).capture_time), coalesce(j.width, (j.was).width),
                                  coalesce(j.height, (j.was).height)))
        ), item_change AS (
            UPDATE coldroll.item AS i
            SET filename = c.filename, mime_type = c.mime_type, capture_time = c.capture_time,
                capture_from = c.capture_from, width = c.width, height = c.height
            FROM changed AS c
            WHERE i.id = c.id AND i.id = ANY (ARRAY (SELECT d.id FROM changed AS d))
        ), other_name AS MATERIALIZED (
            -- Names for the rest; one that several of them could take goes to whom it is nearest to, then to the first.
            SELECT DISTINCT ON (c.name_key COLLATE "C") c.*
            FROM unnest($18::bigint[], $19::bigint[], $20::text[], $21::text[])
                 AS c(part, position, object_name, name_key)
            JOIN new_part AS p ON p.ord = c.part AND NOT p.is_plain
            LEFT JOIN new_part AS t ON t.name_key = c.name_key AND t.is_plain
            WHERE coalesce(NOT t.is_plain, true)
              AND coalesce((SELECT false FROM coldroll.part AS q WHERE q.name_key = c.name_key), true)
            ORDER BY c.name_key COLLATE "C", c.position, c.part
        ), named AS MATERIALIZED (
            SELECT p.id, p.item_id, p.source_id, p.lane_id, p.rank, p.kind, p.folder_month, p.object_name, p.name_key
            FROM new_part AS p
            WHERE p.is_plain AND (SELECT t.is_enough FROM told AS t)
            UNION ALL
            SELECT p.id, p.item_id, p.source_id, p.lane_id, p.rank, p.kind, p.folder_month, o.object_name, o.name_key
            FROM (SELECT DISTINCT ON (c.part) c.* FROM other_name AS c ORDER BY c.part, c.position) AS o
            JOIN new_part AS p ON p.ord = o.part
        ), part_row AS (
            INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
            SELECT n.id, n.item_id, n.source_id, n.kind, n.folder_month, n.object_name, n.name_key FROM named AS n
            RETURNING item_id
        ), job_row AS (
            INSERT INTO coldroll.job (part_id, lane_id, rank) SELECT n.id, n.lane_id, n.rank FROM named AS n
            RETURNING part_id
        ), sighting AS (
            -- What it saw is counted at its end, and what a full one misses is found by it.
            INSERT INTO coldroll.sighting (scan_id, items)
            SELECT f.id, array_agg(v.id)
            FROM fence AS f
            CROSS JOIN (SELECT n.id FROM new_item AS n
                        UNION ALL
                        SELECT (j.was).id FROM judged AS j WHERE NOT j.is_new) AS v
            WHERE (SELECT t.is_enough FROM told AS t)
            GROUP BY f.id
        \(isPicked ? "" : hollow)), unread AS (
            -- Of more than the ledger keeps, no other one can be told later: they are counted, and never acknowledged.
            INSERT INTO coldroll.unread AS u (scan_id, identity, entries, filename, capture_time)
            SELECT f.id, e.identity, e.entries, e.filename, e.capture_time
            FROM fence AS f
            CROSS JOIN unnest($27::text[], $28::bigint[], $29::text[], $30::text[]::timestamptz[])
                       WITH ORDINALITY AS e(identity, entries, filename, capture_time, ord)
            WHERE (SELECT t.is_enough FROM told AS t)
              AND (e.identity = ''
                   OR e.ord <= \(mostUnread) - (SELECT count(*) FROM coldroll.unread AS k WHERE k.scan_id = f.id)
                   OR EXISTS (SELECT FROM coldroll.unread AS k WHERE k.scan_id = f.id AND k.identity = e.identity))
            ON CONFLICT ON CONSTRAINT unread_pkey DO UPDATE SET entries = u.entries + excluded.entries
        \(isPicked ? picked : "")), counted AS MATERIALIZED (
            -- Each count from its own end: scan_counts_agree and scan_parts_have_jobs refuse the page if they differ.
            SELECT $25::bigint AS seen,
                   (SELECT count(DISTINCT r.item_id) FROM part_row AS r) AS new,
                   $25::bigint - cardinality($5::text[])
                   + (SELECT count(*) FROM judged AS j WHERE NOT j.is_new) AS known,
                   (SELECT count(*) FROM new_part) AS parts,
                   (SELECT count(*) FROM job_row) AS jobs
        ), progress AS (
            UPDATE coldroll.scan AS s
            SET page_token = $3::text, renewed_at = now(), pages = s.pages + 1, seen = s.seen + c.seen, new = s.new + c.new,
                known = s.known + c.known, parts = s.parts + c.parts, jobs = s.jobs + c.jobs,
                unreadable = s.unreadable + $4,
                last_page = $22::bigint, last_new = c.new
            FROM fence AS f, counted AS c
            WHERE s.id = f.id AND (SELECT t.is_enough FROM told AS t)
            RETURNING c.seen, c.new, c.known, c.jobs
        )
        SELECT p.seen, p.new, p.known, CASE WHEN p.jobs > 0 THEN pg_notify('coldroll_job', '')::text END
        FROM progress AS p
        UNION ALL
        SELECT NULL, NULL, NULL, NULL FROM fence WHERE NOT (SELECT t.is_enough FROM told AS t)
        """
    }
}
