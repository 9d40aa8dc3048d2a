package import Postgres

extension Ledger {
    /// An object that the archive must hold, as the bucket answered when it was stored.
    package struct Witness: Sendable, Equatable {
        package let name: String
        package let size: Int64
        package let crc32c: UInt32
    }

    /// An item to ask a service for when it is in doubt.
    package struct NeutralItem: Sendable, Equatable {
        package let sourceItem: String
        package let kind: PartKind
        /// Whether its part was fetched and stored before.
        package let isStored: Bool
    }

    /// Of each kind up to three items whose parts are stored, and up to three whose parts are not; others each time.
    package func neutralItems(kind: String, account: String) async throws(PostgresError) -> [NeutralItem] {
        var items: [NeutralItem] = []
        for row in try await pool.run(LedgerStatements.neutral, [.text(kind), .text(account)]) {
            guard let part = PartKind(rawValue: try row.text(1)) else { continue }
            items.append(
                NeutralItem(sourceItem: try row.text(0), kind: part, isStored: try row.boolean(2))
            )
        }
        return items
    }

    /// One or two stored objects to look for in the archive before a run relies on it; empty for an empty ledger.
    package func witnesses() async throws(PostgresError) -> [Witness] {
        var witnesses: [Witness] = []
        for row in try await pool.run(LedgerStatements.witnesses) {
            let crc32c = UInt32(truncatingIfNeeded: try row.integer(2))
            witnesses.append(Witness(name: try row.text(0), size: try row.integer(1), crc32c: crc32c))
        }
        return witnesses
    }
}
