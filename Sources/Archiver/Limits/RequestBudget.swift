package import GooglePhotos
import HTTPClient
package import JobQueue
package import Logging
import Postgres

/// This process's share of Google's daily quotas, drawn from the database in batches before requests are sent.
///
/// All processes of one OAuth client's project draw from the same rows, so that together they stay within the quota.
package actor RequestBudget {
    /// Requests a day, as the owner set them.
    package struct Limits: Sendable, Equatable {
        /// Google's own: 10,000 and 75,000 a project and day (Photos APIs: "API limits and quotas").
        package var api = 10_000, media = 75_000
        package init() {}
    }

    /// A batch that is being used up.
    private struct Batch {
        var left: Int
        let day: String
        let ends: ContinuousClock.Instant
    }

    private let queue: JobQueue
    private let project: String
    private let limits: Limits
    private let logger: Logger
    private var batches: [QuotaKind: Batch] = [:]
    private var draws: [QuotaKind: Task<Void, any Error>] = [:]
    /// When the database last said that nothing is left, and until when that holds.
    private var spent: [QuotaKind: (asked: ContinuousClock.Instant, ends: ContinuousClock.Instant)] = [:]

    /// Nothing is drawn yet.
    package init(queue: JobQueue, project: String, limits: Limits, logger: Logger) {
        self.queue = queue
        self.project = project
        self.limits = limits
        self.logger = logger
    }

    /// Waits for one request to be allowed; with the database away, until it is back or the task is cancelled.
    ///
    /// - Parameter kind: what Google counts it as.
    /// - Throws: `.budgetSpent`, with the time until Google's next day.
    package func admit(_ kind: RequestKind) async throws(PhotosError) {
        let kind: QuotaKind = kind == .api ? .api : .media
        while true {
            if var batch = batches[kind], batch.left > 0, .now < batch.ends {
                batch.left -= 1
                batches[kind] = batch
                return
            }
            if let spent = spent[kind], spent.asked.duration(to: .now) < Self.recheck, .now < spent.ends {
                throw exhausted(kind, ContinuousClock.now.duration(to: spent.ends))
            }
            do {
                try await draw(kind)
            } catch let error as PostgresError where error.isTransient && !Task.isCancelled {
                logger.log(.warning, "waiting for the database", ["error": .string("\(error)")])
                // Cancellation is seen below.
                try? await Task.sleep(for: .seconds(1))
            } catch {
                guard !Task.isCancelled else { throw Self.cancelled }
                throw PhotosError(
                    code: .budgetSpent(until: Self.recheck),
                    message: "The database did not say how many requests are left today: \(error)"
                )
            }
            guard !Task.isCancelled else { throw Self.cancelled }
        }
    }

    /// How long the answer "nothing left" is believed: others may give back what they did not need, or the limit may rise.
    private static let recheck = Duration.seconds(5)
    private static let cancelled = PhotosError(code: .transport(.cancelled), message: "The task was cancelled.")

    /// Draws a batch, or waits for the draw that is under way.
    private func draw(_ kind: QuotaKind) async throws {
        let task = draws[kind] ?? Task { try await fetch(kind) }
        draws[kind] = task
        try await task.value
    }

    /// Notes what it drew before it returns, so that whoever waits for it finds it.
    private func fetch(_ kind: QuotaKind) async throws {
        defer { draws[kind] = nil }
        let limit = kind == .api ? limits.api : limits.media
        // A hundredth, so that a few processes that hold one each leave no hole in the day.
        let batch = min(100, max(1, limit / 100))
        let sent = ContinuousClock.now
        let grant = try await queue.draw(project: project, kind, limit: limit, batch: batch)
        // Once an optimiser went on here in the database's thread: a trap is better than two threads in these dictionaries.
        preconditionIsolated()
        if grant.requests > 0 {
            spent[kind] = nil
            batches[kind] = Batch(left: grant.requests, day: grant.day, ends: sent + grant.lasts)
        } else {
            spent[kind] = (sent, sent + grant.lasts)
        }
    }

    private func exhausted(_ kind: QuotaKind, _ left: Duration) -> PhotosError {
        let limit = kind == .api ? limits.api : limits.media
        let what = kind == .api ? "Library API" : "media"
        return PhotosError(
            code: .budgetSpent(until: left),
            message: "Google's quota of \(limit) \(what) requests a day for project \(project) is used up; "
                + "it starts anew at midnight Pacific time."
        )
    }

    /// Google says that the day is used up, whatever was counted here.
    ///
    /// - Parameter kind: which quota.
    /// - Returns: time until the next day; nil where the day has hardly begun, so that Google's clock may still be on the
    ///   last one.
    package func refused(_ kind: RequestKind) async -> Duration? {
        let kind: QuotaKind = kind == .api ? .api : .media
        // Without the database the pause is the ordinary one, and Google says it again.
        guard let pause = try? await queue.refuse(project: project, kind) else { return nil }
        batches[kind] = nil
        return pause
    }

    /// Gives back what was drawn and not needed; for the end of a process.
    package func giveBack() async {
        for (kind, batch) in batches where batch.left > 0 {
            // Should the database be away now, the day ends a batch early.
            try? await queue.giveBack(project: project, kind, day: batch.day, requests: batch.left)
        }
        batches = [:]
    }
}
