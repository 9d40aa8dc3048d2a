import Glibc
import Synchronization

/// Counts what happens on server threads; tasks wait for the nth time.
final class Event: Sendable {
    private struct State {
        var count = 0
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func fire() {
        state.withLock { state in
            state.count += 1
            for waiter in state.waiting where waiter.count <= state.count { waiter.continuation.resume() }
            state.waiting.removeAll { $0.count <= state.count }
        }
    }

    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                if state.count >= count { continuation.resume() } else { state.waiting.append((count, continuation)) }
            }
        }
    }

    /// For scripts: blocks the thread until the nth time.
    func block(for count: Int) { while self.count < count { usleep(1000) } }
}
