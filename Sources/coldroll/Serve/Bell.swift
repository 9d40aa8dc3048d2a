/// Wakes one loop before its time.
final class Bell: Sendable {
    private let rings: AsyncStream<Void>
    private let ringer: AsyncStream<Void>.Continuation

    init() { (rings, ringer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    /// Ends the wait that is under way, or the next one.
    func ring() { ringer.yield() }

    /// Returns when it was rung, when the time is over, or when the task is cancelled; for one caller at a time.
    func wait(_ limit: Duration) async {
        let timer = Task {
            try await Task.sleep(for: limit)
            ring()
        }
        defer { timer.cancel() }
        for await _ in rings { return }
    }
}
