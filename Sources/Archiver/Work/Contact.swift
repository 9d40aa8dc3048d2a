/// How well a process is in touch with the database: a value without a clock.
struct Contact: Sendable, Equatable {
    /// Silence after which the database gives up on a worker.
    private let dead: Duration
    /// When the last beat that was answered was sent.
    private var lastBeat: ContinuousClock.Instant
    /// Since when every beat was answered in time.
    private var since: ContinuousClock.Instant

    init(dead: Duration, now: ContinuousClock.Instant = .now) {
        self.dead = dead
        lastBeat = now
        since = now
    }

    mutating func answered(sent: ContinuousClock.Instant) {
        // After a gap (this machine slept, or was stopped) others may have been unable to beat as well: on one machine,
        // or where the database slept too.
        if lastBeat.duration(to: sent) > dead / 2 { since = sent }
        lastBeat = max(lastBeat, sent)
    }

    mutating func failed(at now: ContinuousClock.Instant) { since = now }

    /// Whether new work may be started: the last beat is younger than two thirds of the time to death.
    func mayStart(at now: ContinuousClock.Instant) -> Bool { lastBeat.duration(to: now) < dead * 2 / 3 }

    /// Whether the database is about to give up: the last beat is older than five sixths of the time to death.
    func isFenced(at now: ContinuousClock.Instant) -> Bool { lastBeat.duration(to: now) > dead * 5 / 6 }

    /// Whether contact has been unbroken, until now, for as long as a death takes: only then may this process declare
    /// one, since after an outage of the database, or a sleep of its machine, every worker looks dead.
    func mayDeclareDeath(at now: ContinuousClock.Instant) -> Bool {
        lastBeat.duration(to: now) <= dead / 2 && since.duration(to: now) >= dead
    }
}
