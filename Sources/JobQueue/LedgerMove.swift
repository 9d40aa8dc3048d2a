import Foundation
import Postgres
import Schema

/// Carries a ledger from one database to another: `coldroll move`.
///
/// Three commits, in this order, so that at any instant exactly one side can be worked on, and a repeat goes on:
///
/// 1. the target is a whole copy that was compared with the source, row by row, but says that it is *arriving*;
/// 2. the source says that it is *moved*, and refuses writes;
/// 3. the target is the ledger.
///
/// Until the second one the source's tables are locked against writes by an open transaction, which ends with the process:
/// killed before that, the source is as it was.
package struct LedgerMove: Sendable {
    /// What `run` did.
    package enum Result: Sendable {
        /// Carried over now; the rows of each table.
        case moved(rows: [String: Int64])
        /// An earlier move had been broken off after the source was marked: it was ended.
        case ended
        /// It was there already, and here it says so.
        case wasThere
    }

    /// One side.
    package struct Side: Sendable {
        /// libpq conninfo, past a pooler where there is one; holds a password, so never printed.
        let conninfo: String
        /// For a person, and for the other side's row; nil: as the connection says it.
        let place: String?

        package init(conninfo: String, place: String?) {
            (self.conninfo, self.place) = (conninfo, place)
        }
    }

    let source: Side
    let target: Side
    /// Silence after which a worker is no reason to wait for it.
    let silence: Duration
    /// Called now and then with a sentence.
    let tell: @Sendable (String) -> Void

    package init(
        from source: Side,
        to target: Side,
        silence: Duration,
        tell: @escaping @Sendable (String) -> Void
    ) {
        (self.source, self.target, self.silence, self.tell) = (source, target, silence, tell)
    }

    /// Bytes of rows that are handed over together.
    private static let chunk = 256 << 10

    /// Does it, or ends one that was broken off; safe to repeat.
    ///
    /// - Throws: `LedgerError` with what is in the way; `PostgresError`.
    package func run() async throws -> Result {
        let from = try await Connection.connect(source.conninfo, applicationName: "coldroll move")
        do {
            let to = try await Connection.connect(target.conninfo, applicationName: "coldroll move")
            do {
                let result = try await run(from, to)
                await to.close()
                await from.close()
                return result
            } catch {
                await to.close()
                throw error
            }
        } catch {
            await from.close()
            throw error
        }
    }

    private func run(_ from: Connection, _ to: Connection) async throws -> Result {
        let fromPlace = try await place(source, from), toPlace = try await place(target, to)
        // Before its version is looked at: a move that was broken off is ended whatever came since.
        let first = try await Self.standing(from)
        if first.state == .moved { return try await end(first, to, toPlace) }
        try await checkVersion(from)

        try await from.begin()
        _ = try await from.run(MoveStatements.patience)
        let flag = Int64.random(in: 1...Int64.max)
        _ = try await from.run(MoveStatements.flag, [.integer(flag)])
        if let row = try await to.run(MoveStatements.seesFlag, [.integer(flag)]).first, try row.boolean(0) {
            throw LedgerError(code: .target, message: "The ledger is in \(toPlace) already: nothing to move.")
        }
        let tables = try await from.run(MoveStatements.tables).map(LedgerTable.init)
        try await lock(tables, from, "SHARE ROW EXCLUSIVE", place: fromPlace)
        // Now that nobody else can move it: another move may have been waited for.
        let standing = try await Self.standing(from)
        if let refusal = standing.refusal { throw refusal }
        try await checkNobodyWorks(from)

        let move = UUID().uuidString.lowercased()
        let origin = Origin(id: standing.id, move: move, from: fromPlace, to: toPlace)
        var wasUnsealed = false
        let sums: LedgerSums
        do {
            wasUnsealed = try await prepare(to, toPlace, standing.id)
            sums = try await copy(tables, from, to, origin)
        } catch {
            if wasUnsealed { await sealAgain() }
            throw error
        }

        try await mark(from, MoveStatements.markSource, [.text(move), .text(toPlace)])
        _ = try await from.run(MoveStatements.seal)
        // From here on it is not stopped in the middle: in between nobody could use the ledger.
        try await Task {
            try await from.commit()
            try await arrive(to, move)
        }.result.mapError(Self.halfway).get()
        return .moved(rows: sums.rows)
    }

    /// One row, or nothing is committed.
    private func mark(
        _ connection: Connection,
        _ statement: Statement,
        _ values: [PostgresValue]
    ) async throws(PostgresError) {
        guard try await connection.run(statement, values).count == 1 else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "the ledger's own row is not as it was a moment ago",
                statement: statement.name
            )
        }
    }

    /// The copy is whole, and whether the source is marked is not known.
    private static func halfway(_ error: any Error) -> any Error {
        LedgerError(
            code: .busy,
            message:
                "The copy is whole, but the move has not ended: \(error). Repeat the same command with the same settings:"
                + " it ends the move, or makes it anew. Until then the ledger may be refused on both sides; nothing is lost."
        )
    }

    // MARK: Before

    private func place(_ side: Side, _ connection: Connection) async throws(PostgresError) -> String {
        if let place = side.place { return place }
        return try await connection.place
    }

    private func checkVersion(_ connection: Connection) async throws {
        let versions = try await appliedVersions { statement throws(PostgresError) in
            try await connection.run(statement)
        }
        try checkIsCurrent(versions)
    }

    private static func standing(_ connection: Connection) async throws(PostgresError) -> LedgerStanding {
        guard let row = try await connection.run(MoveStatements.standing).first else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "the ledger has lost its own row",
                statement: MoveStatements.standing.name
            )
        }
        return try LedgerStanding(row)
    }

    private func lock(
        _ tables: [LedgerTable],
        _ connection: Connection,
        _ mode: String,
        place: String
    ) async throws {
        let names = tables.map(\.reference).joined(separator: ", ")
        do {
            _ = try await connection.run(Statement("move.lock", "LOCK TABLE \(names) IN \(mode) MODE"))
        } catch {
            // lock_not_available
            guard error.code == .server(sqlState: "55P03") else { throw error }
            throw LedgerError(
                code: .busy,
                message: "Somebody uses \(place) and did not end within 15 s: a worker, another move, or a transaction"
                    + " that was left open. End it and repeat; nothing was changed."
            )
        }
    }

    private func checkNobodyWorks(_ from: Connection) async throws {
        let alive = try await from.run(
            MoveStatements.alive,
            [.double(silence.seconds), .double(Ledger.scanSilence)]
        ).map { row throws(PostgresError) in try row.text(0) }
        guard !alive.isEmpty else { return }
        let many =
            alive.count > 3
            ? "\(alive.prefix(3).joined(separator: "; ")) and \(alive.count - 3) more"
            : alive.joined(separator: "; ")
        throw LedgerError(
            code: .busy,
            message: "Somebody works on this ledger: \(many). Stop them with Ctrl-C or SIGTERM and repeat. One that was"
                + " killed counts for \(Int(silence.seconds)) s after its last sign of life. Nothing was changed."
        )
    }

    // MARK: The copy

    /// What the copy is of.
    private struct Origin {
        let id: String, move: String, from: String, to: String
    }

    /// Makes the schema where there is none, refuses a database that has something to lose.
    ///
    /// - Returns: whether what stands there may be written now, which a move that fails must undo.
    private func prepare(_ to: Connection, _ place: String, _ id: String) async throws -> Bool {
        var isUnsealed = false
        if try await isThere(to) {
            try await checkIsFree(to, place, id)
            let versions = try await appliedVersions { statement throws(PostgresError) in
                try await to.run(statement)
            }
            try refuseNewer(versions)
            // A migration may have to write what the seal keeps.
            if versions.count < Migration.all.count, try await Self.standing(to).state != .here {
                _ = try await to.run(MoveStatements.unseal)
                isUnsealed = true
            }
        }
        do {
            _ = try await Migrator(conninfo: target.conninfo).migrate()
        } catch {
            if isUnsealed { await sealAgain() }
            throw error
        }
        return isUnsealed
    }

    /// A connection of its own, since the target's may be in a transaction that failed.
    private func sealAgain() async {
        guard let connection = try? await Connection.connect(target.conninfo, applicationName: "coldroll move") else {
            return
        }
        _ = try? await connection.run(MoveStatements.seal)
        await connection.close()
    }

    private func isThere(_ to: Connection) async throws(PostgresError) -> Bool {
        guard let row = try await to.run(MoveStatements.exists).first else { return false }
        return try row.boolean(0)
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
    private func copy(
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

    // MARK: After

    private func arrive(_ to: Connection, _ move: String) async throws(PostgresError) {
        try await to.begin()
        _ = try await to.run(MoveStatements.patience)
        _ = try await to.run(MoveStatements.arrive, [.text(move)])
        _ = try await to.run(MoveStatements.unseal)
        try await to.commit()
    }

    /// The source is marked: its copy is the ledger, or will be by this.
    private func end(_ standing: LedgerStanding, _ to: Connection, _ place: String) async throws -> Result {
        if try await isThere(to) {
            let there = try await Self.standing(to)
            if there.id == standing.id, there.state == .here { return .wasThere }
            if there.id == standing.id, there.state == .arriving, let move = standing.move, there.move == move {
                try await Task { try await arrive(to, move) }.result.mapError(Self.halfway).get()
                return .ended
            }
            if there.id == standing.id, let refusal = standing.refusal { throw refusal }
        }
        throw LedgerError(
            code: .elsewhere,
            message: "This ledger was moved to \(standing.elsewhere ?? "another database") on"
                + " \(standing.since ?? "an unknown day"), and it is not in \(place). If you moved it elsewhere, name that."
                + " If what it was moved to is lost for good, README.md says how to bring this one back ('If the new place is"
                + " lost'). Nothing was changed."
        )
    }
}
