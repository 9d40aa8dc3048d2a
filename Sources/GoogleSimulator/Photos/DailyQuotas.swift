import HTTPServer
import Synchronization

/// Google's quotas of requests a day and project (Photos APIs: "API limits and quotas").
///
/// A day lasts until `newDay`. Every request that arrives counts, those that are refused or struck by a fault too.
final class DailyQuotas: Sendable {
    /// What a quota counts.
    enum Kind: Sendable, Hashable { case api, media }

    private struct State {
        var used: [Kind: Int] = [:]
        var refused: [Kind: Int] = [:]
    }

    private let limits: [Kind: Int]
    private let state = Mutex(State())

    /// A limit of nil is none.
    init(api: Int?, media: Int?) {
        var limits: [Kind: Int] = [:]
        limits[.api] = api
        limits[.media] = media
        self.limits = limits
    }

    /// Counts a request.
    /// - Returns: whether it is one too many.
    func exceeds(_ kind: Kind) -> Bool {
        state.withLock { state in
            state.used[kind, default: 0] += 1
            guard let limit = limits[kind], state.used[kind, default: 0] > limit else { return false }
            state.refused[kind, default: 0] += 1
            return true
        }
    }

    /// Midnight in California.
    func newDay() { state.withLock { $0 = State() } }

    /// Requests of this day, those refused included, and the refused ones.
    func counts(_ kind: Kind) -> (used: Int, refused: Int) {
        state.withLock { ($0.used[kind, default: 0], $0.refused[kind, default: 0]) }
    }

    /// What the API says then.
    static let apiRefusal = ServerAnswer.refusal(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'All requests' and limit 'All requests per day' of service "
            + "'photoslibrary.googleapis.com' for consumer 'project_number:1'."
    )
    /// What the media servers say then: a page, and nothing about when to come again.
    static let mediaRefusal = ServerAnswer.page(429, "Too many requests")
}
