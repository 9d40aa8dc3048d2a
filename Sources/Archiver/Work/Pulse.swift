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
        /// The database answers, but refuses the heartbeat: the ledger was moved, or the schema is not this program's.
        case refused(PostgresError)
    }

    private struct State {
        /// With the objects' names.
        var held: [JobReference: String] = [:]
        var busy = 0
        var contact: Contact
    }
    private let state: Mutex<State>
    private let queue: JobQueue
    private let worker: Int64
    private let logger: Logger

    init(queue: JobQueue, worker: Int64, logger: Logger) {
        self.queue = queue
        self.worker = worker
        self.logger = logger
        state = Mutex(State(contact: Contact(dead: queue.timing.dead)))
    }

    /// Everything that the worker answers for: claimed, under way, or ended and not acknowledged.
    func hold(_ jobs: [ClaimedJob]) {
        state.withLock { state in
            for job in jobs { state.held[job.reference] = job.objectName }
        }
    }

    /// The part of a job that is held has another name now.
    func noteName(_ job: ClaimedJob) {
        state.withLock { state in
            if state.held[job.reference] != nil { state.held[job.reference] = job.objectName }
        }
    }

    /// Not this worker's any more; false if it was not held.
    @discardableResult func drop(_ job: JobReference) -> Bool {
        state.withLock { $0.held.removeValue(forKey: job) != nil }
    }

    /// The object of a job that is held; nil for another.
    func name(of job: JobReference) -> String? {
        state.withLock { $0.held[job] }
    }

    func holds(_ job: JobReference) -> Bool {
        state.withLock { $0.held[job] != nil }
    }

    var heldCount: Int { state.withLock { $0.held.count } }

    /// Transfers that go on, for the worker's row.
    func note(busy: Int) {
        state.withLock { $0.busy = busy }
    }

    /// Whether new work may be started.
    var mayStart: Bool { state.withLock { $0.contact.mayStart(at: .now) } }

    /// Whether no beat got through for so long that the database is about to give up: stop what is in hand.
    ///
    /// Asked by the worker's own clock, since a beat that hangs reports nothing.
    var isFenced: Bool { state.withLock { $0.contact.isFenced(at: .now) } }

    /// Whether this process may declare others dead.
    var mayDeclareDeath: Bool { state.withLock { $0.contact.mayDeclareDeath(at: .now) } }

    /// Beats until cancelled; `report` may be called from any task.
    func run(report: @Sendable (Finding) -> Void) async {
        while !Task.isCancelled {
            // The time of sending counts: the database's clock for this worker starts no later.
            let sent = ContinuousClock.now
            let (held, busy) = state.withLock { (Array($0.held.keys), $0.busy) }
            var pause = queue.timing.beat
            do {
                let answer = try await queue.beat(worker: worker, busy: busy, held: held)
                state.withLock { $0.contact.answered(sent: sent) }
                guard answer.alive else { return report(.dead) }
                if !answer.lost.isEmpty { report(.lost(answer.lost)) }
                // A claim may have committed after `held` was read.
                let orphans = answer.orphaned.filter { !holds($0) }
                if !orphans.isEmpty { report(.orphaned(orphans)) }
            } catch {
                state.withLock { $0.contact.failed(at: .now) }
                logger.log(.warning, "heartbeat failed", ["error": .string("\(error)")])
                // Not at the first: a server that is about to change its role refuses too.
                if !error.isTransient, isFenced { return report(.refused(error)) }
                // Soon again: a short outage must not grow into silence that looks like death.
                pause = min(pause, .seconds(1))
            }
            try? await Task.sleep(for: pause)
        }
    }
}
