import Synchronization

/// How far claims have come in each lane, so that they need not walk over what is behind them.
///
/// A claimed job leaves a dead entry at the head of index `job_ready`, and when it ends one in `job_running`. Vacuum removes
/// them, but not while any transaction holds a snapshot from before: then each claim, and each beat, would walk over all
/// entries since, and a queue that is under load for minutes comes to a halt. While there are many of
/// them (`bloatedAt`), claims begin where the last one ended, and beats at the oldest lease that is held. What became ready
/// behind that place (a retry, a job given back), and a job that was claimed but never reached the process, are found by a
/// walk from the start, which is made again and again but costs no more than a twentieth of the time. Nothing depends on
/// a hint: one that is wrong only delays.
final class ClaimHints: Sendable {
    /// A place in the order of a lane.
    struct Place: Sendable, Comparable {
        let rank: Int64, part: Int64

        static func < (a: Place, b: Place) -> Bool { (a.rank, a.part) < (b.rank, b.part) }
    }

    /// What walks over an index: a sweep that looks for jobs of workers that nobody knows does.
    enum Walk: Hashable, Sendable { case claim, beat, sweep }

    private struct State {
        /// Dead entries as far as this process knows: what the server counted, and one for each job claimed here since.
        var dead: Int64 = 0
        var places: [Int64: Place] = [:]
        /// When the next one from the start is due.
        var due: [Walk: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    /// Dead entries from which on claims begin behind them: to walk over so many takes as long as to claim a few hundred.
    static let bloatedAt: Int64 = 5000
    /// Shortest time between two from the start, whose length counts `share` times.
    private let shortest: Duration
    private static let share = 20
    /// A database that did not answer for a while must not put it off for long.
    private static let longest = Duration.seconds(60)

    init(shortest: Duration) {
        self.shortest = shortest
    }

    /// Notes how many dead rows the server counts.
    func note(dead: Int64) {
        state.withLock { $0.dead = dead }
    }

    /// Where a claim that begins now should start in each lane; empty: everywhere from the start.
    func places(at now: ContinuousClock.Instant = .now) -> [Int64: Place] {
        isDue(.claim, at: now) ? [:] : state.withLock(\.places)
    }

    /// Whether this one may begin at the start; says so to one of several that ask at the same time.
    func isDue(_ walk: Walk, at now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            guard state.dead >= Self.bloatedAt else { return true }
            if let due = state.due[walk], now < due { return false }
            state.due[walk] = now + shortest
            return true
        }
    }

    /// Notes how long one from the start took.
    func walked(_ walk: Walk, since began: ContinuousClock.Instant, at now: ContinuousClock.Instant = .now) {
        state.withLock { $0.due[walk] = now + max(shortest, min((now - began) * Self.share, Self.longest)) }
    }

    /// Notes the last place in each lane that a claim of so many jobs returned.
    func note(_ lasts: [Int64: Place], jobs: Int, fromStart: Bool) {
        state.withLock { state in
            state.dead += Int64(jobs)
            for (lane, last) in lasts {
                // Another claim may have come further meanwhile. A claim from the start may lead back: what became ready
                // behind is a run of many, as a rule, and the next claim goes on in it.
                state.places[lane] = fromStart ? last : max(state.places[lane] ?? last, last)
            }
        }
    }
}
