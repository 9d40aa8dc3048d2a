import Archiver
import Foundation
import JobQueue
import Postgres
import Synchronization

/// What `/metrics` shows: of the ledger, the same on every host, and of the parts that this process has tried.
final class Metrics: Sendable {
    /// Bounds of durations, in seconds: of a part from a thumbnail's to a long film's, of a run up to a first import's.
    static let partBounds: [Double] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200]
    static let runBounds: [Double] = [10, 60, 300, 1800, 3600, 14_400, 43_200, 86_400, 259_200, 604_800]

    private struct Series: Hashable {
        let kind: PartKind
        let isStored: Bool
    }

    private let parts = Mutex<[Series: Histogram]>([:])
    private let ledger: Snapshot<LedgerNumbers>

    init(database: Database, source: Int64, isScheduled: Bool) {
        // However often it is asked, also by somebody who should not: one look in five seconds.
        ledger = Snapshot(lives: .seconds(5), rest: 20) {
            try await LedgerNumbers(database, source: source, isScheduled: isScheduled)
        }
    }

    /// A part was tried.
    func note(_ time: PartTime) {
        let series = Series(kind: time.kind, isStored: time.isStored)
        parts.withLock {
            $0[series, default: Histogram(bounds: Self.partBounds)].note(time.duration / .seconds(1))
        }
    }

    /// - Throws: `PostgresError` if the database does not answer.
    func text() async throws -> String {
        var text = MetricsText()
        text.gauge("coldroll_build_info", "Version of this process.", [([("version", coldrollVersion)], 1)])
        try await ledger.value().write(to: &text)
        let series = parts.withLock { $0 }.sorted {
            ($0.key.kind.rawValue, $0.key.isStored ? 0 : 1) < ($1.key.kind.rawValue, $1.key.isStored ? 0 : 1)
        }
        text.histogram(
            "coldroll_part_duration_seconds",
            "Tries of parts by this process that stored them or failed: from the first request to the end.",
            series.map {
                ([("kind", $0.key.kind.rawValue), ("result", $0.key.isStored ? "stored" : "failed")], $0.value)
            }
        )
        return text.text
    }
}
