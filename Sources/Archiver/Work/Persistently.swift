import Logging
import Postgres

/// Repeats a queue call until the database answers: jobs in hand are worth waiting for.
///
/// - Parameters:
///   - limit: longest time without an answer; then the last error is thrown.
///   - logger: told once when the wait begins.
///   - isOver: true ends the wait as well.
///   - body: a statement that may be repeated.
/// - Returns: what the body returned.
/// - Throws: the body's last error.
func persistently<R: Sendable>(
    for limit: Duration,
    _ logger: Logger,
    unless isOver: () -> Bool = { false },
    _ body: () async throws(PostgresError) -> R
) async throws(PostgresError) -> R {
    let end = ContinuousClock.now + limit
    var pause = Duration.milliseconds(50)
    while true {
        do {
            return try await body()
        } catch {
            guard error.isTransient, ContinuousClock.now < end, !Task.isCancelled, !isOver() else { throw error }
            if pause == .milliseconds(50) {
                logger.log(.warning, "waiting for the database", ["error": .string("\(error)")])
            }
            // Cancellation is seen above, on the next turn.
            try? await Task.sleep(for: pause * Double.random(in: 0.5...1.5))
            pause = min(pause * 2, .seconds(5))
        }
    }
}
