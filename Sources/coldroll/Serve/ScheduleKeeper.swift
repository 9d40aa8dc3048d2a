import JobQueue
import Logging
import Postgres

/// Makes a turn of every time that is due, one for all hosts, and one for several that nobody was there for.
///
/// Every host keeps the schedule that the ledger has, whoever told it: the host that did may be gone for good.
struct ScheduleKeeper: Sendable {
    let ledger: Ledger
    let source: Int64
    /// What this process was told.
    let schedule: Schedule
    let host: String
    let logger: Logger
    var look = Duration.seconds(5)
    /// Rung to look at once, and by a stop.
    let bell: Bell
    /// Rung when there is a turn.
    let turns: Bell

    /// What the ledger's schedule is to this process.
    enum Standing: Sendable, Equatable {
        case own
        /// A process that was started later told another one, which is kept here too.
        case foreign
        /// The same, and it cannot be read here.
        case unreadable
        /// There is none.
        case missing
    }

    /// Goes on until a stop is asked for.
    func keep(_ stop: StopSignal) async {
        var trouble = Trouble("the schedule cannot be looked at", logger)
        var isKept = false
        var before = Standing.own
        var since: Int?
        while !stop.isRequested {
            do throws(PostgresError) {
                if !isKept { try await begin() }
                isKept = true
                let standing = try await passed()
                if standing == .foreign { since = try await guardOwn(since: since) } else { since = nil }
                trouble.isOver()
                if standing != before { tell(standing) }
                before = standing
                // Nobody else may be left who can read it: better this one than none.
                if standing == .unreadable || standing == .missing { isKept = false }
            } catch {
                trouble.goesOn(error)
            }
            await bell.wait(look)
        }
    }

    /// Tells the ledger this process's schedule.
    private func begin() async throws(PostgresError) {
        // What was due by the schedule before is owed by it.
        _ = try await passed()
        let (expression, zone) = (schedule.expression, schedule.clock.name)
        let isNew = try await ledger.keepSchedule(
            source: source,
            expression: expression,
            zone: zone,
            since: try await owedSince()
        )
        guard isNew else { return }
        logger.log(.info, "the schedule begins", ["schedule": .string(expression), "zone": .string(zone)])
    }

    /// From when on the times of a new schedule count; nil is now.
    ///
    /// Nothing may have run for longer than it ever rests: one schedule after another, each of which begins anew, would never
    /// be due.
    private func owedSince() async throws(PostgresError) -> Double? {
        guard let last = try await ledger.lastRun(source: source) else { return nil }
        let rest = Double(schedule.greatestGap(from: Int(last.begun)))
        return last.now - last.begun > rest ? last.begun : nil
    }

    /// Tells, once a day, of the last time of this process's own schedule that another one took the place of, unless a run has begun since.
    ///
    /// Whoever starts a process with a wrong schedule takes the right one from all hosts: that must not go unheard.
    /// - Parameter since: from when on its times count; nil is now.
    /// - Returns: the same, for the next look.
    /// - Throws: `PostgresError`.
    func guardOwn(since: Int?) async throws(PostgresError) -> Int? {
        guard let kept = try await ledger.schedule(source: source) else { return since }
        let now = Int(kept.now.rounded(.down))
        guard let since, since <= now else { return now }
        let end = now - Int(NoticeKeeper.patience.components.seconds)
        guard let due = schedule.last(notAfter: end, notBefore: since) else { return since }
        if let last = try await ledger.lastRun(source: source), last.goesOn || Int(last.begun) >= due { return since }
        let words =
            "The run that was due on \(MissedTimes.text(due)) by the schedule '\(schedule.expression)' of host \(host) has not "
            + "begun: a process that was started later has the schedule '\(harmless(kept.expression))' (\(harmless(kept.zone))), "
            + "which counts for all. Give all hosts the same."
        // Once a day: it may have been one by the minute.
        let subject = "passed over \(MissedTimes.text(due).prefix(10))"
        try await ledger.note(TurnNews(event: "missed", subject: subject, words: words), source: source, run: nil)
        return since
    }

    private func tell(_ standing: Standing) {
        switch standing {
        case .own: logger.log(.info, "the schedule of this process counts again")
        case .foreign:
            logger.log(.warning, "a process that was started later has another schedule: that one counts, here too")
        case .unreadable:
            logger.log(
                .warning,
                "a process that was started later has a schedule that cannot be read here: this process's own counts again"
            )
        case .missing: logger.log(.warning, "the ledger had lost its schedule: this process's own counts again")
        }
    }

    /// Looks at the clock once.
    func passed() async throws(PostgresError) -> Standing {
        if try await ledger.mendSchedule(source: source) {
            logger.log(
                .warning,
                "the database's clock was set back: times of the schedule that lay ahead are put right"
            )
        }
        guard let kept = try await ledger.schedule(source: source) else { return .missing }
        guard let counts = Schedule(kept) else { return .unreadable }
        let standing = counts == schedule ? Standing.own : .foreign
        let now = Int(kept.now.rounded(.down))
        // Everything up to here has its turn, or was before the schedule.
        let settled = counts.settled(kept)
        guard let due = counts.last(notAfter: now, notBefore: settled + 1) else { return standing }
        let missed = MissedTimes(counts, after: settled, due: due, now: now)
        guard
            let made = try await ledger.makeDue(
                source: source,
                at: Int64(due),
                missed: missed.map { ($0.subject, $0.words) }
            )
        else { return standing }
        logger.log(
            .info,
            "a run is due",
            ["run": .integer(made.number), "joined": .boolean(made.joined), "late_seconds": .integer(Int64(now - due))]
        )
        turns.ring()
        return standing
    }
}

extension Schedule {
    /// The ledger's; nil if it cannot be read here, as a zone that this host does not know.
    init?(_ kept: KeptSchedule) {
        guard let clock = WallClock(kept.zone), let schedule = try? Schedule(kept.expression, clock) else { return nil }
        self = schedule
    }

    /// Nothing up to this instant is due any more.
    func settled(_ kept: KeptSchedule) -> Int {
        max(Int(kept.since.rounded(.up)) - 1, kept.lastDue.map { Int($0) } ?? .min)
    }
}
