import Synchronization

/// How far claims have come in each lane, so that they need not walk over what is behind them.
///
/// A claimed job leaves a dead entry at the head of index `job_ready`. Vacuum removes it, but not while any transaction
/// holds a snapshot from before: then each claim would walk over all entries since, and a queue that is under load for
/// minutes comes to a halt. While the table is in that state (`isBloated`), claims begin where the last one ended. What
/// became ready behind that place (a retry, a job given back) is found by a claim from the start, which is made again and
/// again but never costs more than a tenth of the time. Nothing depends on a hint: one that is wrong only delays.
final class ClaimHints: Sendable {
    /// A place in the order of a lane.
    struct Place: Sendable, Comparable {
        let rank: Int64, part: Int64

        static func < (a: Place, b: Place) -> Bool { (a.rank, a.part) < (b.rank, b.part) }
    }

    private struct State {
        var isBloated = false
        var places: [Int64: Place] = [:]
        /// When the next claim from the start is due.
        var restart = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// Says whether the index has so many dead entries that it is worth beginning behind them.
    func note(isBloated: Bool) {
        state.withLock { $0.isBloated = isBloated }
    }

    /// Where a claim that begins now should start in each lane; empty: everywhere from the start.
    func begin(at now: ContinuousClock.Instant = .now) -> [Int64: Place] {
        state.withLock { state in
            guard state.isBloated, !state.places.isEmpty else { return [:] }
            guard now >= state.restart else { return state.places }
            // Others go on from their places while this one walks.
            state.restart = now + Self.shortest
            return [:]
        }
    }

    /// Notes what a claim that began at `start` returned: the last place in each lane.
    func end(
        _ lasts: [Int64: Place],
        fromStart: Bool,
        began: ContinuousClock.Instant,
        at now: ContinuousClock.Instant = .now
    ) {
        state.withLock { state in
            for (lane, last) in lasts {
                // Another claim may have come further meanwhile. A claim from the start may lead back: what became ready
                // behind is a run of many, as a rule, and the next claim goes on in it.
                state.places[lane] = fromStart ? last : max(state.places[lane] ?? last, last)
            }
            if fromStart { state.restart = now + max(Self.shortest, (now - began) * Self.pause) }
        }
    }

    /// Shortest time between claims from the start, and how many times as long as one took at least passes until the next.
    private static let shortest = Duration.seconds(1), pause = 10
}
