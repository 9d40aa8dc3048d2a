package import Postgres

/// A tally that was not what the tables said.
package struct TallyError: Sendable, Equatable {
    /// Where the parts are: `found`, `live`, `original`, `rendition`, `duplicate`, `skipped` or `dead`.
    package let place: String
    /// Kind and account of the source; nil where it is unknown.
    package let source: String?
    /// What the tally said, and what was counted.
    package let tallied: Int64, counted: Int64
}

extension JobQueue {
    /// Sums over these sources (all if empty) from the tallies: milliseconds, however many parts there are.
    ///
    /// `unaccounted` is only found less the rest here; `totals` looks for each part in every place.
    package func tallies(sources: [Int64]) async throws(PostgresError) -> Totals {
        try Totals(try await pool.only(TallyStatements.tallies, [.integers(sources)]))
    }

    /// Counts every part and corrects the tallies; answers those that were wrong, normally none.
    ///
    /// Half a minute for ten million parts. Workers go on meanwhile.
    package func recount() async throws(PostgresError) -> [TallyError] {
        var errors: [TallyError] = []
        for row in try await pool.run(TallyStatements.recount) {
            let kind = row.textOrNil(1), account = row.textOrNil(2)
            errors.append(
                TallyError(
                    place: try row.text(0),
                    source: kind.flatMap { kind in account.map { "\(kind) \($0)" } },
                    tallied: try row.integer(3),
                    counted: try row.integer(4)
                )
            )
        }
        return errors
    }
}

extension Totals {
    /// A row of `part.totals` or `part.tallies`.
    init(_ row: Row) throws(PostgresError) {
        self.init()
        found = try row.integer(0)
        stored = try row.integer(1)
        duplicate = try row.integer(2)
        skipped = try row.integer(3)
        dead = try row.integer(4)
        ready = try row.integer(5)
        scheduled = try row.integer(6)
        running = try row.integer(7)
        unaccounted = try row.integer(8)
        storedBytes = try row.integer(9)
        originals = try row.integer(10)
        renditions = try row.integer(11)
        nextDue = try row.doubleOrNil(12)
    }
}
