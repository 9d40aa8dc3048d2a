import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Postgres

/// One enumeration pass: pages from Google, each recorded in one transaction with the token of the next.
///
/// Killed at any instant it loses nothing: the next scan goes on at the page whose token was committed last, and
/// items that are known already write nothing.
struct Scan {
    let context: ArchiveContext
    let source: Int64
    let since: String?
    let until: String?
    var order = WorkOrder.newest
    let stop: StopSignal
    let progress: @Sendable (ScanProgress) -> Void

    /// Times that a listing may start over because Google forgot its page token.
    private static let restarts = 3
    /// How long a page in hand waits for a database that is away: a restart of the server takes less.
    private static let databasePatience = Duration.seconds(600)

    /// - Throws: `LedgerError`, `PhotosError`, `PostgresError`, `ArchiverError`.
    func run() async throws -> ScanSummary {
        let ticket = try await context.ledger.openScan(source: source, since: since, until: until)
        // Not before: opening ends an abandoned scan of another range, whose items are known from then on.
        let known = try await context.ledger.knownItems(source: source)
        context.logger.log(
            .info,
            "scan started",
            ["scan": .integer(ticket.id), "resumed": .boolean(ticket.resumed), "full": .boolean(ticket.isFull)]
        )
        let unreadable: Int
        do {
            unreadable = try await keepingLease(of: ticket) { try await listAll(ticket) }
        } catch let error as PhotosError where error.isFinal {
            // The error itself is the message; a ledger that cannot note it now finds the scan open and goes on with it.
            _ = try? await context.ledger.finish(ticket, outcome: "failed", reason: error.message)
            throw error
        } catch {
            // Whoever comes next need not wait for the lease to run out.
            try? await context.ledger.letGo(ticket)
            throw error
        }
        return try await conclude(ticket, known: known, unreadable: unreadable)
    }

    /// Ends the pass: as complete, or as suspicious where it saw too little to be believed.
    private func conclude(_ ticket: ScanTicket, known: Int64, unreadable: Int) async throws -> ScanSummary {
        let (seen, new) = try await seenAndNew(ticket)
        if known + new == 0 {
            let reason =
                "Google listed no photo or video at all. Since 31 March 2025 the Library API shows only what the same "
                + "OAuth client uploaded: check that the credentials belong to the client that uploaded the photos."
            _ = try await context.ledger.finish(ticket, outcome: "suspicious", reason: reason)
            throw ArchiverError(code: .nothingFound, message: reason)
        }
        if ticket.isFull, seen * 2 < known {
            let reason =
                "This full scan saw \(seen) items, less than half of the \(known) that are known: it is not "
                + "recorded as a success. Check the account and its scopes, then scan again."
            _ = try await context.ledger.finish(ticket, outcome: "suspicious", reason: reason)
            throw ArchiverError(code: .nothingFound, message: reason)
        }
        let counts = try await context.ledger.finish(ticket, outcome: "complete", reason: nil)
        context.logger.log(
            .info,
            "scan complete",
            [
                "scan": .integer(ticket.id), "pages": .integer(counts.pages), "seen": .integer(counts.seen),
                "new": .integer(counts.new), "unreadable": .integer(Int64(unreadable)),
            ]
        )
        return ScanSummary(
            pages: counts.pages,
            seen: counts.seen,
            new: counts.new,
            isFull: ticket.isFull,
            startedAt: ticket.startedAt,
            unreadable: unreadable
        )
    }

    /// Over all processes that took part in the pass.
    private func seenAndNew(_ ticket: ScanTicket) async throws -> (seen: Int64, new: Int64) {
        let counts = try await context.ledger.counts(ticket)
        return (counts.seen, counts.new)
    }

    /// Walks every page; returns how many entries had no id.
    private func listAll(_ ticket: ScanTicket) async throws -> Int {
        var token = ticket.pageToken
        var restarts = 0
        // Tokens met in this pass: a circle would go round for ever, and never see the rest.
        var tokens: Set<String> = token.map { [$0] } ?? []
        var unreadable = 0
        var totals = (pages: 0, seen: 0, new: 0)
        while true {
            try checkStop()
            let page: MediaPage
            do {
                page = try await patiently { () async throws(PhotosError) in try await fetch(token) }
            } catch let error as PhotosError where error.code == .badPageToken && token != nil {
                restarts += 1
                guard restarts <= Self.restarts else { throw error }
                context.logger.log(.warning, "page token expired, listing again from the first page")
                try await context.ledger.restart(ticket)
                token = nil
                tokens = []
                continue
            }
            if let next = page.nextPageToken, !tokens.insert(next).inserted {
                throw PhotosError(
                    code: .malformed,
                    message: "Google answered a page that leads back to an earlier one; the scan stops. Run it again."
                )
            }
            let items = page.items.map { FoundItem($0, sourceLabel: context.sourceLabel) }
            context.baseURLs.offer(page.items)
            let counts = try await recorded(ticket, items, page)
            unreadable += page.unreadable
            totals = (totals.pages + 1, totals.seen + counts.seen, totals.new + counts.new)
            progress(ScanProgress(pages: totals.pages, seen: totals.seen, new: totals.new))
            guard let next = page.nextPageToken else { return unreadable }
            token = next
        }
    }

