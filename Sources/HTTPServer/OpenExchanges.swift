import Synchronization

/// Requests that have begun and whose answers are not sent yet.
final class OpenExchanges: Sendable {
    private struct State {
        var count = 0
        /// Of those who wait until there is none.
        var ends: [AsyncStream<Never>.Continuation] = []
    }

    private let state = Mutex(State())

    /// A request line has arrived.
    func begin() { state.withLock { $0.count += 1 } }

    /// Its answer has gone out to the last byte, or its connection is broken.
    func end() {
        let ends = state.withLock { state -> [AsyncStream<Never>.Continuation] in
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { state.ends = [] }
            return state.ends
        }
        for end in ends { end.finish() }
    }

    /// Waits until all that have begun are answered, at most so long.
    func settle(within patience: Duration) async {
        let (ended, end) = AsyncStream.makeStream(of: Never.self)
        let isQuiet = state.withLock { state in
            if state.count > 0 { state.ends.append(end) }
            return state.count == 0
        }
        guard !isQuiet else { return }
        let timer = Task {
            try await Task.sleep(for: patience)
            end.finish()
        }
        defer { timer.cancel() }
        for await _ in ended {}
    }
}
