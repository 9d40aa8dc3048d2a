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
    var since: String?
    var until: String?
    var order = WorkOrder.newest
    /// Whether the owner takes a full scan with what it misses and could not read.
    var acceptsGaps = false
    /// Longest wait for one thing: an answer of Google, a person, another process; nil: as long as it takes.
    var maxWait: Duration?
    /// When it ends, whatever it does; nil: no limit.
    var endsBy: ContinuousClock.Instant?
    let stop: StopSignal
    /// Called once, before the first page of a full listing of a source that is known.
    var forecast: @Sendable (ScanForecast) -> Void = { _ in }
    let progress: @Sendable (ScanProgress) -> Void

    /// A listing that took longer is followed by a look at its front.
    var short = Duration.seconds(10)
    /// Before what seemed empty or cut off is asked for again.
    var silence = Duration.seconds(5)
    /// After which an empty page is asked for again in the middle of a listing.
    var emptyPageAge = Duration.seconds(60)

    /// - Throws: `LedgerError`, `PhotosError`, `PostgresError`, `ArchiverError`.
    func run() async throws -> ScanSummary {
        let began = ContinuousClock.now
        let ticket = try await context.ledger.openScan(source: source, since: since, until: until)
        // Not before: opening ends an abandoned scan of another range, whose items are known from then on.
        let known = try await context.ledger.knownItems(source: source)
        context.logger.log(
            .info,
            "scan started",
            ["scan": .integer(ticket.id), "resumed": .boolean(ticket.resumed), "full": .boolean(ticket.isFull)]
        )
        do {
            try await foretell(ticket, known: known)
            // Comparing a million items takes seconds, on a busy server longer than the lease: it is kept until the end.
            return try await keepingLease(of: ticket) {
                let listing = try await context.items.listing(for: self, ticket)
                let end = try await passes(ticket, of: listing, since: began)
                if context.picker != nil {
                    _ = try await answered { try await context.ledger.revivePicked(source: source) }
                    // From here on a backup of before is refused: it would not know what to fetch.
                    try await Marker.leave(context)
                }
                return try await conclude(ticket, known: known, end)
            }
        } catch let error as PhotosError where context.items.isFinal(error) {
            // The error itself is the message; a ledger that cannot note it now finds the scan open and goes on with it.
            _ = try? await context.ledger.finish(ticket, outcome: "failed", reason: error.message)
            throw error
        } catch {
            // Whoever comes next need not wait for the lease to run out.
            try? await context.ledger.letGo(ticket)
            throw error
        }
    }

    /// Says what the listing will cost of Google's quota, as far as the ledger can know.
    private func foretell(_ ticket: ScanTicket, known: Int64) async throws {
        // What a first one has found so far says nothing of what is left.
        guard ticket.isFull, known > 0 else { return }
        let expected = try await context.ledger.expectedItems(source: source)
        guard expected > 0 else { return }
        let listed = ticket.pageToken == nil ? 0 : try await context.ledger.counts(ticket).seen
        forecast(ScanForecast(items: expected, listed: min(listed, expected)))
    }

    /// Ends the pass: as complete, or as suspicious where it saw too little to be believed.
    private func conclude(_ ticket: ScanTicket, known: Int64, _ end: ListingEnd) async throws -> ScanSummary {
        let counts = try await answered { try await context.ledger.counts(ticket) }
        // Of a picker each session has to bring something: whoever presses Done has picked.
        if (context.picker == nil ? known + counts.new : counts.seen) == 0 {
            let reason = nothing(unreadable: counts.unreadable)
            _ = try await answered {
                try await context.ledger.finish(ticket, outcome: "suspicious", reason: reason)
            }
            throw ArchiverError(code: .nothingFound, message: reason)
        }
        let comparison =
            ticket.isFull ? try await answered { try await context.ledger.comparison(ticket, end: end.token) } : nil
        let completeness = comparison.map { Completeness(comparison: $0) }
        let doubt =
            acceptsGaps && ticket.isFull ? completeness?.reasonNotToAccept : completeness?.reason
        let accepts = acceptsGaps && ticket.isFull && doubt == nil
        let ended = try await answered {
            try await context.ledger.finish(
                ticket,
                outcome: doubt == nil ? "complete" : "suspicious",
                reason: doubt,
                missing: comparison?.missing,
                accepted: accepts,
                end: end.token
            )
        }
        context.logger.log(
            doubt == nil ? .info : .warning,
            doubt == nil ? "scan complete" : "scan suspicious",
            [
                "scan": .integer(ticket.id), "pages": .integer(counts.pages), "seen": .integer(counts.seen),
                "items": .integer(ended.items ?? 0),
                "new": .integer(counts.new), "missing": .integer(comparison?.missing ?? 0),
                "unreadable": .integer(counts.unreadable),
            ]
        )
        return ScanSummary(
            id: ticket.id,
            pages: counts.pages,
            items: ended.items ?? counts.seen,
            new: counts.new,
            isFull: ticket.isFull,
            startedAt: ticket.startedAt,
            unreadable: counts.unreadable,
            missing: comparison?.missing ?? 0,
            returned: comparison?.returned ?? 0,
            doubt: doubt,
            isAccepted: accepts,
            goesOn: ticket.resumed && end.beganBehind && context.picker == nil,
            end: end
        )
    }

    /// Why a listing that shows nothing is not believed.
    private func nothing(unreadable: Int64) -> String {
        let entries = unreadable > 0 ? " that can be read (\(unreadable) entries had no id)" : ""
        if context.picker != nil {
            return
                "Google says that the picking is done, and lists no photo or video\(entries) that was picked. Run it again, "
                + "and pick."
        }
        return
            "Google listed no photo or video at all\(entries). Since 31 March 2025 the Library API shows only what the "
            + "same OAuth client uploaded: check that the credentials belong to the client that uploaded the photos. What a phone "
            + "backed up has two ways out: pick it by hand (COLDROLL_SOURCE=picker), or ask Google Takeout."
    }

    /// - Throws: `ArchiverError` once a stop was asked for.
    func checkStop() throws {
        guard stop.level == .none else {
            throw ArchiverError(
                code: .interrupted,
                message:
                    "The scan was stopped between two pages. What it listed is queued, and what was stored is recorded; the next "
                    + "'coldroll run' or 'coldroll scan' goes on with it."
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
        let result: Result<R, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        // Awaited: one that is under way would renew what the caller lets go.
        renewal.cancel()
        _ = await renewal.result
        return try result.get()
    }
}
