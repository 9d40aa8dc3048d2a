import Postgres

/// Runs a statement that takes free names, again if another transaction took one of them in between.
///
/// The statement looks for free names in its snapshot; a name that was committed since violates `part_name_key`, an item
/// `item_identity`, and what the counts then say `scan_counts_agree`. The next try sees them. Four tries: each lost race
/// needs another page committed within the few milliseconds of this one.
func retryingNameRaces<R: Sendable>(
    _ body: () async throws(PostgresError) -> R
) async throws(PostgresError) -> R {
    var tries = 1
    while true {
        do {
            return try await body()
        } catch {
            guard tries < 4, error.isLostRace else { throw error }
            tries += 1
        }
    }
}

extension PostgresError {
    /// Whether a name or an item was there already, by another transaction that came first.
    var isLostRace: Bool {
        switch code {
        case .server(sqlState: "23505"):
            constraint == "part_name_key" || constraint == "item_identity" || constraint == "part_of_item"
        case .server(sqlState: "40001"), .server(sqlState: "40P01"): true
        default: false
        }
    }
}
