import Synchronization

/// A value that is set once, from any thread, and awaited by one task.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, Never>)
        case fired(Value)
    }

    private let state = Mutex(State.empty)

    /// Sets the value, unless it is set already.
    /// - Returns: whether this call set it.
    @discardableResult
    func fire(_ value: Value) -> Bool {
        state.withLock { state in
            switch state {
            case .empty: break
            case .awaited(let continuation): continuation.resume(returning: value)
            case .fired: return false
            }
            state = .fired(value)
            return true
        }
    }

    var hasFired: Bool {
        state.withLock { if case .fired = $0 { true } else { false } }
    }

    /// Waits for the value; at most one task may.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                switch state {
                case .empty: state = .awaited(continuation)
                case .awaited: preconditionFailure("a OneShot is awaited by one task only")
                case .fired(let value): continuation.resume(returning: value)
                }
            }
        }
    }

    /// Waits for the value; if the task is cancelled before it is set, sets it to `value`.
    func value(ifCancelled value: Value) async -> Value {
        await withTaskCancellationHandler {
            await self.value()
        } onCancel: {
            fire(value)
        }
    }
}
