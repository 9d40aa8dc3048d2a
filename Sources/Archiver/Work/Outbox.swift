import JobQueue
import Logging
import Postgres
import Synchronization

/// Collects how jobs ended and tells the queue in batches: one statement for whatever came together.
///
/// A job stays held until the queue has answered for it, so that a heartbeat never finds it orphaned.
final class Outbox: Sendable {
    /// What the queue is to be told.
    enum Letter: Sendable {
        case completion(Completion)
        case failure(Failure)
        case release(Release)

        var job: JobReference {
            switch self {
            case .completion(let completion): completion.job
            case .failure(let failure): failure.job
            case .release(let release): release.job
            }
        }
    }

    /// What became of a letter.
    enum Receipt: Sendable {
        case accepted
        /// The attempts are used up: the part is dead.
        case died
        /// The job was not this worker's any more.
        case refused
    }

    private struct State {
        var letters: [Letter] = []
        var isClosed = false
    }
    private let state = Mutex(State())
    private let bell: AsyncStream<Void>.Continuation
    private let rings: AsyncStream<Void>
    private let queue: JobQueue
    private let worker: Int64
    private let logger: Logger
    private let delivered: @Sendable (Letter, Receipt) -> Void

    /// Most letters of one statement.
    static let batch = 500
    /// How long an ended job may wait for the database: its object stands, only the ledger does not know.
    static let patience = Duration.seconds(3600)
    /// How long after a second request to stop: enough for a restart of a pooler, short for whoever insists.
    static let lastPatience = Duration.seconds(5)

    /// Nothing is sent before `run`; `delivered` is called for each letter once the queue has answered.
    init(
        queue: JobQueue,
        worker: Int64,
        logger: Logger,
        delivered: @escaping @Sendable (Letter, Receipt) -> Void
    ) {
        (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.queue = queue
        self.worker = worker
        self.logger = logger
        self.delivered = delivered
    }

    /// Hands in a letter; never waits.
    func post(_ letter: Letter) {
        state.withLock { $0.letters.append(letter) }
        bell.yield()
    }

    /// No more letters will come: `run` returns when all are delivered.
    func close() {
        state.withLock { $0.isClosed = true }
        bell.yield()
        bell.finish()
    }

    /// Delivers until closed.
    ///
    /// While a statement is under way the next batch gathers: batches grow with the load.
    /// - Throws: `PostgresError` when the database stays away longer than `patience`, or refuses the statement.
    func run() async throws {
        for await _ in rings { try await deliverAll() }
        try await deliverAll()
    }

    private func deliverAll() async throws {
        while true {
            let batch = state.withLock { state in
                let batch = Array(state.letters.prefix(Self.batch))
                state.letters.removeFirst(batch.count)
                return batch
            }
            guard !batch.isEmpty else { return }
            try await deliver(batch)
        }
    }

    private func deliver(_ batch: [Letter]) async throws {
        var completions: [Completion] = []
        var failures: [Failure] = []
        var releases: [Release] = []
        for letter in batch {
            switch letter {
            case .completion(let completion): completions.append(completion)
            case .failure(let failure): failures.append(failure)
            case .release(let release): releases.append(release)
            }
        }
        if !completions.isEmpty {
            let batch = completions
            let accepted = try await persistently(for: Self.patience, logger) { () async throws(PostgresError) in
                try await queue.complete(worker: worker, batch)
            }
            for completion in batch {
                delivered(.completion(completion), accepted.contains(completion.job) ? .accepted : .refused)
            }
        }
        if !failures.isEmpty {
            let batch = failures
            let dead = try await persistently(for: Self.patience, logger) { () async throws(PostgresError) in
                try await queue.fail(worker: worker, batch)
            }
            for failure in batch { delivered(.failure(failure), dead.contains(failure.job.part) ? .died : .accepted) }
        }
        if !releases.isEmpty {
            let batch = releases
            try await persistently(for: Self.patience, logger) { () async throws(PostgresError) in
                try await queue.release(worker: worker, batch)
            }
            for release in batch { delivered(.release(release), .accepted) }
        }
    }
}
