import Synchronization

/// Says that the process was asked to stop: once means finish or give back in good order, twice means now.
package final class StopSignal: Sendable {
    private struct Waiter {
        let id: Int
        let requests: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var requests = 0
        var nextID = 0
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether a stop was asked for at least once.
    package var isRequested: Bool { requests >= 1 }

    /// Whether it was asked for twice: give everything back at once.
    package var hard: Bool { requests >= 2 }

    /// How often a stop was asked for.
    package var requests: Int { state.withLock { $0.requests } }

    /// Returns when a stop is asked for, at once if it was, or when the calling task is cancelled.
    package func wait() async { await wait(forRequests: 1) }

    /// Returns when a second stop is asked for, or when the calling task is cancelled.
    package func waitHard() async { await wait(forRequests: 2) }

    /// Asks for a stop; called for every signal.
    package func request() {
        let due = state.withLock { state in
            state.requests += 1
            let due = state.waiters.filter { $0.requests <= state.requests }
            state.waiters.removeAll { $0.requests <= state.requests }
            return due
        }
        for waiter in due { waiter.continuation.resume() }
    }

    private func wait(forRequests requests: Int) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isDue = state.withLock { state in
                    // A cancellation before this point found no waiter to resume, so it is looked for under the lock.
                    if state.requests >= requests || Task.isCancelled { return true }
                    state.waiters.append(Waiter(id: id, requests: requests, continuation: continuation))
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let index = state.waiters.firstIndex { $0.id == id }
                return index.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume()
        }
    }
}
