import Postgres

/// SQL that records a page of a scan of which nothing is known yet.
enum NewPageStatements {
    /// A page that is thought to hold nothing that is known, no name that is taken or wanted twice, and one part an item.
    ///
    /// Looks nothing up, joins nothing and sorts nothing: a third less work than `PageStatements.record`, which says what
    /// the rest means. If something is known after all, it violates `item_identity` or `part_name_key`, and nothing
    /// happens; the caller sees to it that each entry has its part. `$6` counts entries that repeat an id of the page too.
    static let record = Statement(
        "page.record_new",
        """
        WITH fence AS MATERIALIZED (
            SELECT s.id, s.source_id,
                   (SELECT l.id FROM coldroll.lane AS l WHERE l.source_id = s.source_id AND l.kind = 'photo') AS photo,
                   (SELECT l.id FROM coldroll.lane AS l WHERE l.source_id = s.source_id AND l.kind = 'video') AS video
            FROM coldroll.scan AS s
            WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
              AND s.last_page IS DISTINCT FROM $4::bigint AND s.pages = $7::bigint AND \(CommitPolicy.lazy)
            FOR UPDATE
        ), entry AS MATERIALIZED (
            SELECT nextval('coldroll.item_id_seq') AS item_id, nextval('coldroll.part_id_seq') AS part_id,
                   \(PageStatements.rank("$5", of: "e")) AS rank,
                   f.source_id, CASE WHEN e.is_video THEN f.video ELSE f.photo END AS lane_id, e.*
            FROM fence AS f
            CROSS JOIN unnest($8::text[], $9::text[], $10::text[], $11::text[]::timestamptz[], $12::text[], $13::bigint[],
                              $14::bigint[], $15::boolean[], $16::text[], $17::text[], $18::text[], $19::text[])
                       AS e(source_item, filename, mime_type, capture_time, capture_from, width, height, is_video, kind,
                            folder_month, object_name, name_key)
        ), item_row AS (
            INSERT INTO coldroll.item (id, source_id, scan_id, source_item, filename, mime_type, capture_time,
                                       capture_from, width, height, is_video)
            SELECT e.item_id, e.source_id, $1::bigint, e.source_item, e.filename, e.mime_type, e.capture_time,
                   e.capture_from, e.width, e.height, e.is_video
            FROM entry AS e
        ), part_row AS (
            INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
            SELECT e.part_id, e.item_id, e.source_id, e.kind, e.folder_month, e.object_name, e.name_key FROM entry AS e
            RETURNING item_id
        ), job_row AS (
            INSERT INTO coldroll.job (part_id, lane_id, rank) SELECT e.part_id, e.lane_id, e.rank FROM entry AS e
            RETURNING part_id
        ), sighting AS (
            INSERT INTO coldroll.sighting (scan_id, items)
            SELECT $1::bigint, array_agg(e.item_id) FROM entry AS e HAVING count(*) > 0
        ), counted AS MATERIALIZED (
            -- Each count from its own end: scan_counts_agree and scan_parts_have_jobs refuse the page if they differ.
            SELECT $6::bigint AS seen, (SELECT count(*) FROM part_row) AS new,
                   $6::bigint - cardinality($8::text[]) AS known, (SELECT count(*) FROM entry) AS parts,
                   (SELECT count(*) FROM job_row) AS jobs
        )
        UPDATE coldroll.scan AS s
        SET page_token = $3::text, renewed_at = now(), pages = s.pages + 1, seen = s.seen + c.seen, new = s.new + c.new,
            known = s.known + c.known, parts = s.parts + c.parts, jobs = s.jobs + c.jobs, last_page = $4::bigint,
            last_new = c.new
        FROM fence AS f, counted AS c
        WHERE s.id = f.id
        RETURNING c.seen, c.new, c.known, pg_notify('coldroll_job', '')::text
        """,
        isKept: true
    )
}
