package import Postgres

extension Ledger {
    /// Silence after which the process that scans counts as gone, in seconds.
    static let scanSilence = 30.0

    /// Opens a scan, or goes on with the open one of the same range whose process is gone (lease not renewed for 30 s).
    ///
    /// Throws `.scanBusy` while another process scans the source. An open scan of another range whose process is gone
    /// is ended as failed.
    ///
    /// `since` and `until` are the first and the last day, in any form that is the same for the same range; both nil: a
    /// full scan, unless the source is a picker, which lists what was picked. A connection that is lost here is replaced once: what its transaction did is found by the lease.
    package func openScan(source: Int64, since: String?, until: String?) async throws -> ScanTicket {
        // Random, not from the sequence: after a failover to an asynchronous replica that one may repeat, and a scan has
        // no worker's number to be compared besides.
        let lease = Int64.random(in: 1...Int64.max)
        switch try await openTwice(source, since, until, lease) {
        case .opened(let ticket):
            return ticket
        case .busy(let seconds):
            throw LedgerError(
                code: .scanBusy,
                message: "Another process scans this source (last sign of life \(Int(seconds)) s ago)."
                    + " Wait for it; if it was killed, its scan can be taken over after \(Int(Self.scanSilence)) s."
            )
        }
    }

    private func openTwice(
        _ source: Int64,
        _ since: String?,
        _ until: String?,
        _ lease: Int64
    ) async throws(PostgresError) -> Opening {
        do {
            return try await open(source, since, until, lease)
        } catch {
            guard error.code == .connectionLost else { throw error }
            return try await open(source, since, until, lease)
        }
    }

