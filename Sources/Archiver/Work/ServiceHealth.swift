import Synchronization

/// Tells an outage of a service from a fault of one part.
///
/// Only failures of the part itself cost attempts. A part is suspected only if the service answered others since the
/// part's try began, and in the end even then: one bad part alone in the queue looks like an outage for ever.
final class ServiceHealth: Sendable {
    /// A place that requests go to.
    enum Service: Sendable, Hashable { case library, media, storage }

    /// Who is to blame.
    enum Verdict: Sendable, Equatable {
        /// Count the attempt.
        case part
        /// The service stumbles, but works for others: give the job back, go on.
        case passing
        /// Nobody gets an answer: give the job back, park the lanes.
        case outage
    }

    private struct State {
        var lastSuccess: [Service: ContinuousClock.Instant] = [:]
        var excused: [Int64: Int] = [:]
    }
    private let state = Mutex(State())

    /// Times that one part is excused in a row.
    private static let excuses = 6

    /// A request of this service was answered well.
    func succeeded(_ service: Service) {
        state.withLock { $0.lastSuccess[service] = .now }
    }

    /// Judges a 5xx, a 429 or a broken connection.
    /// - Parameters:
    ///   - service: who failed.
    ///   - part: whose try it was.
    ///   - began: when the try began.
    func judge(_ service: Service, part: Int64, since began: ContinuousClock.Instant) -> Verdict {
        state.withLock { state in
            let worksForOthers = state.lastSuccess[service].map { $0 > began } ?? false
            let excused = state.excused[part, default: 0]
            // A bucket never refuses one object for load: it is excused longer. Google's media servers do answer
            // 500 for single old videos (gphotos-sync issue 301).
            if worksForOthers, service != .storage || excused >= Self.excuses { return .part }
            state.excused[part] = excused + 1
            guard !worksForOthers else { return .passing }
            return excused >= Self.excuses ? .part : .outage
        }
    }

    /// The part ended: nothing needs to be remembered of it.
    func forget(part: Int64) {
        state.withLock { _ = $0.excused.removeValue(forKey: part) }
    }
}
