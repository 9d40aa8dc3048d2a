import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Postgres
import Synchronization

/// One life of a worker, from its registration to its end: claims ahead, keeps the slots busy, tells the queue.
///
/// All of its state belongs to the one task that runs `run`; everything else reaches it as an event.
final class WorkerLoop {
    /// How a life ended.
    enum End: Sendable, Equatable {
        /// Nothing is left, a stop was asked for, or the time was over.
        case done
        /// The database gave up on this worker: register anew.
        case lost
    }

    enum Event: Sendable {
        case claimed([ClaimedJob], of: Int, excluding: [Int64])
        case claimFailed(PostgresError)
        case begun([ClaimedJob], Starts)
        case beginFailed([ClaimedJob], PostgresError)
        case ended(ClaimedJob, Ending)
        case delivered(Outbox.Letter, Outbox.Receipt)
        /// The database knows that these sources rest, or could not be told.
        case parked
        case pulse(Pulse.Finding)
        case doorbell
        case tick
        /// Between two of those.
        case halfTick
        case stop(StopSignal.Level)
        case drained(Bool)
        /// The login of the source is refused, in words: nobody will empty the queue.
        case loginRefused(String)
        case broken(ArchiverError)
    }

    let context: ArchiveContext
    let options: WorkerOptions
    let sources: [Int64]
    /// Whether a scan in this process still adds jobs.
    let isFed: @Sendable () -> Bool
    let logger: Logger
    let worker: Int64
    let pulse: Pulse
    let outbox: Outbox
    let transfer: Transfer
    let events: AsyncStream<Event>
    let post: AsyncStream<Event>.Continuation

    var progress: WorkerProgress
    private var meter: SlotMeter
    private var backlog: Backlog
    /// Jobs whose start the database is being told: they have a slot already.
    private var beginning: [JobReference] = []
    private var begins: Task<Void, Never>?
    private var mayBegin = true
    /// Starts that are still to wait for the disk: a part that ends this process and the database's in its first moments is
    /// among the first of the next life too.
    private var durableStarts = 10
    private var running: [JobReference: Task<Void, Never>] = [:]
    private var isClaiming = false
    private(set) var idle: IdleClock
    /// Whether it ends since it could do nothing for too long, or was to end by now.
    private(set) var isOutOfTime = false
    private var claiming: Task<Void, Never>?
    private var gate = ClaimGate()
    private var isCheckingDrain = false
    private var loginPause = LoginPause()
    private var parking = Parking()
    private var level = StopSignal.Level.none
    private var graceEnds: ContinuousClock.Instant?
    private var end: End?
    private(set) var failure: ArchiverError?
    private var ticks = 0
    private var wasFenced = false

    init(
        context: ArchiveContext,
        options: WorkerOptions,
        sources: [Int64],
        worker: Int64,
        idle: IdleClock = IdleClock(longest: nil),
        progress: WorkerProgress,
        isFed: @escaping @Sendable () -> Bool
    ) {
        let logger = context.logger.with(["worker": .integer(worker)])
        let (events, post) = AsyncStream.makeStream(of: Event.self)
        let health = ServiceHealth(breaker: context.breaker)
        self.context = context
        self.options = options
        self.sources = sources
        self.isFed = isFed
        self.logger = logger
        self.worker = worker
        self.idle = idle
        self.progress = progress
        self.events = events
        self.post = post
        pulse = Pulse(queue: context.queue, worker: worker, logger: logger)
        outbox = Outbox(queue: context.queue, worker: worker, logger: logger) { letter, receipt in
            post.yield(.delivered(letter, receipt))
        }
        transfer = Transfer(
            context: context,
            worker: worker,
            resolver: ItemResolver(source: context.items, cache: context.baseURLs, health: health),
            health: health,
            motion: options.motion,
            noteName: { [pulse] in pulse.noteName($0) }
        )
        meter = SlotMeter(options.slots, memory: context.budget.bytes)
        backlog = Backlog(crashLimit: context.queue.timing.crashes)
    }

