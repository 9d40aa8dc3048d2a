import Archiver
import JobQueue
import Synchronization

extension WorkOptions {
    /// The same in the archiver's terms.
    var worker: WorkerOptions {
        var options = WorkerOptions()
        options.drain = drain
        options.maxWait = maxWait
        options.endsBy = maxRun.map { .now + $0 }
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
    init(_ own: Archiver.WorkerProgress, _ sums: QueueSums) {
        self.init(
            stored: Int64(own.stored),
            storedBytes: own.storedBytes,
            failed: Int64(own.dead),
            live: sums.totals.live,
            total: sums.totals.found,
            // What this process has in hand is newer than the sums.
            standstill: own.busy == 0 ? sums.standstill : nil,
            held: sums.held
        )
    }
}

/// What the whole queue holds, as it was last asked for.
struct QueueSums: Sendable {
    var totals = Totals()
    /// Why nothing moves on any host: an outage, a pause, tries that are due later; nil while work goes on, or none is left and
    /// nothing is away.
    var standstill: String?
    /// Lanes with parts in them that hand out nothing, so that there is no end in sight whatever moves.
    var waits: [LaneWait] = []

    /// What is held in those lanes, for how long; nil if nothing is.
    var held: String? {
        waits.isEmpty ? nil : waits.map { "\($0.subject) \($0.until)" }.joined(separator: ", ")
    }
}

extension QueueSums {
    /// - Throws: `PostgresError` when the database does not answer.
    init(_ archive: Archive) async throws {
        let queue = archive.database.queue
        totals = try await queue.tallies(sources: [archive.source])
        // Jobs that were claimed before a service went away are kept through its absence; and before the first page there are
        // none, while a listing waits for it.
        standstill = Verdict.sentences(try await queue.openBreakers(), of: archive.context.places).first
        guard totals.live > 0 else { return }
        let closed = try await queue.waiting(sources: [archive.source])
        waits = closed.filter { $0.parts > 0 }
        guard standstill == nil, totals.running == 0 else { return }
        standstill = (waits.first ?? closed.first).map { "\($0.subject) \($0.words)" } ?? scheduled
    }

    /// What failed, or has the bytes of another item, and is to be fetched again, where that is all that is left.
    private var scheduled: String? {
        guard totals.scheduled == totals.live, let due = totals.nextDue else { return nil }
        return "\(Quantity.grouped(totals.scheduled)) to be fetched again, the next in \(Quantity.duration(due))"
    }
}

/// The queue's sums as they were last asked for.
final class LatestSums: Sendable {
    private let sums = Mutex(QueueSums())
    var value: QueueSums { sums.withLock { $0 } }
    func set(_ value: QueueSums) { sums.withLock { $0 = value } }
}
