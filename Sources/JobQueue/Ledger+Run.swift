package import Postgres

extension Ledger {
    /// Starts a run: its number, and its start by the database's clock (RFC 3339 UTC).
    package func beginRun(
        source: Int64,
        host: String
    ) async throws(PostgresError) -> (number: Int64, startedAt: String) {
        let row = try await pool.only(LedgerStatements.beginRun, [.integer(source), .text(host)])
        return (try row.integer(0), try row.text(1))
    }

    /// Ends a run; one that has ended is left as it is.
    ///
    /// `outcome` is a word, not empty; `unreadable` counts entries that the source listed without an id, nil where the
    /// listing is not known to have ended; `scan` is the run's own one that listed everything from the first page on, nil if
    /// none did.
    package func finishRun(
        _ number: Int64,
        outcome: String,
        totals: Totals,
        unreadable: Int64?,
        scan: Int64? = nil
    ) async throws(PostgresError) {
        _ = try await pool.run(
            LedgerStatements.finishRun,
            [
                .integer(number), .text(outcome), .integer(totals.found), .integer(totals.stored),
                .integer(totals.duplicate), .integer(totals.skipped), .integer(totals.dead), .integer(totals.live),
                .integer(totals.unaccounted), .integer(totals.storedBytes),
                .integer(unreadable), .integer(scan),
            ]
        )
    }
}