    /// Works until the end of this life; every job in hand is ended, given back, or somebody else's when it returns.
    func run(report: @Sendable (WorkerProgress) -> Void) async throws -> End {
        advance()
        for await event in events {
            handle(event)
            advance()
            if case .tick = event { report(progress) }
            if isFinished { break }
        }
        report(progress)
        return end ?? .done
    }

    private var isFinished: Bool {
        guard running.isEmpty, beginning.isEmpty, !isClaiming else { return false }
        if end == .lost { return true }
        guard pulse.heldCount == 0 else { return false }
        return end != nil || level != .none
    }

    // MARK: Events

    private func handle(_ event: Event) {
        switch event {
        case .claimed(let jobs, let limit, let excluded):
            isClaiming = false
            meter.noteClaim(isShort: jobs.count < limit && excluded.isEmpty)
            gate.claimed(lanes: jobs.lazy.map(\.lane), excluding: excluded)
            claiming = nil
            for job in backlog.add(jobs, excluding: excluded) {
                // Others may take it meanwhile, or this worker when the one before it has ended.
                outbox.post(.release(Release(job: job.reference, delay: .seconds(Int.random(in: 5...15)))))
            }
            // The stop, or the refusal, came while the claim was under way: it gave back only what was waiting then.
            if level != .none || parking.isUnderWay { giveBackWaiting() }
            if jobs.isEmpty, excluded.isEmpty {
                loginPause.goOnWithFile(context, sources, logger)
                checkDrain()
            }
        case .claimFailed(let error):
            isClaiming = false
            claiming = nil
            gate.failed()
            // Cut off by a stop: what the database handed out all the same goes back with the worker's end.
            guard level == .none else { return }
            logger.log(.warning, "claim failed", ["error": .string("\(error)")])
            if !error.isTransient { fail(ArchiverError(code: .unavailable, message: "\(error)")) }
        case .begun(let asked, let starts): start(asked, starts)
        case .beginFailed(let jobs, let error): put(back: jobs, error)
        case .ended(let job, let ending):
            running[job.reference] = nil
            backlog.ended(job)
            pulse.note(busy: running.count)
            settle(job.reference, ending)
        case .delivered(let letter, let receipt):
            note(letter, receipt)
            if pulse.heldCount == 0, !isClaiming { checkDrain() }
        case .parked: parking.noteEnd()
        case .pulse(let finding): obey(finding)
        case .doorbell: gate.open()
        case .tick: tick()
        case .halfTick: if meter.isFinding { look() }
        case .stop(let level): stop(level)
        case .drained(let isDrained):
            isCheckingDrain = false
            if isDrained, running.isEmpty, beginning.isEmpty, backlog.isEmpty, !isClaiming, !isFed() {
                end = end ?? .done
            }
        case .loginRefused(let reason):
            isCheckingDrain = false
            fail(ArchiverError(code: .login, message: reason))
        case .broken(let error):
            // Nothing can be told to the queue any more: leases run out, and others take over.
            failure = failure ?? error
            surrender()
            end = .lost
        }
    }

    /// Starts what may be started, claims what may be claimed.
    private func advance() {
        guard level == .none, end == nil else { return }
        let mayStart = pulse.mayStart && !context.breaker.isOpen && !parking.isUnderWay
        if mayStart { begin() }
        let busy = running.count + beginning.count
        // Slots that the database is about to be told of are not free for want of work.
        meter.note(busy: busy, hasMore: !backlog.isEmpty && mayStart, context.http.pace)
        guard !isClaiming, mayStart, loginPause.mayClaim else { return }
        let ahead = meter.ahead()
        let wanted = meter.slots - busy + ahead - backlog.count
        let full = backlog.full(ahead: ahead)
        // A lane that has run dry is asked for even while the others have more than enough.
        guard wanted > 0 || !full.isEmpty else { return }
        guard gate.mayClaim(excluding: full) else { return }
        claim(max(wanted, ahead / 2, 1), excluding: full)
    }

