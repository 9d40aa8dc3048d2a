import Postgres

/// The first of the three commits: a whole copy that is not the ledger yet.
extension LedgerMove {
    /// Bytes of rows that are handed over together.
    private static let chunk = 256 << 10

    /// What the copy is of.
    struct Origin {
        let id: String, move: String, from: String, to: String
    }

    /// Makes the schema where there is none, refuses a database that has something to lose.
    func prepare(_ to: Connection, _ place: String, _ id: String) async throws {
        if try await isThere(to) {
            try await checkIsFree(to, place, id)
            let versions = try await appliedVersions { statement throws(PostgresError) in
                try await to.run(statement)
            }
            try refuseNewer(versions)
        }
        _ = try await Migrator(conninfo: target.conninfo, silence: silence).migrate()
    }

    private func checkIsFree(_ to: Connection, _ place: String, _ id: String) async throws {
        let standing = try await Self.standing(to)
        let isUsed = try await to.run(MoveStatements.isUsed).first?.boolean(0) ?? true
        let remedy =
            " Name an empty database; or, if nobody needs what is there, remove it for good with"
            + " 'DROP SCHEMA coldroll CASCADE' in psql, and repeat. Nothing was changed."
        switch standing.state {
        // What this very ledger was before it moved here, or a copy that was broken off: this one knows more.
        case .moved where standing.id == id, .arriving where standing.id == id: return
        case .here where !isUsed: return
        case .here:
            throw LedgerError(
                code: .target,
                message: "There is a ledger in \(place) already"
                    + (standing.id == id
                        ? ", a copy of this one that somebody may have gone on with." : ", another one.")
                    + remedy
            )
        case .moved, .arriving:
            throw LedgerError(
                code: .target,
                message: "There is what is left of another ledger in \(place), which "
                    + (standing.state == .moved ? "was moved to" : "was to come from")
                    + " \(standing.elsewhere ?? "elsewhere")." + remedy
            )
        }
    }

    /// Everything in one transaction: whole, compared, or not at all.
    func copy(
        _ tables: [LedgerTable],
        _ from: Connection,
        _ to: Connection,
        _ origin: Origin
    ) async throws -> LedgerSums {
        try await to.begin()
        _ = try await to.run(MoveStatements.patience)
        let mine = try await to.run(MoveStatements.tables).map(LedgerTable.init)
        guard mine == tables else {
            throw LedgerError(
                code: .schema,
                message: "The tables of the two databases are not the same, although both have this coldroll's schema:"
                    + " somebody changed one by hand. Nothing was changed."
            )
        }
        try await lock(tables, to, "ACCESS EXCLUSIVE", place: origin.to)
        // Again, now that nobody can write: it was looked at before the schema was made.
        try await checkIsFree(to, origin.to, origin.id)
        for table in tables {
            _ = try await to.run(Statement("move.still", "ALTER TABLE \(table.reference) DISABLE TRIGGER USER"))
        }
        let all = tables.map(\.reference).joined(separator: ", ")
        _ = try await to.run(Statement("move.empty", "TRUNCATE \(all)"))
        for table in tables {
            try await copy(table, from, to)
        }
        for (name, last, isCalled) in try await LedgerSequences.read(from) {
            _ = try await to.run(MoveStatements.setSequence, [.text(name), .integer(last), .boolean(isCalled)])
        }
        for table in tables {
            _ = try await to.run(Statement("move.alert", "ALTER TABLE \(table.reference) ENABLE TRIGGER USER"))
        }
        tell("Comparing both sides, row by row.")
        async let sent = LedgerSums.read(from)
        let received = try await LedgerSums.read(to), sums = try await sent
        if let difference = sums.difference(from: received) {
            throw LedgerError(
                code: .target,
                message: "The copy is not what was sent (\(difference)), so it was not kept. Nothing was changed; if it"
                    + " happens again, one of the two servers is to be mistrusted."
            )
        }
        _ = try await to.run(Statement("move.analyze", "ANALYZE \(all)"))
        try await mark(to, MoveStatements.markCopy, [.text(origin.move), .text(origin.from)])
        _ = try await to.run(MoveStatements.seal)
        try await to.commit()
        return sums
    }

    private func copy(_ table: LedgerTable, _ from: Connection, _ to: Connection) async throws(PostgresError) {
        try await from.copyOut(table.copyOut)
        try await to.copyIn(table.copyIn)
        while true {
            let (rows, isLast) = try await from.copiedOut(Self.chunk, of: table.copyOut)
            if !rows.isEmpty { try await to.copyIn(rows, of: table.copyIn) }
            if isLast { break }
        }
        try await to.endCopyIn(table.copyIn)
    }
}
