import Postgres

/// The owner's decisions: calls of the SQL functions of the same names.
enum AdminStatements {
    static let retry = Statement("admin.retry", "SELECT coldroll.retry($1)")
    static let retryFailed = Statement("admin.retry_failed", "SELECT coldroll.retry_failed($1)")
    static let dead = Statement(
        "admin.dead",
        """
        SELECT c.part_id FROM coldroll.outcome AS c
        WHERE c.superseded_at IS NULL AND c.kind = 'dead' AND c.reason ~* $1::text
        ORDER BY c.part_id
        """
    )
    static let skip = Statement("admin.skip", "SELECT coldroll.skip($1, $2)")
    static let accept = Statement("admin.accept", "SELECT coldroll.accept($1)")
    static let pause = Statement("admin.pause", "SELECT coldroll.pause($1)")
    static let resume = Statement("admin.resume", "SELECT coldroll.resume($1)")
    static let forget = Statement("admin.forget", "SELECT coldroll.forget($1::text, $2::text)")

    /// Takes away what is kept of outages of places that no source uses any more; a row for each.
    ///
    /// The words are those of `ArchiveContext.places`; the archive is every source's.
    static let forgetOutages = Statement(
        "admin.forget_outages",
        """
        DELETE FROM coldroll.breaker AS b
        WHERE NOT EXISTS (
            SELECT FROM coldroll.source AS s
            WHERE CASE b.service
                  WHEN 'storage' THEN true
                  WHEN 'library' THEN b.place = CASE s.kind WHEN 'picker' THEN 'picker of ' ELSE '' END
                                                || coldroll.project(s.client_id)
                  ELSE b.place = coldroll.project(s.client_id) END)
        RETURNING b.service
        """
    )

    static let all = [retry, retryFailed, dead, skip, accept, pause, resume, forget, forgetOutages]
}
