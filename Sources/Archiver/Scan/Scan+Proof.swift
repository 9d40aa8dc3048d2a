import GooglePhotos
import JobQueue
import Logging

extension Scan {
    /// Before each look through a listing that no later one repeats: what makes an answer lose its end lasts for a moment, as
    /// a rule.
    private static let silences = [Duration.seconds(5), .seconds(10)]
    /// Times that it may turn out to go on.
    static let surprises = 3

    /// As `listAll`; where nothing shows later what this pass leaves out, until looks that lie apart show no more.
    func listToItsEnd(
        _ ticket: ScanTicket,
        of listing: any Listing,
        from start: String?,
        fullPage: Int
    ) async throws -> ListingEnd {
        var end = try await listAll(ticket, of: listing, from: start, fullPage: fullPage)
        guard listing.isShownOnce else { return end }
        await context.picker?.looksAgain(Self.silences.reduce(.zero, +))
        var surprises = 0
        while try await !isWhole(ticket, listing) {
            surprises += 1
            guard surprises <= Self.surprises else {
                throw PhotosError(
                    code: .malformed,
                    message:
                        "Google's listing of what was picked goes on each time behind where it had ended; the scan stops. Run "
                        + "it again: it goes on with the same picks."
                )
            }
            context.logger.log(.warning, "the listing had seemed to end, and goes on: listing again")
            try await answered { try await context.ledger.restart(ticket) }
            end = try await listAll(ticket, of: listing, from: nil)
        }
        return end
    }

    /// Whether looks that lie apart show nothing that is not recorded.
    private func isWhole(_ ticket: ScanTicket, _ listing: any Listing) async throws -> Bool {
        for silence in Self.silences {
            try await sleep(silence)
            let pages: [MediaPage]
            do {
                pages = try await allPages { token in
                    try checkStop()
                    return try await patiently { () async throws(PhotosError) in try await listing.page(token) }
                }
            } catch let error as PhotosError where error.code == .badPageToken || error.code == .malformed {
                return false
            }
            pages.forEach { context.baseURLs.offer($0.items) }
            let ids = pages.flatMap { $0.items.map(\.id) }
            if let session = listing.place(nil)?.session {
                let unlisted = try await answered {
                    try await context.ledger.unlistedItems(source: source, ids, session: session)
                }
                guard unlisted.isEmpty else { return false }
            }
            let recorded = try await answered { try await context.ledger.counts(ticket) }
            guard pages.reduce(0, { $0 + $1.unreadable.count }) <= recorded.unreadable else { return false }
        }
        return true
    }
}
