import Postgres

/// Whether this is the ledger, or what is left of one that lives elsewhere.
package struct LedgerStanding: Sendable, Equatable {
    package enum State: String, Sendable {
        /// This is the ledger.
        case here
        /// It was moved; what stands here is what it was then.
        case moved
        /// A copy whose move has not ended: not the ledger yet.
        case arriving
    }

    /// uuid text, the same wherever the ledger is moved.
    package let id: String
    package let state: State
    /// Where it went, or comes from, for a person; nil while it is here.
    package let elsewhere: String?
    /// Number of the move, uuid text.
    package let move: String?
    /// Day and minute, UTC.
    package let since: String?

    init(_ row: Row) throws(PostgresError) {
        id = try row.text(0)
        let word = try row.text(1)
        guard let state = State(rawValue: word) else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "the ledger's standing is unknown to this program",
                statement: MoveStatements.standing.name
            )
        }
        self.state = state
        elsewhere = row.textOrNil(2)
        move = row.textOrNil(3)
        since = row.textOrNil(4)
    }

    /// Why nobody may go on with it; nil while it is here.
    package var refusal: LedgerError? {
        switch state {
        case .here: nil
        case .moved:
            LedgerError(
                code: .elsewhere,
                message: "This ledger was moved to \(elsewhere ?? "another database") on \(since ?? "an unknown day")."
                    + " Set COLDROLL_DATABASE_URL to where it is now; only where that is a private PostgreSQL, leave it out."
                    + " Nothing was changed here."
            )
        case .arriving:
            LedgerError(
                code: .elsewhere,
                message:
                    "This is the copy of a ledger whose move from \(elsewhere ?? "another database") has not ended."
                    + " Repeat the same 'coldroll move' with the settings of that ledger; until it ends, that one may be"
                    + " used on. If that one is lost for good, see 'coldroll reclaim'. Nothing was changed here."
            )
        }
    }
}

extension Ledger {
    /// Throws `.elsewhere`, with the place, unless this is the ledger itself; its schema must be this binary's.
    package func checkStanding() async throws {
        let standing = try LedgerStanding(try await pool.only(MoveStatements.standing, []))
        if let refusal = standing.refusal { throw refusal }
    }
}
