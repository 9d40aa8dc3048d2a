package import Postgres

/// What the ledger knows of a source's listing: its newest scan, and what no later scan has settled.
package struct ScanStanding: Sendable, Equatable {
    /// The newest scan of a source.
    package struct Scan: Sendable, Equatable {
        /// `running`, `broken off` (open, and its process is gone), `complete`, `suspicious` or `failed`.
        package var state: String
        /// Its range of days; both nil for a full scan.
        package var since: String?, until: String?
        /// Seconds since it began, and since it ended; nil while it is open.
        package var secondsSinceStart: Double, secondsSinceEnd: Double?
        /// Pages recorded, different items in them (while it is open: entries, repeated ones too), new items, and entries without an id.
        package var pages: Int64, seen: Int64, new: Int64, unreadable: Int64
        /// Expected items that it did not see; nil where it was not compared.
        package var missing: Int64?
        /// Why it is suspicious or failed.
        package var reason: String?
        /// Pages that came without any item, also when they were asked for again; 0 while it is open.
        package var emptyPages: Int64

        package init(
            state: String,
            since: String? = nil,
            until: String? = nil,
            secondsSinceStart: Double,
            secondsSinceEnd: Double? = nil,
            pages: Int64,
            seen: Int64,
            new: Int64,
            unreadable: Int64 = 0,
            missing: Int64? = nil,
            reason: String? = nil,
            emptyPages: Int64 = 0
        ) {
            self.state = state
            self.since = since
            self.until = until
            self.secondsSinceStart = secondsSinceStart
            self.secondsSinceEnd = secondsSinceEnd
            self.pages = pages
            self.seen = seen
            self.new = new
            self.unreadable = unreadable
            self.missing = missing
            self.reason = reason
            self.emptyPages = emptyPages
        }
    }

    /// A scan that did not end well, and that no later one makes up for.
    package struct Unsettled: Sendable, Equatable {
        /// As `Scan.state`, never `complete`.
        package let state: String
        /// Why, where it has ended.
        package let reason: String?

        package init(state: String, reason: String?) {
            self.state = state
            self.reason = reason
        }
    }

    /// Kind and label of the source.
    package let source: String, account: String
    /// Nil if the source was never scanned.
    package let newest: Scan?
    /// Seconds since the last full scan that is complete ended; nil if there is none.
    package let secondsSinceFull: Double?
    /// Entries that were listed without an id by the last full scan that is complete, or since, and are not acknowledged.
    package let unreadable: Int64
    /// Of these, those of which nothing was kept, so that no acknowledgement is about them.
    package let unkept: Int64
    /// Some of the others, the newest first.
    package fileprivate(set) var gaps: [Gap]
    /// The suspicious scan that waits for a decision, else the newest that is open or failed; nil if all is settled.
    package let unsettled: Unsettled?
    /// Whether a page of the Picker is open in which the person has not pressed Done, as far as anybody has seen.
    package let awaitsPick: Bool
    /// Whether the ledger has items of the source.
    package let hasItems: Bool

    package init(
        source: String,
        account: String,
        newest: Scan?,
        secondsSinceFull: Double?,
        unreadable: Int64,
        unkept: Int64 = 0,
        gaps: [Gap] = [],
        unsettled: Unsettled?,
        awaitsPick: Bool = false,
        hasItems: Bool = false
    ) {
        self.source = source
        self.account = account
        self.newest = newest
        self.secondsSinceFull = secondsSinceFull
        self.unreadable = unreadable
        self.unkept = unkept
        self.gaps = gaps
        self.unsettled = unsettled
        self.awaitsPick = awaitsPick
        self.hasItems = hasItems
    }
}

extension Ledger {
    /// How the listings of these sources (all if empty) stand, in the order of the sources.
    package func standings(sources: [Int64]) async throws(PostgresError) -> [ScanStanding] {
        var standings: [ScanStanding] = []
        for row in try await pool.run(StandingStatements.standing, [.integers(sources), .double(Self.scanSilence)]) {
            var standing = try ScanStanding(row)
            if standing.unreadable > standing.unkept {
                standing.gaps = try await first(StandingStatements.firstGaps, try row.integer(19))
            }
            standings.append(standing)
        }
        return standings
    }

    /// Some of the entries without an id that the last scan of a source that was accepted had, the newest first.
    package func acceptedGaps(source: Int64) async throws(PostgresError) -> [Gap] {
        try await first(StandingStatements.firstAccepted, source)
    }

    private func first(_ statement: Statement, _ source: Int64) async throws(PostgresError) -> [Gap] {
        var gaps: [Gap] = []
        for row in try await pool.run(statement, [.integer(source), .integer(ScanStanding.mostGaps)]) {
            gaps.append(Gap(filename: row.textOrNil(0), day: row.textOrNil(1)))
        }
        return gaps
    }
}

extension ScanStanding {
    /// Gaps that are named.
    fileprivate static let mostGaps: Int64 = 5

    fileprivate init(_ row: Row) throws(PostgresError) {
        source = try row.text(0)
        account = try row.text(1)
        newest = row.textOrNil(2) == nil ? nil : try Scan(row)
        secondsSinceFull = try row.doubleOrNil(13)
        unreadable = try row.integer(14)
        unkept = try row.integer(18)
        gaps = []
        unsettled = row.textOrNil(15).map { Unsettled(state: $0, reason: row.textOrNil(16)) }
        awaitsPick = try row.boolean(17)
        hasItems = try !row.boolean(20)
    }
}

extension ScanStanding.Scan {
    fileprivate init(_ row: Row) throws(PostgresError) {
        self.init(
            state: try row.text(2),
            since: row.textOrNil(3),
            until: row.textOrNil(4),
            secondsSinceStart: try row.double(5),
            secondsSinceEnd: try row.doubleOrNil(6),
            pages: try row.integer(7),
            seen: try row.integer(8),
            new: try row.integer(9),
            unreadable: try row.integer(11),
            missing: try row.integerOrNil(10),
            reason: row.textOrNil(12),
            emptyPages: try row.integer(21)
        )
    }
}