    private func claim(_ limit: Int, excluding lanes: [Int64]) {
        isClaiming = true
        claiming = Task { [context, worker, sources, pulse, transfer, post] in
            do throws(PostgresError) {
                let jobs = try await context.queue.claim(
                    worker: worker,
                    sources: sources,
                    limit: limit,
                    excluding: lanes
                )
                pulse.hold(jobs)
                await transfer.resolver.prefetch(jobs)
                post.yield(.claimed(jobs, of: limit, excluding: lanes))
            } catch {
                post.yield(.claimFailed(error))
            }
        }
    }

    // MARK: Starts

    /// Tells the database which jobs begin, then begins them.
    ///
    /// In this order: a part that kills its worker in the first instant is known, and what only waits here is innocent.
    /// While a statement is under way the next batch gathers.
    private func begin() {
        guard beginning.isEmpty, mayBegin else { return }
        let jobs = backlog.take(slots: meter.slots, mayExceed: options.slots == .auto)
        guard !jobs.isEmpty else { return }
        beginning = jobs.map(\.reference)
        let waits = durableStarts > 0
        begins = Task { [context, worker, post] in
            do throws(PostgresError) {
                let starts = try await context.queue.start(worker: worker, jobs.map(\.reference), waits: waits)
                post.yield(.begun(jobs, starts))
            } catch {
                post.yield(.beginFailed(jobs, error))
            }
        }
    }

    private func start(_ asked: [ClaimedJob], _ starts: Starts) {
        beginning = []
        durableStarts = max(0, durableStarts - 1)
        for job in asked {
            guard starts.begun.contains(job.reference) || starts.heldBack.contains(job.reference) else {
                if pulse.drop(job.reference) { noteLost(job.reference) }
                backlog.ended(job)
                continue
            }
            // Lost while the statement was under way: not ours any more.
            guard pulse.holds(job.reference) else {
                backlog.ended(job)
                continue
            }
            // A pause or a park that came after the claim holds what has not begun, whether the database knows yet or not.
            guard level == .none, !parking.isUnderWay, starts.begun.contains(job.reference) else {
                backlog.ended(job)
                outbox.post(.release(Release(job: job.reference)))
                continue
            }
            running[job.reference] = Task { [transfer, post, timed = options.timed] in
                let began = ContinuousClock.now
                let ending = await transfer.perform(job)
                if let isStored = ending.isStored {
                    let time = PartTime(kind: job.kind, isStored: isStored, duration: began.duration(to: .now))
                    timed?(time)
                }
                post.yield(.ended(job, ending))
            }
        }
        pulse.note(busy: running.count)
    }

    /// The database did not answer whether these may begin: they wait on.
    private func put(back jobs: [ClaimedJob], _ error: PostgresError) {
        beginning = []
        mayBegin = false
        for job in jobs.reversed() {
            if pulse.holds(job.reference) { backlog.put(back: job) } else { backlog.ended(job) }
        }
        guard level == .none else { return giveBackWaiting() }
        logger.log(.warning, "starts wait for the database", ["error": .string("\(error)")])
        if !error.isTransient { fail(ArchiverError(code: .unavailable, message: "\(error)")) }
    }

    // MARK: Ends of jobs

    private func settle(_ job: JobReference, _ ending: Ending) {
        guard pulse.holds(job) else { return }
        meter.noteEnd(isOver: ending.isOver)
        if ending.isDone { idle.noteDone() }
        switch ending {
        case .complete(let result): outbox.post(.completion(Completion(job: job, result: result)))
        case .fail(let reason, let message, let pause):
            outbox.post(.failure(Failure(job: job, reason: reason, message: message, retryAfter: pause)))
        case .release(let delay, let note): outbox.post(.release(Release(job: job, delay: delay, note: note)))
        case .cancelled: outbox.post(.release(Release(job: job)))
        case .park(let duration, let reason):
            giveBackWaiting()
            // However long the database takes to be told.
            let end = ContinuousClock.now + duration
            park(job) { [context] source throws(PostgresError) in
                let left = end - .now
                guard left > .zero else { return }
                try await context.queue.park(source: source, lane: nil, for: left, reason: reason)
            }
        case .slowDown(let slowdown):
            meter.pushedBack()
            giveBackWaiting()
            park(job) { [context] source throws(PostgresError) in
                try await context.slowDown(source: source, slowdown)
            }
        // A transfer settles its stumbles itself.
        case .stumble(let stumble): outbox.post(.release(Release(job: job, note: stumble.message)))
        // The source is paused for all by whoever was refused first. A worker that stays goes on after the next login. Where
        // another host has opened the lanes with credentials of its own, their jobs are left to that one, but for a try.
        case .fatal(let error) where error.code == .login && context.login != nil && !options.drain:
            loginPause.refused()
            giveBackWaiting()
            outbox.post(.release(Release(job: job, delay: .seconds(5), note: error.message)))
        case .fatal(let error):
            outbox.post(.release(Release(job: job)))
            fail(error)
        }
    }

