import HTTPServer
import Synchronization

/// A quota of requests a minute and project, as the Picker has them (Photos APIs: "API limits and quotas").
///
/// A minute begins with the first request after the last one ended; every request that arrives counts.
final class MinuteQuota: Sendable {
    private struct State {
        var since: ContinuousClock.Instant?
        var used = 0
        var refused = 0
    }

    private let limit: Int?
    private let state = Mutex(State())

    /// A limit of nil is none.
    init(_ limit: Int?) { self.limit = limit }

    /// Counts a request.
    /// - Returns: whether it is one too many.
    func isExceeded() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            if state.since.map({ now - $0 >= .seconds(60) }) ?? true {
                state.since = now
                state.used = 0
            }
            state.used += 1
            guard let limit, state.used > limit else { return false }
            state.refused += 1
            return true
        }
    }

    /// The next minute begins.
    func renew() { state.withLock { $0.since = nil } }

    /// Requests of this minute, and those that were refused since the start.
    var counts: (used: Int, refused: Int) { state.withLock { ($0.used, $0.refused) } }

    /// What the API says then.
    static let refusal = ServerAnswer.refusal(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'All requests' and limit 'All requests per minute' of service "
            + "'photospicker.googleapis.com' for consumer 'project_number:1'."
    )
}
