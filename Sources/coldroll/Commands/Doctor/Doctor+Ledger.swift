import Archiver
import CloudStorage

extension Doctor {
    /// Whether the ledger is the one that filled the archive, as every scan, worker and run asks before it begins.
    func belonging(_ database: Database?) async throws -> [Diagnosis] {
        guard let database else {
            return [
                .skipped(.ledger, "Not compared with the archive: the database and both stores must be right first.")
            ]
        }
        let stores = try session.openStores(http)
        switch try await lookAtOwnership(of: database.ledger, archive: stores.archive, state: stores.state) {
        case .known:
            return [.ok(.ledger, "The ledger is the one that filled the archive \(stores.archive.url).")]
        case .new, .unmarked:
            return [.ok(.ledger, "Neither the ledger nor the archive holds anything of coldroll's yet.")]
        }
    }
}
