import GooglePhotos
import JobQueue
import Logging

/// Looks at what was listed already: what made an answer false lasts for a moment, as a rule.
extension Scan {
    /// Lists from the first page again, up to a page that holds nothing new: what was uploaded while a listing lasted, or
    /// stood still, comes before where it began.
    func lookAtFront(_ ticket: ScanTicket, of listing: any Listing) async throws {
        let page = try await pageInEarnest(nil, of: listing)
        try await look(ticket, of: listing, from: page)
    }

    /// Asks again for the pages that came without any item, whichever process listed them: a legal answer, and just what a
    /// page looks like that lost its items.
    ///
    /// One that has some now is taken, and what follows it up to a page that holds nothing new.
    /// - Returns: what those were asked for with that still have none, or that Google has forgotten.
    func askEmptyPagesAgain(_ ticket: ScanTicket, of listing: any Listing) async throws -> [String?] {
        let pages = try await answered { try await context.ledger.emptyPages(ticket) }
        guard !pages.isEmpty, !listing.isShownOnce else { return [] }
        try await sleep(silence)
        var empty: [String?] = []
        for page in pages {
            try checkStop()
            guard let filled = try await filled(page.token, of: listing) else {
                empty.append(page.token)
                continue
            }
            context.logger.log(
                .warning,
                "a page of the listing had seemed empty, and has items",
                ["page": .integer(page.number), "count": .integer(Int64(filled.items.count))]
            )
            try await look(ticket, of: listing, from: filled)
            try await answered { try await context.ledger.filled(page, of: ticket) }
        }
        return empty
    }

    /// Whether a listing still ends where it ended, and its empty pages are still empty: false if there is more now, or Google
    /// has forgotten the last page.
    func stillEnds(_ listing: any Listing, at end: ListingEnd) async throws -> Bool {
        for token in end.emptyPages {
            guard try await filled(token, of: listing) == nil else { return false }
        }
        do {
            for number in 0..<2 {
                // An entry that had no id in one answer has one in the next.
                if number > 0 { try await sleep(.seconds(1)) }
                let page = try await patiently { () async throws(PhotosError) in try await listing.page(end.token) }
                guard page.nextPageToken == nil, page.items.allSatisfy({ end.ids.contains($0.id) }) else {
                    return false
                }
                if page.unread.allSatisfy({ $0.value <= end.unread[$0.key, default: 0] }) { return true }
            }
            return false
        } catch let error as PhotosError where error.code == .badPageToken {
            return false
        }
    }

    /// A page if it has items; nil also where Google has forgotten its token.
    private func filled(_ token: String?, of listing: any Listing) async throws -> MediaPage? {
        do {
            let page = try await patiently { () async throws(PhotosError) in try await listing.page(token) }
            return page.items.isEmpty ? nil : page
        } catch let error as PhotosError where error.code == .badPageToken && token != nil {
            return nil
        }
    }

    /// Records a page that was listed before, and those behind it up to one that holds nothing new.
    private func look(_ ticket: ScanTicket, of listing: any Listing, from first: MediaPage) async throws {
        // Entries without an id are met again, as often as they were; what is more has come since.
        var known = try await answered { try await context.ledger.unread(ticket) }
        var tokens: Set<String> = []
        var (page, number) = (first, 1)
        while true {
            context.baseURLs.offer(page.items)
            let items = page.items.map { FoundItem($0, sourceLabel: context.sourceLabel) }
            let more = page.unreadable.filter { entry in
                let identity = UnreadEntry(entry).identity
                guard let left = known[identity], left > 0 else { return true }
                known[identity] = left - 1
                return false
            }
            let counts = try await recorded(ticket, items, unreadable: more.map(UnreadEntry.init), next: nil)
            tellUnreadable(more, number: number)
            // An empty one does not say that nothing new comes behind it.
            guard counts.new > 0 || items.isEmpty, let next = page.nextPageToken, tokens.insert(next).inserted else {
                return
            }
            try checkStop()
            page = try await pageInEarnest(next, of: listing)
            number += 1
        }
    }
}
