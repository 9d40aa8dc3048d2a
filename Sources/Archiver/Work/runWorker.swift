import JobQueue
import Logging
import Postgres

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Works on the source's jobs until they are gone (`drain`), or until stopped.
///
/// - Parameters:
///   - context: connections and stores.
///   - options: slots, motion clips, when to end.
///   - stop: the first request finishes what is in hand within the grace time, the second gives it back at once, or
///     lets go of it where the database does not answer within `Outbox.lastPatience`.
///   - progress: about twice a second, from any thread.
/// - Returns: what was done and what is left.
/// - Throws: `ArchiverError` for what a person must mend, `PostgresError` when the database stays away.
package func runWorker(
    _ context: ArchiveContext,
    options: WorkerOptions,
    stop: StopSignal,
    progress: @escaping @Sendable (WorkerProgress) -> Void
) async throws -> WorkSummary {
    try await Marker.check(context)
    let source = try await context.source()
    let worker = Worker(context: context, options: options, sources: [source], stop: stop, isFed: { false })
    do {
        let summary = try await worker.run(progress: progress)
        if stop.level == .none { _ = try await context.settled() }
        try await Marker.leave(context, unlessIn: stop)
        return summary
    } catch {
        // What was stored before it failed must not be forgotten by a restored backup; the failure itself is the news.
        try? await Marker.leave(context)
        throw error
    }
}

extension ArchiverError {
    /// A second request to stop came while the database did not answer.
    static let notGivenBack = ArchiverError(
        code: .interrupted,
        message:
            "Stopped while the database did not answer: what was in hand could not be given back. It is in the queue "
            + "again about 40 seconds after this worker's last heartbeat, and no attempt is counted."
    )
}

/// A worker over all of its lives.
struct Worker {
    let context: ArchiveContext
    let options: WorkerOptions
    let sources: [Int64]
    let stop: StopSignal
    /// Whether a scan in this process still adds jobs: a drain waits for it.
    let isFed: @Sendable () -> Bool

    /// How long a worker that has nothing in hand waits for a database that is away: a restart of the server takes less.
    private static let patience = Duration.seconds(600)

    /// - Parameters:
    ///   - progress: about twice a second.
    ///   - failed: called before an error is thrown.
    /// - Returns: what was done and what is left.
    /// - Throws: as `runWorker`.
    func run(
        progress: @escaping @Sendable (WorkerProgress) -> Void,
        failed: @Sendable () -> Void = {}
    ) async throws -> WorkSummary {
        do {
            return try await runLives(progress)
        } catch {
            failed()
            throw error
        }
    }

    private func runLives(_ progress: @escaping @Sendable (WorkerProgress) -> Void) async throws -> WorkSummary {
        var sum = WorkerProgress()
        var idle = IdleClock(longest: options.maxWait)
        while true {
            // One number for all tries: one that was registered although the answer was lost is the same worker.
            let number = Int64.random(in: 1...Int64.max)
            let worker = try await answered { () async throws(PostgresError) in
                try await context.queue.register(
                    id: number,
                    host: context.host,
                    processID: Int(getpid()),
                    version: context.version,
                    slots: slotCount,
                    sources: sources
                )
            }
            let loop = WorkerLoop(
                context: context,
                options: options,
                sources: sources,
                worker: worker,
                idle: idle,
                progress: sum,
                isFed: isFed
            )
            let end = try await live(loop, worker, progress)
            (sum, idle) = (loop.progress, loop.idle)
            if let failure = loop.failure { throw failure }
            guard end == .done else { continue }
            // A scan that began just now may have added jobs after the last look.
            let isOver = !options.drain || stop.level != .none || loop.isOutOfTime
            var isEmpty = try await isEmpty()
            // Before anybody says that all is stored; what another process has doubted meanwhile is in the queue.
            if options.drain, isEmpty {
                try await doubtTwins()
                isEmpty = try await self.isEmpty()
            }
            guard isOver || isEmpty else { continue }
            // Kept, not counted: of eight workers that are stopped together, none may read ten million rows.
            let left = try await answered { () async throws(PostgresError) in
                try await context.queue.tallies(sources: sources).live
            }
            return WorkSummary(progress: sum, left: isEmpty ? 0 : left, isOutOfTime: loop.isOutOfTime)
        }
    }

    private func isEmpty() async throws(PostgresError) -> Bool {
        try await answered { () async throws(PostgresError) in
            try await !context.queue.hasLive(sources: sources)
        }
    }

    private func doubtTwins() async throws(PostgresError) {
        _ = try await answered { () async throws(PostgresError) in
            try await context.ledger.doubtTwins(sources: sources, telling: context.logger)
        }
    }

    /// Waits for a database that is away, unless a stop was asked for.
    private func answered<R: Sendable>(
        _ body: () async throws(PostgresError) -> R
    ) async throws(PostgresError) -> R {
        try await persistently(for: Self.patience, context.logger, unless: { stop.level != .none }, body)
    }

    private var slotCount: Int {
        switch options.slots {
        case .auto: SlotSetting.most
        case .fixed(let count): count
        }
    }

