package import Postgres

/// Makes what refuses to be used the ledger again, where the other side of its move is lost: `coldroll reclaim`.
///
/// The way back from a move whose target died, and from one whose source died before it ended. Whether the other side is
/// really lost nobody but a person can know, who says so by its name. Should it go on all the same, the marker in the state
/// store stops whichever of the two knows less.
package struct LedgerReclaim: Sendable {
    /// What this one is now.
    package let standing: LedgerStanding
    private let connection: Connection

    /// - Parameter connection: to the database that refuses.
    /// - Throws: `LedgerError.schema` where there is no ledger, or one of a newer version; `.target` where it is here.
    package init(_ connection: Connection) async throws {
        let versions = try await appliedVersions { statement throws(PostgresError) in
            try await connection.run(statement)
        }
        guard !versions.isEmpty else {
            throw LedgerError(code: .schema, message: "There is no ledger here that could be reclaimed.")
        }
        try refuseNewer(versions)
        standing = try await LedgerMove.standing(connection)
        self.connection = connection
        guard standing.state != .here else {
            throw LedgerError(code: .target, message: "This is the ledger already: nothing to reclaim.")
        }
    }

    /// What a person must know before; ends with the command line.
    package var question: String {
        let place = standing.elsewhere ?? "", day = standing.since ?? "an unknown day"
        let story =
            standing.state == .moved
            ? "This ledger was moved to \(place) on \(day). What was found, stored and decided there since is not known"
                + " here. "
            : "This is the copy of a ledger in \(place) as it was on \(day); its move has not ended, so that one may have"
                + " gone on since. "
        return story
            + "Only if that one is lost for good, has no backup, and no worker uses it any more: stop whatever might, and"
            + " say so with its name: `coldroll reclaim --lost '\(place.replacing("'", with: #"'\''"#))'`."
            + " Nothing was changed."
    }

    /// Does it.
    ///
    /// - Parameter place: the other side, as `standing` names it.
    /// - Throws: `LedgerError.target` where the name is another one; `PostgresError`.
    package func run(lost place: String) async throws {
        try await connection.begin()
        _ = try await connection.run(MoveStatements.patience)
        guard try await connection.run(MoveStatements.reclaim, [.text(place)]).count == 1 else {
            throw LedgerError(code: .target, message: "--lost does not name the other side. \(question)")
        }
        _ = try await connection.run(MoveStatements.unseal)
        try await connection.commit()
    }
}
