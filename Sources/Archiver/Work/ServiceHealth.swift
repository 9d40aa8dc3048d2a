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
        /// Parts that failed since the service last answered well.
        var failing: [Service: Set<Int64>] = [:]
        var excused: [Int64: Int] = [:]
    }
    private let state = Mutex(State())

    /// Times that one part is excused in a row.
    private static let excuses = 6
    /// Parts that must fail in a row before it counts as an outage: one bad id must not park a whole source.
    private static let partsOfAnOutage = 3

    /// A request of this service was answered well.
    func succeeded(_ service: Service) {
        state.withLock { state in
            state.lastSuccess[service] = .now
            state.failing[service] = nil
        }
    }

    /// Judges a 5xx, a 429 or a broken connection.
    /// - Parameters:
    ///   - service: who failed.
    ///   - part: whose try it was.
    ///   - began: when the try began.
    /// - Returns: who is to blame.
    func judge(_ service: Service, part: Int64, since began: ContinuousClock.Instant) -> Verdict {
        state.withLock { state in
            let worksForOthers = state.lastSuccess[service].map { $0 > began } ?? false
            let excused = state.excused[part, default: 0]
            state.excused[part] = excused + 1
            if worksForOthers {
                // A bucket never refuses one object for load: it is excused longer. Google's media servers and
                // batchGet do answer 500 for single items (gphotos-sync issues 33 and 301).
                return service == .storage && excused < Self.excuses ? .passing : .part
            }
            state.failing[service, default: []].insert(part)
            if state.failing[service, default: []].count >= Self.partsOfAnOutage { return .outage }
            return service == .storage || excused < Self.excuses ? .passing : .part
        }
    }

    /// The part ended: nothing needs to be remembered of it.
    func forget(part: Int64) {
        state.withLock { _ = $0.excused.removeValue(forKey: part) }
    }
}
