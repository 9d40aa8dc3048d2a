import Synchronization

/// A person's or the system's wish that a process ends: once to finish what is in hand, twice to give it back at once.
package final class StopSignal: Sendable {
    /// How urgent it is.
    package enum Level: Int, Sendable, Comparable {
        case none, graceful, immediate
        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var level = Level.none
        var handlers: [@Sendable (Level) -> Void] = []
    }
    private let state = Mutex(State())

    package init() {}

    /// What was asked so far.
    package var level: Level { state.withLock { $0.level } }

    /// Asks once more: graceful first, immediate from the second time on.
    package func request() {
        let (level, handlers) = state.withLock { state in
            state.level = state.level == .none ? .graceful : .immediate
            return (state.level, state.handlers)
        }
        for handler in handlers { handler(level) }
    }

    /// Asks gracefully, unless somebody has asked already: an end that follows from a stop does not make it more urgent.
    package func requestOnce() {
        let handlers = state.withLock { state -> [@Sendable (Level) -> Void] in
            guard state.level == .none else { return [] }
            state.level = .graceful
            return state.handlers
        }
        for handler in handlers { handler(.graceful) }
    }

    /// Calls `handler` on every request from now on, and at once if one came before; on the caller's thread.
    package func onRequest(_ handler: @escaping @Sendable (Level) -> Void) {
        let level = state.withLock { state in
            state.handlers.append(handler)
            return state.level
        }
        if level != .none { handler(level) }
    }
}
