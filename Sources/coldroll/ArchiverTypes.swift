import Archiver
import JobQueue
import Synchronization

extension WorkOptions {
    /// The same in the archiver's terms.
    var worker: WorkerOptions {
        var options = WorkerOptions()
        options.drain = drain
        options.maxWait = maxWait
        options.slots =
            switch slots {
            case .auto: .auto
            case .fixed(let count): .fixed(count)
            }
        options.motion =
            switch motion {
            case .auto: .auto
            case .always: .always
            case .never: .never
            }
        return options
    }
}

extension ScanProgress {
    init(_ progress: Archiver.ScanProgress) {
        self.init(pages: Int64(progress.pages), seen: Int64(progress.seen), new: Int64(progress.new))
    }
}

extension WorkerProgress {
    init(_ own: Archiver.WorkerProgress, _ totals: Totals) {
        self.init(
            stored: Int64(own.stored),
            storedBytes: own.storedBytes,
            failed: Int64(own.dead),
            live: totals.live,
            total: totals.found
        )
    }
}

/// The queue's sums as they were last asked for.
final class LatestTotals: Sendable {
    private let totals = Mutex(Totals())
    var value: Totals { totals.withLock { $0 } }
    func set(_ value: Totals) { totals.withLock { $0 = value } }
}
