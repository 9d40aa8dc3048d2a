import Postgres

/// The second and the third commit, and what a repeat does where they were broken off.
extension LedgerMove {
    /// Makes the copy the ledger, unless the source has become it again.
    ///
    /// In a task of its own: Ctrl-C now would leave two that refuse, and what is left takes no time.
    func arrive(_ from: Connection, _ to: Connection, _ move: String) async throws {
        try await Task {
            for connection in [from, to] {
                try await connection.begin()
                _ = try await connection.run(MoveStatements.patience)
            }
            try await mark(from, MoveStatements.holdSource, [.text(move)])
            try await mark(to, MoveStatements.arrive, [.text(move)])
            _ = try await to.run(MoveStatements.unseal)
            try await to.commit()
            try? await from.commit()
        }.value
    }

    /// Says of whatever goes wrong while the copy is whole what a person does then.
    func halfway(_ place: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            throw LedgerError(
                code: .halfway,
                message:
                    "The copy in \(place) is whole, but the move was broken off in its last step (\(error)). Repeat the"
                    + " same command with the same settings: it ends the move."
            )
        }
    }

    /// The source is marked: its copy is the ledger, or will be by this.
    func end(
        _ standing: LedgerStanding,
        _ from: Connection,
        _ to: Connection,
        _ place: String
    ) async throws -> Result {
        if try await isThere(to) {
            let there = try await Self.standing(to)
            if there.id == standing.id, there.state == .here { return .wasThere }
            if there.id == standing.id, there.state == .arriving, let move = standing.move, there.move == move {
                try await halfway(place) { try await arrive(from, to, move) }
                return .ended
            }
        }
        let elsewhere = standing.elsewhere ?? "another database"
        throw LedgerError(
            code: .elsewhere,
            message:
                "This ledger was moved to \(elsewhere) on \(standing.since ?? "an unknown day"), and \(place) does not"
                + " hold it. Set COLDROLL_DATABASE_URL to where it is now. If it is lost for good, restore a backup of it;"
                + " if there is none, 'coldroll reclaim' makes this one the ledger again. Nothing was changed."
        )
    }
}