    private func open(
        _ source: Int64,
        _ since: String?,
        _ until: String?,
        _ lease: Int64
    ) async throws(PostgresError) -> Opening {
        try await pool.with { (connection: Connection) async throws(PostgresError) in
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                try Self.open(connection, source: source, since: since, until: until, lease: lease)
            }
        }
    }

    private enum Opening: Sendable {
        case opened(ScanTicket)
        case busy(seconds: Double)
    }

    private static func open(
        _ connection: isolated Connection,
        source: Int64,
        since: String?,
        until: String?,
        lease: Int64
    ) throws(PostgresError) -> Opening {
        let isWhole = try connection.run(ScanStatements.lockSource, [.integer(source)]).first?.boolean(0) ?? true
        let isFull = isWhole && since == nil && until == nil
        let found = try connection.run(
            ScanStatements.open,
            [.integer(source), .double(scanSilence), .text(since), .text(until), .integer(lease)]
        ).first
        var answer: [Row] = []
        var resumed = false
        if let found {
            if try found.boolean(4) {
                return .opened(
                    ScanTicket(
                        id: try found.integer(0),
                        source: source,
                        lease: lease,
                        pageToken: found.textOrNil(6),
                        resumed: try found.integer(8) > 0,
                        isFull: isFull,
                        startedAt: try found.text(7),
                        pages: try found.integer(8)
                    )
                )
            }
            guard try found.boolean(1) else { return .busy(seconds: try found.double(2)) }
            let id = try found.integer(0)
            if try found.boolean(3) {
                answer = try connection.run(ScanStatements.takeOver, [.integer(id), .integer(lease)])
                resumed = true
            } else {
                _ = try connection.run(ScanStatements.abandon, [.integer(id)])
            }
        }
        if !resumed {
            answer = try connection.run(
                ScanStatements.begin,
                [.integer(source), .text(since), .text(until), .integer(lease)]
            )
        }
        guard let row = answer.first else {
            throw PostgresError(code: .unexpectedAnswer, message: "no scan was opened", statement: "scan.begin")
        }
        return .opened(
            ScanTicket(
                id: try row.integer(0),
                source: source,
                lease: try row.integer(1),
                pageToken: row.textOrNil(2),
                resumed: resumed,
                isFull: isFull,
                startedAt: try row.text(3),
                pages: try row.integer(4)
            )
        )
    }

    /// Keeps the lease while a page takes long.
    package func renew(_ scan: ScanTicket) async throws {
        try await held(scan, ScanStatements.renew)
    }

    /// Forgets the page token (it expired) and what was seen: the pass starts over, known items are known.
    package func restart(_ scan: ScanTicket) async throws {
        try await held(scan, ScanStatements.restart)
    }

    /// Where to go on after `.scanRewound`: the token of the page behind the last one that is still recorded.
    package func rewind(_ scan: ScanTicket) async throws -> String? {
        guard let place = try await place(of: scan) else { throw scan.lost }
        // The pass begins anew, and meets its unreadable entries again.
        if place.token == nil { try await restart(scan) }
        scan.position.pages = place.pages
        return place.token
    }

    /// Why nothing was written.
    func rewoundOrLost(_ scan: ScanTicket) async throws -> LedgerError {
        guard let place = try await place(of: scan), place.pages != scan.position.pages else { return scan.lost }
        return LedgerError(
            code: .scanRewound,
            message:
                "The database knows \(place.pages) pages of scan \(scan.id), and had confirmed \(scan.position.pages): it"
                + " lost some, as a server does that dies, or a failover to a standby that was behind. They are listed again."
        )
    }

    private func place(of scan: ScanTicket) async throws -> (token: String?, pages: Int64)? {
        let found = try await pool.run(ScanStatements.position, [.integer(scan.id), .integer(scan.lease)]).first
        guard let found else { return nil }
        return (found.textOrNil(0), try found.integer(1))
    }

    /// Leaves the scan open for whoever comes next, who need not wait: for a process that stops in the middle.
    package func letGo(_ scan: ScanTicket) async throws {
        try await held(scan, ScanStatements.letGo)
    }

    /// Entries without an id that a scan has met so far, by `UnreadEntry.identity`, and how many of each are kept.
    package func unread(_ scan: ScanTicket) async throws(PostgresError) -> [String: Int64] {
        var known: [String: Int64] = [:]
        for row in try await pool.run(ScanStatements.unread, [.integer(scan.id)]) {
            known[try row.text(0)] = try row.integer(1)
        }
        return known
    }

    /// Pages that came without any entry, in the order in which they came, whichever process listed them.
    package func emptyPages(_ scan: ScanTicket) async throws(PostgresError) -> [EmptyPage] {
        var pages: [EmptyPage] = []
        for row in try await pool.run(EmptyPageStatements.all, [.integer(scan.id)]) {
            pages.append(EmptyPage(id: try row.integer(0), token: row.textOrNil(1), isBelieved: try row.boolean(2)))
        }
        return pages
    }

    /// Remembers a page that came without any entry when it was looked at again; `record` does so by itself.
    ///
    /// - Throws: `LedgerError.scanLost`, `.scanRewound`; `PostgresError`.
    package func noteEmptyPage(_ token: String?, of scan: ScanTicket) async throws {
        try await atPage(scan, EmptyPageStatements.note, .text(token))
    }

    /// Notes that such a page was empty again when it was asked for later.
    ///
    /// - Throws: `LedgerError.scanLost`, `.scanRewound`; `PostgresError`.
    package func believe(_ page: EmptyPage, of scan: ScanTicket) async throws {
        try await atPage(scan, EmptyPageStatements.believe, .integer(page.id))
    }

    /// Forgets such a page: it had items when it was asked for again, and they are recorded.
    ///
    /// - Throws: `LedgerError.scanLost`, `.scanRewound`: it is not forgotten where they may be lost; `PostgresError`.
    package func filled(_ page: EmptyPage, of scan: ScanTicket) async throws {
        try await atPage(scan, EmptyPageStatements.fill, .integer(page.id))
    }

    /// Has the scan go on with a token: one that came with an empty page, which is noted already, or that of before a look at
    /// pages that were listed, which is over.
    ///
    /// - Throws: `LedgerError.scanLost`, `.scanRewound`; `PostgresError`.
    package func goOn(with token: String, of scan: ScanTicket) async throws {
        try await atPage(scan, EmptyPageStatements.goOn, .text(token))
    }

    private func atPage(_ scan: ScanTicket, _ statement: Statement, _ value: PostgresValue) async throws {
        let values: [PostgresValue] = [.integer(scan.id), .integer(scan.lease), .integer(scan.position.pages), value]
        guard try await !pool.run(statement, values).isEmpty else { throw try await rewoundOrLost(scan) }
    }

    /// Compares what a full scan saw so far, over all processes that took part in it, with what was known before it; `end` is
    /// what its last page was asked for with.
    package func comparison(_ scan: ScanTicket, end: String? = nil) async throws(PostgresError) -> ScanComparison {
        let row = try await pool.only(
            ScanStatements.comparison,
            [.integer(scan.id), .integer(scan.source), .text(end)]
        )
        return ScanComparison(
            expected: try row.integer(0),
            missing: try row.integer(1),
            olderThanAllSeen: try row.integer(2),
            returned: try row.integer(3),
            untold: try row.integer(4),
            untoldOlderThanAllSeen: try row.integer(5),
            hadMoreEmptyPages: try row.boolean(6)
        )
    }

    /// Ends the scan; `outcome` is `complete`, `suspicious`, or `failed`, with a reason for the latter two.
    ///
    /// Items that a full scan did not see are noted, and no longer expected once one that is complete did not see them.
    /// `missing` is what the comparison said, for the record; `accepted` is the owner's word that a full scan that is
    /// complete is to be taken with what it misses and could not read; `end` is what the last page was asked for with. Throws
    /// `.scanLost` and `.scanRewound`.
    package func finish(
        _ scan: ScanTicket,
        outcome: String,
        reason: String?,
        missing: Int64? = nil,
        accepted: Bool = false,
        end: String? = nil
    ) async throws -> ScanCounts {
        let rows = try await pool.run(
            ScanStatements.finish,
            [
                .integer(scan.id), .integer(scan.lease), .text(outcome), .text(reason), .integer(missing),
                .boolean(accepted), .integer(scan.position.pages), .text(end),
            ]
        )
        guard let row = rows.first else { throw try await rewoundOrLost(scan) }
        return try ScanCounts(row)
    }

    /// Takes back that a scan, by its key, is complete: the listing has more behind its end.
    ///
    /// It is failed from then on, so that there may be more until a later one is complete. What it took for deleted stays so
    /// until a scan sees it, and what its end had settled of earlier ones comes back with none but the next.
    package func disbelieve(_ scan: Int64, reason: String) async throws(PostgresError) {
        _ = try await pool.run(ScanStatements.disbelieve, [.integer(scan), .text(reason)])
    }

    /// What the last page of a scan, by its key, was asked for with (nil: it is the first one), and whether nothing was on it; nil
    /// unless the scan is complete.
    package func lastPage(_ scan: Int64) async throws(PostgresError) -> (token: String?, isEmpty: Bool)? {
        guard let row = try await pool.run(ScanStatements.lastPage, [.integer(scan)]).first else { return nil }
        return (row.textOrNil(0), try row.boolean(1))
    }

    /// Whether any of these ids of the source's own is of no item that the ledger has.
    package func hasUnknown(_ items: [String], source: Int64) async throws(PostgresError) -> Bool {
        try await pool.only(ScanStatements.hasUnknown, [.integer(source), .texts(items)]).boolean(0)
    }

    /// How many of these ids of the source's own the pass that is going on, over all processes that took part in it, has not seen.
    package func unseen(_ items: [String], by scan: ScanTicket) async throws(PostgresError) -> Int {
        let values: [PostgresValue] = [.integer(scan.id), .integer(scan.source), .texts(items)]
        return Int(try await pool.only(ScanStatements.unseen, values).integer(0))
    }

    /// Whether the pass that is going on, over all processes that took part in it, has seen any item.
    package func hasSeenItems(_ scan: ScanTicket) async throws(PostgresError) -> Bool {
        try await pool.only(ScanStatements.hasSeen, [.integer(scan.id)]).boolean(0)
    }

    /// Items of the source known before this scan began (for the suspicious-scan rule).
    package func knownItems(source: Int64) async throws(PostgresError) -> Int64 {
        try await pool.only(ScanStatements.knownItems, [.integer(source)]).integer(0)
    }

    /// Items of the source that a full scan should see: all that are known and not taken for deleted.
    package func expectedItems(source: Int64) async throws(PostgresError) -> Int64 {
        try await pool.only(ScanStatements.expectedItems, [.integer(source)]).integer(0)
    }

    private func held(_ scan: ScanTicket, _ statement: Statement) async throws {
        guard try await !pool.run(statement, [.integer(scan.id), .integer(scan.lease)]).isEmpty else { throw scan.lost }
    }
}

extension ScanCounts {
    init(_ row: Row) throws(PostgresError) {
        pages = try row.integer(0)
        seen = try row.integer(1)
        new = try row.integer(2)
        unreadable = try row.integer(3)
        items = try row.integerOrNil(4)
    }
}

extension ScanTicket {
    /// What is thrown where the lease is not this process's any more.
    var lost: LedgerError {
        LedgerError(
            code: .scanLost,
            message: "Another process has taken over scan \(id), since this one gave no sign of life for"
                + " \(Int(Ledger.scanSilence)) s. Nothing more is recorded here."
        )
    }
}
