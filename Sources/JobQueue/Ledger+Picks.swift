package import Postgres

extension Ledger {
    /// How the reason of a part begins that was given up because its session was over: picked again, it is tried again.
    package static let pickAgain = "pick-again"

    /// Notes a session of Google's Picker that this scan lists, before anybody sees its link.
    ///
    /// Safe to repeat.
    ///
    /// - Parameters:
    ///   - scan: an open one of a picker.
    ///   - session: Google's id of it.
    ///   - link: the page in which the person picks.
    ///   - expiresAt: RFC 3339; nil: Google does not say.
    /// - Returns: the session as the ledger has it.
    /// - Throws: `.scanLost`; `PostgresError`.
    package func beginPick(
        _ scan: ScanTicket,
        session: String,
        link: String?,
        expiresAt: String?
    ) async throws -> PickSession {
        let rows = try await pool.run(
            PickStatements.begin,
            [.integer(scan.id), .integer(scan.lease), .text(session), .text(link), .text(expiresAt)]
        )
        guard let row = rows.first else { throw scan.lost }
        return try PickSession(row)
    }

    /// The session that a scan goes on with: its own, or one whose listing had only seemed to end.
    ///
    /// - Returns: nil where a new one is to be made.
    package func openPick(_ scan: ScanTicket) async throws(PostgresError) -> PickSession? {
        if let row = try await pool.run(PickStatements.ofScan, [.integer(scan.id)]).first {
            return try PickSession(row)
        }
        let adopted = try await pool.run(PickStatements.adopt, [.integer(scan.id), .integer(scan.lease)])
        return try adopted.first.map { (row) throws(PostgresError) in try PickSession(row) }
    }

    /// Whether what this open scan was listing is over already, as another process or an earlier life of this one found out.
    ///
    /// The scan must not go on with another session then: nobody would learn that the first was not listed to its end.
    package func hasLostPick(_ scan: ScanTicket) async throws(PostgresError) -> Bool {
        try await pool.run(PickStatements.isLost, [.integer(scan.id)]).first?.boolean(0) ?? false
    }

    /// Why the scan before this one failed, as a sentence; nil if it did not.
    package func failureBefore(_ scan: ScanTicket) async throws(PostgresError) -> String? {
        try await pool.run(PickStatements.failedBefore, [.integer(scan.source), .integer(scan.id)]).first?.textOrNil(0)
    }

    /// Notes that the person has pressed Done.
    package func notePicked(_ session: Int64) async throws(PostgresError) {
        _ = try await pool.run(PickStatements.picked, [.integer(session)])
    }

    /// Notes that a session's listing goes on behind where it seemed to end: the next scan lists it again.
    ///
    /// Should it be over by now, the newest scan has failed: the person has to pick the rest again.
    package func noteUnlisted(_ session: Int64) async throws(PostgresError) {
        _ = try await pool.run(PickStatements.unlisted, [.integer(session)])
    }

    /// Notes that a session that has expired was not looked at a last time: its scan has failed, until a later one is complete.
    ///
    /// - Returns: false where it has not expired, but was ended and deleted by another process.
    package func noteUnsure(_ session: Int64) async throws(PostgresError) -> Bool {
        try await !pool.run(PickStatements.unsure, [.integer(session)]).isEmpty
    }

    /// Ends a session for the ledger; one that has ended stays as it is.
    ///
    /// If its listing was known to go on, the newest scan has failed.
    package func endPick(_ session: Int64, _ outcome: PickOutcome) async throws(PostgresError) {
        _ = try await pool.run(PickStatements.end, [.integer(session), .text(outcome.rawValue)])
    }

    /// Where these items can be fetched: those that no session has any more are left out.
    package func pickPlaces(source: Int64, _ items: [String]) async throws(PostgresError) -> [PickedItem] {
        var places: [PickedItem] = []
        for row in try await pool.run(PickStatements.places, [.integer(source), .texts(items)]) {
            places.append(
                PickedItem(
                    sourceItem: try row.text(0),
                    place: PickPlace(session: try row.integer(1), pageToken: row.textOrNil(2)),
                    session: try row.text(3)
                )
            )
        }
        return places
    }

    /// Notes that a session does not have an item any more; one that was picked in another meanwhile is left alone.
    package func forgetPick(source: Int64, _ item: String, session: Int64) async throws(PostgresError) {
        _ = try await pool.run(PickStatements.forget, [.integer(source), .text(item), .integer(session)])
    }

    /// Sessions of which all is listed, and all parts are stored or acknowledged.
    package func finishedPicks(source: Int64) async throws(PostgresError) -> [PickSession] {
        var sessions: [PickSession] = []
        for row in try await pool.run(PickStatements.finished, [.integer(source)]) {
            sessions.append(try PickSession(row))
        }
        return sessions
    }

    /// Whether any item can be had through a session, as far as the ledger knows.
    package func hasPicks(_ session: Int64) async throws(PostgresError) -> Bool {
        try await pool.run(PickStatements.hasItems, [.integer(session)]).first != nil
    }

    /// How many entries without an id a listing of a session may show beside these items without showing what was never
    /// listed: those that its scan met, and items of it that have lost their id meanwhile.
    package func unreadAllowed(_ session: Int64, beside items: [String]) async throws(PostgresError) -> Int64 {
        try await pool.run(PickStatements.unreadAllowed, [.integer(session), .texts(items)]).first?.integer(0) ?? 0
    }

    /// Whether a session is one of `finishedPicks` still: to be asked right before it is deleted.
    package func isFinishedPick(_ session: Int64) async throws(PostgresError) -> Bool {
        try await pool.run(PickStatements.isFinished, [.integer(session)]).first != nil
    }

    /// Sessions whose time is over by the database's clock, which may be wrong: Google has the last word.
    package func expiredPicks(source: Int64) async throws(PostgresError) -> [PickSession] {
        var sessions: [PickSession] = []
        for row in try await pool.run(PickStatements.over, [.integer(source)]) {
            sessions.append(try PickSession(row))
        }
        return sessions
    }

    /// Those of these ids that no page of this session has brought: the ledger has no item for them, or one that is not
    /// stored and that nothing leads to.
    package func unlistedItems(
        source: Int64,
        _ items: [String],
        session: Int64
    ) async throws(PostgresError) -> [String] {
        let values: [PostgresValue] = [.integer(source), .texts(items), .integer(session)]
        var unlisted: [String] = []
        for row in try await pool.run(PickStatements.unknown, values) { unlisted.append(try row.text(0)) }
        return unlisted
    }

    /// Puts parts back into the queue that were given up because their session was over, and that were picked again.
    ///
    /// - Returns: how many.
    @discardableResult
    package func revivePicked(source: Int64) async throws(PostgresError) -> Int64 {
        let values: [PostgresValue] = [.integer(source), .text(Self.pickAgain)]
        return try await pool.run(PickStatements.revive, values).first?.integer(0) ?? 0
    }
}

extension PickSession {
    fileprivate init(_ row: Row) throws(PostgresError) {
        self.init(
            id: try row.integer(0),
            session: try row.text(1),
            link: row.textOrNil(2),
            isPicked: try row.boolean(3),
            secondsLeft: try row.doubleOrNil(4)
        )
    }
}
