package import Postgres

extension Ledger {
    /// An object that the archive must hold, as the bucket answered when it was stored.
    package struct Witness: Sendable, Equatable {
        package let name: String
        package let size: Int64
        package let crc32c: UInt32
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
