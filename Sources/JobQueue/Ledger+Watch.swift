package import Postgres

/// How the newest scan of a source stands, whoever runs it.
package struct ScanState: Sendable, Equatable {
    package let id: Int64
    /// nil while it is open.
    package let outcome: String?
    /// Why it did not end as `complete`.
    package let reason: String?
    /// Whether it is open and its process gave a sign of life lately.
    package let isAlive: Bool
    /// Its range, as it was given to `openScan`.
    package let since: String?
    package let until: String?

    /// Whether it lists all that a scan of this range would: it is of the same range, or a full one.
    package func covers(since: String?, until: String?) -> Bool {
        (self.since == nil && self.until == nil) || (self.since == since && self.until == until)
    }
}

extension Ledger {
    /// Sums of a scan so far, over all processes that took part in it.
    package func counts(_ scan: ScanTicket) async throws(PostgresError) -> ScanCounts {
        try ScanCounts(try await pool.only(ScanStatements.counts, [.integer(scan.id)]))
    }

    /// The newest scan of a source; nil if there was none.
    ///
    /// A drain waits for one that is alive, a run joins it.
    package func newestScan(source: Int64) async throws(PostgresError) -> ScanState? {
        guard let row = try await pool.run(ScanStatements.newest, [.integer(source), .double(Self.scanSilence)]).first
        else { return nil }
        return ScanState(
            id: try row.integer(0),
            outcome: row.textOrNil(1),
            reason: row.textOrNil(2),
            isAlive: try row.boolean(3),
            since: row.textOrNil(4),
            until: row.textOrNil(5)
        )
    }
}