    /// Parks the sources for every worker, then gives the job back: in this order, or it would be claimed at once.
    ///
    /// Until the database knows, nothing is claimed or begun here.
    private func park(
        _ job: JobReference,
        _ tell: @escaping @Sendable (Int64) async throws(PostgresError) -> Void
    ) {
        guard level != .immediate else { return outbox.post(.release(Release(job: job))) }
        parking.add { [sources, outbox, logger, post] in
            do {
                for source in sources {
                    try await persistently(for: Outbox.patience, logger) { () async throws(PostgresError) in
                        try await tell(source)
                    }
                }
            } catch {
                // At a stop that does not wait, others are left to be refused themselves.
                guard Task.isCancelled else {
                    post.yield(.broken(ArchiverError(code: .unavailable, message: "\(error)")))
                    return false
                }
            }
            outbox.post(.release(Release(job: job)))
            return true
        } ended: { [post] in
            post.yield(.parked)
        }
    }

    private func note(_ letter: Outbox.Letter, _ receipt: Outbox.Receipt) {
        let object = pulse.name(of: letter.job) ?? "unknown"
        pulse.drop(letter.job)
        if receipt == .refused {
            noteLost(letter.job)
            if case .completion(let completion) = letter, case .stored(let stored, _) = completion.result,
                let name = stored.newName
            {
                logger.log(
                    .warning,
                    """
                    what was stored under a new name is not recorded: another worker has the part, or the database forgot the \
                    name; it is looked at again
                    """,
                    ["part": .integer(letter.job.part), "object": .string(name)]
                )
            }
            return
        }
        switch letter {
        case .completion(let completion):
            transfer.health.forget(part: completion.job.part)
            switch completion.result {
            case .stored(let object, _):
                progress.stored += 1
                progress.storedBytes += object.size
            case .confirmed: progress.confirmed += 1
            case .skipped: progress.skipped += 1
            case .dead(let reason):
                progress.dead += 1
                logger.log(
                    .error,
                    "part is dead",
                    ["part": .integer(completion.job.part), "object": .string(object), "error": .string(reason)]
                )
            }
        case .failure(let failure):
            progress.failures += 1
            if receipt == .died { progress.dead += 1 }
            logger.log(
                receipt == .died ? .error : .warning,
                receipt == .died ? "part is dead" : "try failed",
                [
                    "part": .integer(failure.job.part), "object": .string(object), "reason": .string(failure.reason),
                    "error": .string(failure.message),
                ]
            )
        case .release(let release):
            if let note = release.note {
                logger.log(.info, "gave a job back", ["part": .integer(release.job.part), "error": .string(note)])
            }
        }
    }

    // MARK: Leases and stops

    private func obey(_ finding: Pulse.Finding) {
        switch finding {
        case .lost(let jobs):
            // What has ended here is left to the answer to its letter, which may be under way.
            for job in jobs where running[job] != nil || backlog.contains(job) || beginning.contains(job) {
                guard pulse.drop(job) else { continue }
                noteLost(job)
                running[job]?.cancel()
            }
            backlog.removeAll { !pulse.holds($0.reference) }
        case .orphaned(let jobs):
            // The answer to its claim may have come since the beat was sent.
            for job in jobs where !pulse.holds(job) { outbox.post(.release(Release(job: job))) }
        case .dead:
            logger.log(.error, "the database gave up on this worker: starting anew")
            surrender()
            parking.cancel()
            end = .lost
        case .refused(let error):
            let message = "The database answers, and refuses what this worker tells it: \(error)"
            failure = failure ?? ArchiverError(code: .unavailable, message: message)
            surrender()
            parking.cancel()
            end = .lost
        }
    }

