import JobQueue
import Logging
import Postgres
import Synchronization

/// A worker's heartbeat: tells the database what is held, and the worker when the database must have given up on it.
final class Pulse: Sendable {
    /// What the worker must act on.
    enum Finding: Sendable {
        /// The database gave up on this worker: everything in hand is somebody else's.
        case dead
        case lost([JobReference])
        case orphaned([JobReference])
        /// No beat got through for so long that the database is about to give up: stop what is in hand.
        case fenced
    }

    private struct State {
        var held: Set<JobReference> = []
        var lastBeat = ContinuousClock.now
        var contactSince = ContinuousClock.now
    }
    private let state = Mutex(State())
    private let queue: JobQueue
    private let worker: Int64
    private let logger: Logger

    init(queue: JobQueue, worker: Int64, logger: Logger) {
        self.queue = queue
        self.worker = worker
        self.logger = logger
    }

    /// Everything that the worker answers for: claimed, under way, or ended and not acknowledged.
    func hold(_ jobs: [ClaimedJob]) {
        state.withLock { state in
            for job in jobs { state.held.insert(job.reference) }
        }
    }

    /// Not this worker's any more; false if it was not held.
    @discardableResult func drop(_ job: JobReference) -> Bool {
        state.withLock { $0.held.remove(job) != nil }
    }

    func holds(_ job: JobReference) -> Bool {
        state.withLock { $0.held.contains(job) }
    }

    var heldCount: Int { state.withLock { $0.held.count } }

    /// Whether new work may be started: the last beat is younger than two thirds of the time to death.
    var mayStart: Bool {
        state.withLock { $0.lastBeat.duration(to: .now) } < queue.timing.dead * 2 / 3
    }

    /// Whether contact has been unbroken for as long as a death takes: only then may this process declare one, since
    /// after an outage of the database every worker looks dead.
    var mayDeclareDeath: Bool {
        state.withLock { $0.contactSince.duration(to: .now) } >= queue.timing.dead
    }

    /// Beats until cancelled; `report` may be called from any task.
    func run(busy: @Sendable () -> Int, report: @Sendable (Finding) -> Void) async {
        while !Task.isCancelled {
            // The time of sending counts: the database's clock for this worker starts no later.
            let sent = ContinuousClock.now
            let held = state.withLock { Array($0.held) }
            do {
                let answer = try await queue.beat(worker: worker, busy: busy(), held: held)
                state.withLock { $0.lastBeat = sent }
                guard answer.alive else { return report(.dead) }
                if !answer.lost.isEmpty { report(.lost(answer.lost)) }
                // A claim may have committed after `held` was read.
                let orphans = answer.orphaned.filter { !holds($0) }
                if !orphans.isEmpty { report(.orphaned(orphans)) }
            } catch {
                let silence = state.withLock { state in
                    state.contactSince = .now
                    return state.lastBeat.duration(to: .now)
                }
                logger.log(.warning, "heartbeat failed", ["error": .string("\(error)")])
                if silence > queue.timing.dead * 5 / 6 { report(.fenced) }
            }
            try? await Task.sleep(for: queue.timing.beat)
        }
    }
}
