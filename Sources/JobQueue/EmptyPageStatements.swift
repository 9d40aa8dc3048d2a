import Postgres

/// SQL about pages of a scan that came without any item; that of a page notes them.
enum EmptyPageStatements {
    /// How many of scan `scan`, an expression, came so each time that they were asked for.
    static func count(of scan: String) -> String {
        "(SELECT count(*) FROM coldroll.empty_page AS e WHERE e.scan_id = \(scan))"
    }

    /// The same, but for its last page, which it asked for with `end`, an expression: a listing may end with an empty page.
    ///
    /// A first page that is the last one too (null) is never among them.
    static func count(of scan: String, before end: String) -> String {
        "(SELECT count(*) FROM coldroll.empty_page AS e WHERE e.scan_id = \(scan) AND coalesce(e.token <> \(end), true))"
    }

    /// Pages of scan `$1` that came without any item, in their order, and what they were asked for with.
    static let all = Statement(
        "scan.empty_pages",
        "SELECT e.id, e.token, e.is_believed FROM coldroll.empty_page AS e WHERE e.scan_id = $1::bigint ORDER BY e.id"
    )

    /// A page that is looked at again, asked for with `$4`, came without any item.
    static let note = Statement(
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
    static let believe = Statement(
        "scan.believe_empty_page",
        """
        WITH fence AS MATERIALIZED (\(fenceAtPage)), believed AS (
            UPDATE coldroll.empty_page AS e SET is_believed = true
            WHERE e.id = $4::bigint AND e.scan_id = (SELECT f.id FROM fence AS f)
        )
        SELECT f.id FROM fence AS f
        """
    )

    /// The scan goes on with the token `$4`: what had seemed to be the last page has no items and leads on by it, or a look at pages
    /// that were listed, in which it would have begun anew, is over.
    static let goOn = Statement(
        "scan.go_on",
        """
        WITH fence AS MATERIALIZED (\(fenceAtPage))
        UPDATE coldroll.scan AS s SET page_token = $4::text FROM fence AS f WHERE s.id = f.id
        RETURNING s.id
        """
    )

    /// Empty page `$4` has items after all.
    static let fill = Statement(
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
}