    /// Lets go of everything without a word: the database has given it, or will give it, to others.
    private func surrender() {
        for job in backlog.removeAll() { pulse.drop(job.reference) }
        for job in beginning { pulse.drop(job) }
        for (job, task) in running {
            pulse.drop(job)
            task.cancel()
        }
    }

    private func stop(_ asked: StopSignal.Level) {
        level = max(level, asked)
        giveBackWaiting()
        // Nothing new is begun: base URLs that Google is slow to give need not be waited for.
        claiming?.cancel()
        begins?.cancel()
        if level == .immediate {
            for task in running.values { task.cancel() }
            parking.cancel()
        } else if graceEnds == nil {
            graceEnds = .now + options.grace
        }
    }

    private func giveBackWaiting() {
        for job in backlog.removeAll() { outbox.post(.release(Release(job: job.reference))) }
    }

    private func noteLost(_ job: JobReference) {
        logger.log(.warning, "lost a lease", ["part": .integer(job.part)])
    }

    /// Ends this worker with an error, jobs given back.
    private func fail(_ error: ArchiverError) {
        failure = failure ?? error
        stop(.immediate)
    }

    // MARK: Time

    private func tick() {
        ticks += 1
        if ticks % 2 == 0 { gate.open() }
        mayBegin = true
        progress.busy = running.count
        progress.slots = meter.slots
        let isFenced = pulse.isFenced
        if isFenced, !wasFenced {
            logger.log(.error, "no heartbeat got through: giving up what is in hand")
            surrender()
        }
        wasFenced = isFenced
        // It was claimed when this host seemed faster, or the queue had more. Twice as much, so that nothing goes back and forth.
        for job in backlog.removeExcess(over: 2 * meter.ahead()) {
            outbox.post(.release(Release(job: job.reference)))
        }
        // Others may not be cut off: what has not begun here is better done there.
        if context.breaker.isCutOff { giveBackWaiting() }
        if let graceEnds, ContinuousClock.now > graceEnds { stop(.immediate) }
        checkTime()
        if ticks % 2 == 0 || meter.isFinding { look() }
    }

    private func checkTime() {
        guard options.drain, level == .none else { return }
        let isIdle = idle.isOver(running: running.keys, isFed: isFed())
        guard isIdle || options.endsBy.map({ .now > $0 }) ?? false else { return }
        isOutOfTime = true
        stop(.graceful)
    }

    /// Judges the slots by what they have brought since the last look.
    private func look() {
        meter.intervalEnded(
            context.http.pace,
            stumbles: transfer.health.stumbles,
            isWorking: level == .none && !context.breaker.isOpen
        )
    }

    /// Asks the database whether anything is left; only where nothing is in hand here.
    private func checkDrain() {
        guard options.drain, !isCheckingDrain, running.isEmpty, beginning.isEmpty, backlog.isEmpty, !isFed() else {
            return
        }
        isCheckingDrain = true
        Task<Void, Never> { [context, sources, post] in
            if let login = context.login, let reason = try? await login.refusal() {
                _ = post.yield(.loginRefused(reason))
                return
            }
            // Without an answer the queue counts as not empty: the next look comes soon.
            post.yield(.drained((try? await isDrained(context, sources)) ?? false))
        }
    }
}

/// Whether nothing is queued, and no process is at a scan that may queue more.
private func isDrained(_ context: ArchiveContext, _ sources: [Int64]) async throws(PostgresError) -> Bool {
    // In this order: what a scan queued before its last sign of life is seen by the second question.
    for source in sources {
        if let scan = try await context.ledger.newestScan(source: source), scan.isAlive { return false }
    }
    return try await !context.queue.hasLive(sources: sources)
}
