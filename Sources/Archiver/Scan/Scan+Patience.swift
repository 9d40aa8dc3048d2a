import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Postgres

extension Scan {
    /// Repeats a request while Google is away or asks for a pause: at least 1 s after a 5xx, 30 s after a 429, as
    /// its best practices say; as long as an outage or a quota lasts, but at most a day without an
    /// answer, half an hour where the answers are no pages, and never beyond the deadline.
    func patiently<R: Sendable>(_ body: () async throws(PhotosError) -> R) async throws -> R {
        var pause = Duration.seconds(1)
        var waitingSince = ContinuousClock.now
        var told = ""
        var deadline: ContinuousClock.Instant?
        while true {
            let sent = ContinuousClock.now
            do {
                let result = try await body()
                context.breaker.sound(.library, began: sent)
                return result
            } catch {
                deadline = deadline ?? self.deadline()
                let delay: Duration
                switch error.code {
                case .quota, .dailyQuota:
                    delay = try await slowDown(error, sent: sent, until: deadline)
                    // A quota is not an outage: it ends by itself, and waiting for it is what the owner expects.
                    waitingSince = .now
                case .budgetSpent(let left):
                    delay = min(left, Self.budgetStep)
                    waitingSince = .now
                case .unavailable(let retryAfter): delay = max(retryAfter ?? .zero, pause)
                case .transport(let code) where code != .untrusted && code != .badURL && code != .tooLarge:
                    delay = pause
                // An answer that is no page says nothing of the page, whatever its status.
                case .auth(.unavailable), .malformed: delay = pause
                default: throw error
                }
                let patience = error.code == .malformed ? Self.patienceWithNonsense : Self.patience
                guard waitingSince.duration(to: .now) < patience else { throw error }
                if error.message != told {
                    context.logger.log(.warning, "listing waits", ["error": .string(error.message)])
                }
                told = error.message
                try await sleep(min(delay * Double.random(in: 1...1.25), left(until: deadline)))
                try check(deadline, error.message)
                if error.isOutage, case .silent = await context.breaker.ask(.library, after: sent) {
                    while context.breaker.isOpen(.library), waitingSince.duration(to: .now) < Self.patience {
                        try await sleep(.milliseconds(500))
                        try check(deadline, error.message)
                    }
                } else {
                    pause = min(pause * 2, .seconds(60))
                }
            }
        }
    }

    /// Longest wait for an answer: a day, as long as a quota lasts.
    private static let patience = Duration.seconds(86_400)
    /// The same where it answers, but no page.
    private static let patienceWithNonsense = Duration.seconds(1800)

    /// Between two looks at a budget that is used up: other processes may give back what they did not need, and a person
    /// may open the day again.
    private static let budgetStep = Duration.seconds(5)

    /// Parks the source for the workers too; the database may be away as well.
    private func slowDown(
        _ error: PhotosError,
        sent: ContinuousClock.Instant,
        until deadline: ContinuousClock.Instant?
    ) async throws -> Duration {
        var asked: Duration?
        if case .quota(let retryAfter) = error.code { asked = retryAfter.map { max($0, .seconds(1)) } }
        let slowdown = Ending.Slowdown(
            asked: asked,
            sent: sent,
            daily: error.code == .dailyQuota ? .api : nil,
            reason: error.message
        )
        do {
            let pause = try await persistently(
                for: Self.databasePatience,
                context.logger,
                unless: { stop.level != .none || left(until: deadline) == .zero }
            ) { () async throws(PostgresError) in try await context.slowDown(source: source, slowdown) }
            // A day that is closed sends nothing to Google, but may be opened again.
            return pause.isDayClosed ? min(pause.length, Self.budgetStep) : max(.seconds(1), pause.length)
        } catch {
            try checkStop()
            try check(deadline, error.message)
            throw error
        }
    }

    /// Until when whatever it begins to wait for now is waited for; nil: as long as it takes.
    func deadline() -> ContinuousClock.Instant? {
        guard let wait = maxWait.map({ ContinuousClock.now + $0 }) else { return endsBy }
        return min(wait, endsBy ?? wait)
    }

    private func left(until deadline: ContinuousClock.Instant?) -> Duration {
        deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) } ?? Self.patience
    }

    /// - Parameters:
    ///   - deadline: of the wait.
    ///   - reason: what it waits for, as a sentence.
    /// - Throws: `ArchiverError` from the deadline on.
    func check(_ deadline: ContinuousClock.Instant?, _ reason: String) throws {
        guard let deadline, ContinuousClock.now >= deadline else { return }
        let what = context.items.kind == PickerSource.kind ? "What you pick" : "The library"
        throw ArchiverError(
            code: .outOfTime,
            message:
                "\(what) is not listed to its end, and the time that --max-wait allows is over: \(reason) What was "
                + "listed is queued; the next scan goes on with it."
        )
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

extension PhotosError {
    /// Whether the Library API did not answer.
    fileprivate var isOutage: Bool {
        switch code {
        case .unavailable, .transport, .auth(.unavailable): true
        default: false
        }
    }
}