    /// Records a page, again while the database is away; a page that was recorded although the answer was lost is known.
    private func recorded(_ ticket: ScanTicket, _ items: [FoundItem], _ page: MediaPage) async throws -> PageCounts {
        let end = ContinuousClock.now + Self.databasePatience
        while true {
            do {
                return try await context.ledger.record(
                    ticket,
                    items,
                    unreadable: page.unreadable,
                    nextPageToken: page.nextPageToken,
                    order: order
                )
            } catch let error as PostgresError where error.isTransient && ContinuousClock.now < end {
                context.logger.log(.warning, "waiting for the database", ["error": .string("\(error)")])
                try await sleep(.seconds(1))
            }
        }
    }

    private func fetch(_ token: String?) async throws(PhotosError) -> MediaPage {
        guard since == nil, until == nil else {
            return try await context.photos.search(since: since, until: until, pageToken: token)
        }
        return try await context.photos.list(pageToken: token)
    }

    /// Repeats a request while Google is away or asks for a pause: at least 1 s after a 5xx, 30 s after a 429, as
    /// its best practices say; as long as an outage or a quota lasts, but at most a day without an answer.
    private func patiently<R: Sendable>(_ body: () async throws(PhotosError) -> R) async throws -> R {
        var pause = Duration.seconds(1)
        var waitingSince = ContinuousClock.now
        var told = ""
        while true {
            let sent = ContinuousClock.now
            do {
                let result = try await body()
                context.breaker.sound(.library, began: sent)
                return result
            } catch {
                let delay: Duration
                switch error.code {
                case .quota, .dailyQuota:
                    delay = try await slowDown(error, sent: sent)
                    // A quota is not an outage: it ends by itself, and waiting for it is what the owner expects.
                    waitingSince = .now
                case .budgetSpent(let left):
                    // In steps, since other processes may give back what they did not need.
                    delay = min(left, .seconds(5))
                    waitingSince = .now
                case .unavailable(let retryAfter): delay = max(retryAfter ?? .zero, pause)
                case .transport(let code) where code != .untrusted && code != .badURL && code != .tooLarge:
                    delay = pause
                case .auth(.unavailable): delay = pause
                default: throw error
                }
                guard waitingSince.duration(to: .now) < Self.patience else { throw error }
                if error.message != told { context.logger.log(.warning, "listing waits", ["error": .string(error.message)]) }
                told = error.message
                try await sleep(delay * Double.random(in: 1...1.25))
                if error.isOutage, case .silent = await context.breaker.ask(.library, after: sent) {
                    while context.breaker.isOpen(.library), waitingSince.duration(to: .now) < Self.patience {
                        try await sleep(.milliseconds(500))
                    }
                } else {
                    pause = min(pause * 2, .seconds(60))
                }
            }
        }
    }

    /// Longest wait for an answer: a day, as long as a quota lasts.
    private static let patience = Duration.seconds(86_400)

    /// Parks the source for the workers too; the database may be away as well.
    private func slowDown(_ error: PhotosError, sent: ContinuousClock.Instant) async throws -> Duration {
        var asked: Duration?
        if case .quota(let retryAfter) = error.code { asked = retryAfter.map { max($0, .seconds(1)) } }
        let slowdown = Ending.Slowdown(
            asked: asked,
            sent: sent,
            daily: error.code == .dailyQuota ? .api : nil,
            reason: error.message
        )
        return max(.seconds(1), try await context.slowDown(source: source, slowdown))
    }

    /// Sleeps in steps of at most a second, so that a stop is seen.
    private func sleep(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try checkStop()
            try await Task.sleep(for: min(.seconds(1), end - .now))
        }
    }

    /// - Throws: `ArchiverError` once a stop was asked for.
    func checkStop() throws {
        guard stop.level == .none else {
            throw ArchiverError(
                code: .interrupted,
                message: "The scan was stopped between two pages; the next scan goes on from here."
            )
        }
    }

    /// Renews the scan's lease beside the work, since a page may wait longer than a lease lasts.
    private func keepingLease<R: Sendable>(
        of ticket: ScanTicket,
        _ body: () async throws -> R
    ) async throws -> R {
        let ledger = context.ledger
        let watch = Task { [breaker = context.breaker] in await breaker.run() }
        defer { watch.cancel() }
        let renewal = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(8))
                // A failure shows at the next page: its transaction is fenced by the same lease.
                try? await ledger.renew(ticket)
            }
        }
        defer { renewal.cancel() }
        return try await body()
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

    /// Whether the same listing will fail again however long one waits.
    fileprivate var isFinal: Bool {
        switch code {
        case .insufficientScopes, .unauthenticated, .rejected, .foreignHost: true
        case .auth(let code): code != .unavailable
        default: false
        }
    }
}
