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
    ///
    /// The task is resumed outside the lock: whoever cancels it holds the runtime's lock of that task while `fire` is
    /// called, and resuming takes that lock as well (Swift, `withTaskCancellationHandler`, "Cancellation handlers and locks").
    /// - Returns: whether this call set it.
    @discardableResult
    func fire(_ value: Value) -> Bool {
        let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Value, Never>?) in
            defer { if case .fired = state {} else { state = .fired(value) } }
            return switch state {
            case .empty: (true, nil)
            case .awaited(let continuation): (true, continuation)
            case .fired: (false, nil)
            }
        }
        waiter?.resume(returning: value)
        return isFirst
    }

    var hasFired: Bool {
        state.withLock { if case .fired = $0 { true } else { false } }
    }

    /// Waits for the value; at most one task may.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let fired = state.withLock { state -> Value? in
                switch state {
                case .empty: state = .awaited(continuation)
                case .awaited: preconditionFailure("a OneShot is awaited by one task only")
                case .fired(let value): return value
                }
                return nil
            }
            if let fired { continuation.resume(returning: fired) }
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
