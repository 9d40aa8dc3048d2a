/// One forward step of the schema.
package struct Migration: Sendable {
    /// From 1, without gaps.
    package let version: Int
    /// Name of the file without its number.
    package let name: String
    /// The file: one transaction that takes the advisory lock, refuses to run twice or out of order, and enters itself
    /// in `coldroll.migration`; so `psql -f` does the same.
    package let sql: String

    private init(_ version: Int, _ name: String, _ file: [UInt8]) {
        self.version = version
        self.name = name
        self.sql = String(decoding: file, as: UTF8.self)
    }

    /// Every step in order.
    package static let all: [Migration] = [
        Migration(1, "ledger", PackageResources.m0001_ledger_sql),
        Migration(2, "queue", PackageResources.m0002_queue_sql),
        Migration(3, "views", PackageResources.m0003_views_sql),
        Migration(4, "functions", PackageResources.m0004_functions_sql),
        Migration(5, "listing", PackageResources.m0005_listing_sql),
        Migration(6, "uploads", PackageResources.m0006_uploads_sql),
        Migration(7, "leases", PackageResources.m0007_leases_sql),
        Migration(8, "limits", PackageResources.m0008_limits_sql),
        Migration(9, "tallies", PackageResources.m0009_tallies_sql),
        Migration(10, "upkeep", PackageResources.m0010_upkeep_sql),
        Migration(11, "starts", PackageResources.m0011_starts_sql),
        Migration(12, "moves", PackageResources.m0012_moves_sql),
        Migration(13, "archive_id", PackageResources.m0013_archive_id_sql),
        Migration(14, "logins", PackageResources.m0014_logins_sql),
        Migration(15, "picks", PackageResources.m0015_picks_sql),
        Migration(16, "turns", PackageResources.m0016_turns_sql),
        Migration(17, "forget", PackageResources.m0017_forget_sql),
        Migration(18, "doubts", PackageResources.m0018_doubts_sql),
        Migration(19, "unread", PackageResources.m0019_unread_sql),
        Migration(20, "listed", PackageResources.m0020_listed_sql),
        Migration(21, "empty_pages", PackageResources.m0021_empty_pages_sql),
        Migration(22, "words", PackageResources.m0022_words_sql),
        Migration(23, "asked_again", PackageResources.m0023_asked_again_sql),
        Migration(24, "empty_end", PackageResources.m0024_empty_end_sql),
        Migration(25, "run_scan", PackageResources.m0025_run_scan_sql),
        Migration(26, "accepted", PackageResources.m0026_accepted_sql),
    ]

    /// SQLSTATE of a step that is applied already: somebody else was faster.
    package static let alreadyApplied = "CRM01"
}
