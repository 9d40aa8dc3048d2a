import Synchronization

/// What the loop's thread moves and how long it has nothing to do; written on that thread, read from any.
final class PaceMeter: Sendable {
    private struct State {
        var pace = HTTPClient.Pace()
        /// Since when the thread waits; nil while it does not.
        var waiting: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Counts bytes of bodies, either way.
    func add(_ bytes: Int) { state.withLock { $0.pace.moved += Int64(bytes) } }

    func beginWait(at now: ContinuousClock.Instant = .now) { state.withLock { $0.waiting = now } }

    func endWait(at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            if let since = state.waiting { state.pace.waited += since.duration(to: now) }
            state.waiting = nil
        }
    }

    /// A wait that is going on counts up to `now`.
    func current(at now: ContinuousClock.Instant = .now) -> HTTPClient.Pace {
        state.withLock { state in
            var pace = state.pace
            if let since = state.waiting { pace.waited += max(.zero, since.duration(to: now)) }
            return pace
        }
    }
}