    /// Runs one life with everything that feeds it events.
    private func live(
        _ loop: WorkerLoop,
        _ worker: Int64,
        _ progress: @escaping @Sendable (WorkerProgress) -> Void
    ) async throws -> WorkerLoop.End {
        let post = loop.post
        let (outbox, pulse, queue, logger) = (loop.outbox, loop.pulse, context.queue, loop.logger)
        stop.onRequest { level in post.yield(.stop(level)) }
        let feeders = [
            Task { await pulse.run { post.yield(.pulse($0)) } },
            Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(250))
                    post.yield(.halfTick)
                    try await Task.sleep(for: .milliseconds(250))
                    post.yield(.tick)
                }
            },
            Task { [breaker = context.breaker] in await breaker.run() },
            Task { await sweep(queue, pulse, logger) { post.yield(.doorbell) } },
            Task { await tidy(queue, logger) },
            Task { [context] in await settle(context) { post.yield(.doorbell) } },
            Task { [context, sources, options] in
                guard !options.drain else { return }
                await compare(context, sources) { post.yield(.doorbell) }
            },
            Task { await ring(context.listenConninfo, logger) { post.yield(.doorbell) } },
        ]
        let delivery = Task {
            do {
                try await outbox.run()
                if Task.isCancelled { post.yield(.broken(.notGivenBack)) }
            } catch {
                let error = Task.isCancelled ? .notGivenBack : ArchiverError(code: .unavailable, message: "\(error)")
                post.yield(.broken(error))
            }
        }
        // Whoever insists does not want to wait for a database that is away.
        stop.onRequest { level in
            guard level == .immediate else { return }
            Task {
                try? await Task.sleep(for: Outbox.lastPatience)
                delivery.cancel()
            }
        }
        let end = try await loop.run(report: progress)
        outbox.close()
        await delivery.value
        for feeder in feeders { feeder.cancel() }
        // The row says so by itself after a while, should the database be away now.
        try? await queue.stop(worker: worker)
        return end
    }
}

/// Reaps and promotes: any process may, at any time; `found` is called when there is something to claim.
private func sweep(_ queue: JobQueue, _ pulse: Pulse, _ logger: Logger, found: @Sendable () -> Void) async {
    while !Task.isCancelled {
        let began = ContinuousClock.now
        do {
            let swept = try await queue.sweep(mayDeclareDeath: pulse.mayDeclareDeath)
            if swept.orphans > 0 || swept.buried > 0 {
                logger.log(
                    .warning,
                    "took back the jobs of dead workers",
                    ["jobs": .integer(Int64(swept.orphans)), "buried": .integer(Int64(swept.buried))]
                )
            }
            if swept.promoted > 0 { found() }
        } catch {
            logger.log(.debug, "sweep failed", ["error": .string("\(error)")])
        }
        try? await Task.sleep(for: pause(after: .now - began, atLeast: min(queue.timing.sweep, .seconds(1))))
    }
}

/// A sweep that takes long, since vacuum is held up, must not be what keeps the database busy: it gets a twentieth of the
/// time, but never a pause so long that a dead worker's jobs would wait for it.
private func pause(after took: Duration, atLeast least: Duration) -> Duration {
    max(least, min(took * 20, .seconds(10)))
}

/// Keeps the tables small and quick: any process may, at any time.
private func tidy(_ queue: JobQueue, _ logger: Logger) async {
    while !Task.isCancelled {
        let began = ContinuousClock.now
        do {
            try await queue.tidy()
        } catch {
            logger.log(.debug, "upkeep failed", ["error": .string("\(error)")])
        }
        try? await Task.sleep(for: pause(after: .now - began, atLeast: .seconds(1)))
    }
}

/// Ends picking sessions of which all is stored: any process may, at any time.
private func settle(_ context: ArchiveContext, found: @Sendable () -> Void) async {
    guard context.picker != nil else { return }
    while !Task.isCancelled {
        // Cancellation is seen above.
        try? await Task.sleep(for: .seconds(10))
        guard !Task.isCancelled else { return }
        do { _ = try await context.settled() } catch is CancellationError { return } catch {
            context.logger.log(.warning, "picking sessions are looked at again later", ["error": .string("\(error)")])
        }
        // What was picked again is in the queue again.
        found()
    }
}

/// Compares what was stored whenever nothing is left to do: a worker that stays comes to no end at which that would be done.
private func compare(_ context: ArchiveContext, _ sources: [Int64], found: @Sendable () -> Void) async {
    while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(20))
        do {
            guard !Task.isCancelled, try await !context.queue.hasLive(sources: sources),
                try await context.ledger.isComparisonDue(sources: sources)
            else { continue }
            if try await context.ledger.doubtTwins(sources: sources, telling: context.logger) > 0 { found() }
        } catch {
            context.logger.log(.debug, "comparison failed", ["error": .string("\(error)")])
        }
    }
}

/// Listens for the doorbell; without one, or while it is lost, polling is enough.
private func ring(_ conninfo: String?, _ logger: Logger, _ rung: @Sendable () -> Void) async {
    guard let conninfo else { return }
    while !Task.isCancelled {
        do {
            for await _ in try await JobQueue.doorbell(conninfo: conninfo) { rung() }
        } catch {
            logger.log(.debug, "no doorbell", ["error": .string("\(error)")])
        }
        // Whatever rang while nobody listened is found by a claim.
        rung()
        try? await Task.sleep(for: .seconds(5))
    }
}
