import CloudStorage
import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Media
import Postgres

extension Ledger {
    /// Doubts what has the same bytes as another item, and says so; how many parts that were not doubted before.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult
    func doubtTwins(sources: [Int64], telling logger: Logger) async throws(PostgresError) -> Int64 {
        let doubted = try await doubtTwins(sources: sources)
        if doubted > 0 {
            logger.log(
                .info,
                "stored parts have the same bytes as another item: each is fetched once more, to see whether it is its own",
                ["parts": .integer(doubted)]
            )
        }
        return doubted
    }
}

/// Parts that are stored, and whose bytes another item has too.
extension Transfer {
    /// Fetches a stored part again: it is confirmed, replaced, or cannot be checked, which is told as what it means.
    func checked(_ attempt: inout Try) async -> Ending {
        do {
            attempt.stored = try await context.queue.doubt(of: attempt.job.reference.part)
        } catch {
            return ending(of: error, attempt.job, .storage, attempt.began)
        }
        let name = attempt.job.objectName
        let ending = await repeated(&attempt)
        guard let stored = attempt.stored else { return ending }
        return ending.unchecked(Self.standing(attempt.job.reference.part, name, stored))
    }

    /// Downloads a stored part and compares it with what is stored; nothing is sent.
    ///
    /// - Throws: as `Judge.compare`, and what the download does.
    func compare(_ job: ClaimedJob, _ url: BaseURL, _ doubts: Doubts, _ stored: Doubt) async throws -> Completion.Result
    {
        let inspector = Inspection()
        let buffer = try await BodyBuffer(budget: context.budget, allowance: 2 * ByteBudget.block) { bytes in
            inspector.consume(bytes)
        }
        defer { buffer.abandon() }
        let began = ContinuousClock.now
        let head = try await context.photos.download(url, job.kind.rendition, into: buffer)
        health.succeeded(.media, began: began, isVideo: job.kind.rendition == .video)
        try await readToEnd(buffer)
        let hasLength = head.header("Content-Encoding") == nil && head.contentLength != nil
        let judge = Judge(job: job, isFramed: hasLength || head.isChunked, doubts: doubts, recent: recent)
        try judge.compare(inspector.report(), buffer, with: stored)
        return .confirmed
    }

    /// What the part is stored as is not its own, or not any more, since it was edited: it goes on as one that is not stored, under another name.
    ///
    /// - Returns: nil to go on.
    func replace(_ attempt: inout Try, with bytes: BodyMarks.Bytes) async -> Ending? {
        let (old, claim) = (attempt.job.objectName, attempt.job.reference)
        do {
            let next = try await nextName(attempt.job) { name throws(PostgresError) in
                try await context.queue.replace(worker: worker, claim, under: name)
            }
            switch next {
            case .name(let name): renamed(&attempt, name)
            case .leaseLost: return .cancelled
            case .allTaken:
                return .fail(
                    reason: "other-bytes",
                    message:
                        "Google has given yet other bytes for this part, and every name that it may have is taken, also by what "
                        + "was stored for it before."
                )
            }
        } catch {
            return ending(of: error, attempt.job, attempt.service, attempt.began)
        }
        context.logger.log(
            .warning,
            "Google has other bytes for a part than those that were stored, which another item has: they are stored under another name",
            [
                "part": .integer(claim.part), "twin": .integer(attempt.stored?.twin ?? 0), "before": .string(old),
                "name": .string(attempt.job.objectName),
            ]
        )
        attempt.stored = nil
        attempt.expected = bytes
        context.baseURLs.forget(attempt.job.sourceItem)
        return nil
    }

    private static func standing(_ part: PartID, _ name: String, _ stored: Doubt) -> String {
        "It stands in the archive as \(name), with the same bytes as part \(stored.twin) of another item, so one of them may "
            + "be wrong. Look at it there: if it is the right one, keep it by 'coldroll accept \(part)'."
    }
}

extension Ending {
    /// The same for a part that is stored, but could not be checked: whatever else it would mean, it is not to be passed over.
    fileprivate func unchecked(_ standing: String) -> Ending {
        switch self {
        case .complete(.dead(let reason)), .complete(.skipped(let reason)):
            .complete(.dead(reason: "\(reason). \(standing)"))
        case .fail(let reason, let message, let pause):
            .fail(reason: reason, message: "\(message) \(standing)", after: pause)
        default: self
        }
    }
}
