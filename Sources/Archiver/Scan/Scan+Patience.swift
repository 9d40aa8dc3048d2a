import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Logging

extension Scan {
    /// Repeats a request while Google is away or asks for a pause: at least 1 s after a 5xx, 30 s after a 429, as
    /// its best practices say; gives up after about half an hour without an answer.
    func patiently<R: Sendable>(_ body: () async throws(PhotosError) -> R) async throws -> R {
        var pause = Duration.seconds(1)
        var waited = Duration.zero
        while true {
            do {
                return try await body()
            } catch {
                let delay: Duration
                switch error.code {
                case .quota(let retryAfter):
                    delay = max(retryAfter, .seconds(1))
                    try await context.queue.park(source: source, lane: nil, for: delay, reason: error.message)
                    // A quota is not an outage: it ends by itself, and waiting for it is what the owner expects.
                    waited = .zero
                case .unavailable(let retryAfter): delay = max(retryAfter ?? .zero, pause)
                case .transport(let code) where code != .untrusted && code != .badURL && code != .tooLarge:
                    delay = pause
                // An answer that is no page says nothing of the page, whatever its status.
                case .auth(.unavailable), .malformed: delay = pause
                default: throw error
                }
                waited += delay
                guard waited < .seconds(1800) else { throw error }
                context.logger.log(.warning, "listing waits", ["error": .string(error.message)])
                try await sleep(delay * Double.random(in: 1...1.25))
                pause = min(pause * 2, .seconds(60))
            }
        }
    }

    /// Sleeps in steps of at most a second, so that a stop is seen.
    func sleep(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try checkStop()
            try await Task.sleep(for: min(.seconds(1), end - .now))
        }
    }
}
