import GooglePhotos
import JobQueue
import Logging

extension Scan {
    /// Where a pass and the looks at what it listed lead.
    private enum Outcome {
        /// The listing is over: it ended there.
        case over(ListingEnd)
        /// It goes on behind what had seemed to be its end, with this token.
        case goesOn(String, after: ListingEnd)
    }

    /// What was recorded by a look or a pass would pass for known when it is met again, and hide what follows it: the pass has
    /// to begin anew.
    struct CutOff: Error {
        /// For the log, and why it is listed again.
        let reason: StaticString
    }

    /// Passes over the listing until one of them is over.
    ///
    /// - Parameters:
    ///   - ticket: of the scan.
    ///   - listing: which has the pages.
    ///   - began: when this process began with it.
    /// - Returns: where it ended.
    /// - Throws: as `run`; `.malformed` where the listing ends each time before its end.
    func passes(
        _ ticket: ScanTicket,
        of listing: any Listing,
        since began: ContinuousClock.Instant
    ) async throws -> ListingEnd {
        var token = ticket.pageToken
        // Whether no pass began at the first page, and whether what Google had forgotten was listed again.
        var (beganBehind, hasForgotten) = (token != nil, false)
        var surprises = 0, fullPage = Self.fullPage
        func surprise() throws {
            surprises += 1
            guard surprises <= Self.surprises else { throw Self.endsTooOften }
        }
        func beginAnew(_ reason: StaticString) async throws {
            context.logger.log(.warning, reason)
            try await answered { try await context.ledger.restart(ticket) }
            (token, beganBehind) = (nil, false)
        }
        while true {
            do {
                switch try await pass(ticket, of: listing, from: token, fullPage: fullPage, since: began) {
                case .goesOn(let next, let end):
                    try surprise()
                    (token, beganBehind) = (next, beganBehind && end.beganBehind)
                    fullPage = end.fullPage
                case .over(let end) where end.forgottenPages > 0 && !hasForgotten:
                    // Once: what is forgotten again is told.
                    hasForgotten = true
                    try await beginAnew(
                        "Google has forgotten where empty pages stood before they were asked for again: listing again"
                    )
                case .over(var end):
                    end.beganBehind = beganBehind && end.beganBehind
                    return end
                }
            } catch let cut as CutOff {
                try surprise()
                try await beginAnew(cut.reason)
            } catch let error as LedgerError where error.code == .scanRewound {
                context.logger.log(.warning, "pages were lost", ["error": .string(error.message)])
                token = try await answered { try await context.ledger.rewind(ticket) }
            }
        }
    }

    /// Lists from the page that `token` names to the end, then looks at what came before it and at what was empty.
    ///
    /// - Throws: `CutOff`, and as `run`.
    private func pass(
        _ ticket: ScanTicket,
        of listing: any Listing,
        from token: String?,
        fullPage: Int,
        since began: ContinuousClock.Instant
    ) async throws -> Outcome {
        var end = try await listToItsEnd(ticket, of: listing, from: token, fullPage: fullPage)
        if listing.growsAtFront, ticket.resumed || began.duration(to: .now) > short {
            try await lookAtFront(ticket, of: listing, after: end)
        }
        if let next = try await askEmptyPagesAgain(ticket, of: listing, &end) { return .goesOn(next, after: end) }
        return .over(end)
    }

    private static let endsTooOften = PhotosError(
        code: .malformed,
        message:
            "Google's listing seems to end each time before its end, or Google forgets where coldroll was in it; the scan stops. "
            + "Run it again: what was recorded is not lost."
    )
}
