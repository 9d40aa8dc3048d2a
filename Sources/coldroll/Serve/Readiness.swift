import JobQueue
import Logging
import Synchronization

/// Whether the database answers and its schema fits, looked at every two seconds at most.
///
/// Anybody may ask, so the answer is one of a few sentences; what the database or the way to it said is in the log, once for as
/// long as it stays the same.
final class Readiness: Sendable {
    private let snapshot: Snapshot<String?>

    static let away = "The database does not answer."
    static let foreign = "The database's schema does not fit this program: the log says more."

    init(_ ledger: Ledger, _ logger: Logger) {
        let told = Told(logger)
        snapshot = Snapshot(lives: .seconds(2), rest: 0) {
            do {
                try await ledger.checkSchema()
                told.tell(nil)
                return nil
            } catch {
                told.tell(sentence(of: error))
                return error is LedgerError ? Self.foreign : Self.away
            }
        }
    }

    /// What is wrong; nil if nothing is.
    func fault() async -> String? {
        do { return try await snapshot.value() } catch { return Self.away }
    }

    /// What the log was told last.
    private final class Told: Sendable {
        private let logger: Logger
        private let latest = Mutex<String?>(nil)

        init(_ logger: Logger) { self.logger = logger }

        func tell(_ words: String?) {
            let isNews = latest.withLock { latest in
                defer { latest = words }
                return latest != words
            }
            guard isNews, let words else { return }
            logger.log(.warning, "not ready", ["error": .string(words)])
        }
    }
}
