import JobQueue
import Synchronization

/// Tells an outage of a service from a fault of one part.
///
/// Only failures of the part itself cost attempts. After a failure the service has to answer somebody: another transfer
/// that begins now, or a neutral request that no part is needed for. If it does, the part is to blame; if it does not,
/// the breaker is open, and nothing is begun until the service is back.
final class ServiceHealth: Sendable {
    /// Who is to blame.
    enum Verdict: Sendable, Equatable {
        /// Count the attempt.
        case part
        /// The service stumbles, but works for others: give the job back, go on.
        case passing
        /// Nobody gets an answer: give the job back; the breaker is open.
        case outage
    }

    private let breaker: Breaker
    private let excused = Mutex<[Int64: Int]>([:])
    private let blamed = Atomic(0)
    /// When the youngest video that came began to be asked for.
    private let soundVideos = Mutex<ContinuousClock.Instant?>(nil)

    /// Stumbles of services that answered others, since the start.
    var stumbles: Int { blamed.load(ordering: .relaxed) }

    /// Times that one part is excused in a row where nothing can be asked instead of it.
    private static let excuses = 6
    /// The same where the bucket lists but stores nothing for anybody: hours, since a bucket does not refuse one object.
    private static let bucketExcuses = 500
    private let patience: Duration

    /// - Parameters:
    ///   - breaker: what sends neutral requests, and hears of answers.
    ///   - patience: how long another transfer's answer is waited for before a neutral request is sent.
    init(breaker: Breaker, patience: Duration = .seconds(1)) {
        self.breaker = breaker
        self.patience = patience
    }

    /// A request of this service that was sent at `began` was answered well.
    /// - Parameters:
    ///   - service: who answered.
    ///   - began: when it was asked.
    ///   - isVideo: whether the media servers sent a video: stills say nothing of those that send videos.
    func succeeded(_ service: Service, began: ContinuousClock.Instant, isVideo: Bool = false) {
        breaker.sound(service, began: began)
        guard isVideo else { return }
        soundVideos.withLock { $0 = max($0 ?? began, began) }
    }

    /// Judges a 5xx, a timeout or a broken connection; waits for evidence, some seconds at most.
    /// - Parameters:
    ///   - service: who failed.
    ///   - part: whose try it was.
    ///   - isVideo: whether a video was asked for: the servers that send those may be away while stills come.
    /// - Returns: who is to blame.
    func judge(_ service: Service, part: Int64, isVideo: Bool = false) async -> Verdict {
        let failed = ContinuousClock.now
        if breaker.isOpen(service) { return .outage }
        while failed.duration(to: .now) < patience, !Task.isCancelled {
            if wasSound(service, after: failed, isVideo) {
                return blame(part, times: service == .storage ? Self.excuses : 0)
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return switch await breaker.ask(service, after: failed) {
        case .silent: .outage
        case .answers: blame(part, times: service == .storage ? Self.bucketExcuses : 0)
        case .unknown, .notAsked: blame(part, times: Self.excuses)
        }
    }

    private func wasSound(_ service: Service, after instant: ContinuousClock.Instant, _ isVideo: Bool) -> Bool {
        guard service == .media, isVideo else { return breaker.wasSound(service, after: instant) }
        return soundVideos.withLock { $0.map { $0 > instant } ?? false }
    }

    /// Blames the part once its excuses are used up.
    private func blame(_ part: Int64, times: Int) -> Verdict {
        blamed.add(1, ordering: .relaxed)
        return excused.withLock { excused in
            excused[part, default: 0] += 1
            return excused[part, default: 0] > times ? .part : .passing
        }
    }

    /// The part ended: nothing needs to be remembered of it.
    func forget(part: Int64) {
        excused.withLock { _ = $0.removeValue(forKey: part) }
    }
}
