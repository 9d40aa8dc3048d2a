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
/// killed before that, the source is as it was. Each commit is on the disk before the next one (`MoveStatements.patience`).
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

    /// Does it, or ends one that was broken off; safe to repeat.
    ///
    /// - Throws: `LedgerError` with what is in the way, `.halfway` where the copy is whole and the same call ends the move;
    ///   `PostgresError`.
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
        // Before the version: an older schema does not keep a move from being ended.
        if try await isThere(from) {
            let standing = try await Self.standing(from)
            if standing.state == .moved { return try await end(standing, from, to, toPlace) }
        }
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
        // Not earlier: whoever held the lock may have moved it.
        let standing = try await Self.standing(from)
        if let refusal = standing.refusal { throw refusal }
        try await checkNobodyWorks(from)

        let move = UUID().uuidString.lowercased()
        try await prepare(to, toPlace, standing.id)
        let sums = try await copy(tables, from, to, Origin(id: standing.id, move: move, from: fromPlace, to: toPlace))

        try await mark(from, MoveStatements.markSource, [.text(move), .text(toPlace)])
        _ = try await from.run(MoveStatements.seal)
        try await halfway(toPlace) {
            try await from.commit()
            try await arrive(from, to, move)
        }
        return .moved(rows: sums.rows)
    }

    // MARK: Before

    func place(_ side: Side, _ connection: Connection) async throws(PostgresError) -> String {
        if let place = side.place { return place }
        return try await connection.place
    }

    func isThere(_ connection: Connection) async throws(PostgresError) -> Bool {
        guard let row = try await connection.run(MoveStatements.exists).first else { return false }
        return try row.boolean(0)
    }

    private func checkVersion(_ connection: Connection) async throws {
        let versions = try await appliedVersions { statement throws(PostgresError) in
            try await connection.run(statement)
        }
        try checkIsCurrent(versions)
    }

    static func standing(_ connection: Connection) async throws(PostgresError) -> LedgerStanding {
        guard let row = try await connection.run(MoveStatements.standing).first else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "the ledger has lost its own row",
                statement: MoveStatements.standing.name
            )
        }
        return try LedgerStanding(row)
    }

    func lock(
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
                message:
                    "Somebody uses \(place) and did not end within a minute: a worker, another move, or a transaction"
                    + " that was left open. End it and repeat; nothing was changed."
            )
        }
    }

    /// Changes the ledger's own row, which must stand as the statement expects.
    func mark(_ connection: Connection, _ statement: Statement, _ values: [PostgresValue]) async throws {
        let rows: [Row]
        do {
            rows = try await connection.run(statement, values)
        } catch {
            guard error.code == .server(sqlState: "55P03") else { throw error }
            throw LedgerError(
                code: .busy,
                message:
                    "Somebody holds the ledger's row in \(try await connection.place) in a transaction that did not end"
                    + " within a minute. End it and repeat the same command; until then the old ledger goes on."
            )
        }
        guard rows.count == 1 else {
            throw LedgerError(
                code: .busy,
                message: "Somebody else changed where \(try await connection.place) stands meanwhile, another move"
                    + " perhaps. Repeat the same command: it looks anew."
            )
        }
    }

    private func checkNobodyWorks(_ from: Connection) async throws {
        guard let workers = try await from.whoWorks(silence: silence) else { return }
        throw LedgerError(
            code: .busy,
            message: "Somebody works on this ledger: \(workers) Nothing was changed."
        )
    }
}

extension Connection {
    /// Who works on the ledger at the other end.
    ///
    /// - Parameter silence: after which a worker counts as dead.
    /// - Returns: who, and what to do about it, to go on a sentence; nil: nobody.
    /// - Throws: `PostgresError`.
    func whoWorks(silence: Duration) async throws(PostgresError) -> String? {
        let alive = try run(MoveStatements.alive, [.double(silence.seconds), .double(Ledger.scanSilence)])
            .map { row throws(PostgresError) in try row.text(0) }
        guard !alive.isEmpty else { return nil }
        let many =
            alive.count > 3
            ? "\(alive.prefix(3).joined(separator: "; ")) and \(alive.count - 3) more"
            : alive.joined(separator: "; ")
        return "\(many). Stop them with Ctrl-C or SIGTERM and repeat. One that was killed counts for"
            + " \(Int(silence.seconds)) s after its last sign of life."
    }
}
