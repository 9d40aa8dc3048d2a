import GooglePhotos
import JobQueue
import Logging

/// Looks at what was listed already: what made an answer false lasts for a moment, as a rule.
extension Scan {
    /// Lists from the first page again, up to a page that holds nothing new to this pass: what was uploaded while a listing lasted, or
    /// stood still, comes before where it began.
    ///
    /// While it lasts, a scan that is broken off begins anew: the pages that it has recorded would end the next look before
    /// those that it has not.
    /// - Parameters:
    ///   - ticket: of the scan.
    ///   - listing: which has the pages.
    ///   - end: where the listing ended.
    /// - Throws: `CutOff` where it came to nothing that this pass had met: Google forgot where it was, while it waited for a quota, or a
    ///   page lost its items or its token; and as `run`.
    func lookAtFront(_ ticket: ScanTicket, of listing: any Listing, after end: ListingEnd) async throws {
        guard try await !isFrontOver(ticket, of: listing, after: end) else { return }
        // A pass that saw nothing has nothing to meet.
        let hasSeen = try await answered { try await context.ledger.hasSeenItems(ticket) }
        guard end.token == nil || hasSeen else { return }
        throw CutOff(
            reason: "the look at what was uploaded meanwhile came to no end: listing again from the first page"
        )
    }

    private func isFrontOver(
        _ ticket: ScanTicket,
        of listing: any Listing,
        after end: ListingEnd
    ) async throws -> Bool {
        // Not in the middle, where whoever goes on would begin anew.
        try check(endsBy, "It takes longer than a run may.")
        let known = try await answered { try await context.ledger.unread(ticket) }
        // An answer to another request than for the first page would be known to its last item.
        let last = end.token == nil ? [] : end.ids ?? []
        let page = try await pageInEarnest(nil, of: listing, fullPage: end.fullPage, unlike: last)
        if end.token == nil {
            // All that there was is this page: it was cut off, or nothing was on it then.
            if page.nextPageToken != nil || (end.isEmpty && !page.isEmpty) { return false }
            if end.isEmpty { return true }
        }
        do {
            let kind = Look.front(unread: known, isAll: end.token == nil && page.nextPageToken == nil)
            let isOver = try await look(kind, ticket, of: listing, from: page, fullPage: end.fullPage)
            if isOver, let kept = end.kept {
                try await answered { try await context.ledger.goOn(with: kept, of: ticket) }
            }
            return isOver
        } catch let error as PhotosError where error.code == .badPageToken {
            return false
        }
    }

    /// Asks again for the pages that came without any item, whichever process listed them: a legal answer, and just what a
    /// page looks like that lost its items.
    ///
    /// Where the last page had none, and has some now, these are recorded, and the listing goes on behind it, if it does:
    /// nothing of that was met.
    /// - Parameters:
    ///   - ticket: of the scan.
    ///   - listing: which has the pages.
    ///   - end: where the listing seemed to end; gets what was found out.
    /// - Returns: with what the listing goes on; nil: it ends there.
    /// - Throws: as `run`.
    func askEmptyPagesAgain(
        _ ticket: ScanTicket,
        of listing: any Listing,
        _ end: inout ListingEnd
    ) async throws -> String? {
        guard !listing.isShownOnce else { return nil }
        var asked: Int64 = 0
        // What is looked at then may come empty too.
        for _ in 0..<Self.rounds {
            let pages = try await answered { try await context.ledger.emptyPages(ticket) }.filter { $0.id > asked }
            guard let last = pages.last else { break }
            asked = last.id
            try await sleep(silence)
            for page in pages {
                let answer: SecondAnswer
                if page.token == end.token, end.isEmpty {
                    let next: String?
                    (answer, next) = try await askEndAgain(page, ticket, of: listing, &end)
                    if let next { return next }
                } else {
                    answer = try await askAgain(page, ticket, of: listing, keeping: end.kept, fullPage: end.fullPage)
                }
                if answer == .forgotten, !page.isBelieved { end.forgottenPages += 1 }
            }
        }
        end.emptyPages = try await answered { try await context.ledger.emptyPages(ticket) }.map(\.token)
        return nil
    }

    /// Asks again for the page without any item that ended the listing; what it has now is recorded, and told in `end`.
    ///
    /// - Returns: what it is now, and with what the listing goes on behind it, if it does.
    private func askEndAgain(
        _ empty: EmptyPage,
        _ ticket: ScanTicket,
        of listing: any Listing,
        _ end: inout ListingEnd
    ) async throws -> (SecondAnswer, next: String?) {
        try checkStop()
        let found: MediaPage
        do {
            found = try await patiently { () async throws(PhotosError) in try await listing.page(empty.token) }
        } catch let error as PhotosError where error.code == .badPageToken {
            return (.forgotten, nil)
        }
        if found.isEmpty {
            guard let next = found.nextPageToken else { return (.empty, nil) }
            // An empty page still, and not the last one.
            try await answered { try await context.ledger.goOn(with: next, of: ticket) }
            return (.empty, next)
        }
        context.logger.log(
            .warning,
            "the listing had seemed to end with an empty page, and has more",
            ["count": .integer(Int64(found.items.count + found.unreadable.count))]
        )
        var (page, answer) = (found, SecondAnswer.filled)
        do {
            page = try await inEarnest(found, empty.token, of: listing, fullPage: end.fullPage)
        } catch let error as PhotosError where error.code == .badPageToken {
            // What is in hand is not lost with what Google has forgotten.
            answer = .forgotten
        }
        _ = try await take(page, ticket, next: page.nextPageToken)
        (end.ids, end.unread, end.kept) = (page.ids, page.unread, nil)
        // Not before: whoever goes on with a scan that is broken off here asks for it once more.
        if answer == .filled { try await answered { try await context.ledger.filled(empty, of: ticket) } }
        return (answer, page.nextPageToken)
    }

    private static let rounds = 5

    /// Asks again for a page that came without any item; one that has some now is taken, and what follows it up to a page that
    /// holds nothing new to this pass.
    /// - Parameters:
    ///   - empty: as the ledger has it.
    ///   - ticket: of the scan.
    ///   - listing: which has the page.
    ///   - token: where the scan goes on if it is broken off later; in the middle of this it begins anew.
    ///   - fullPage: as `inEarnest`.
    /// - Returns: what it is now.
    /// - Throws: `CutOff`, and as `run`.
    func askAgain(
        _ empty: EmptyPage,
        _ ticket: ScanTicket,
        of listing: any Listing,
        keeping token: String?,
        fullPage: Int = Self.fullPage
    ) async throws -> SecondAnswer {
        try checkStop()
        try check(endsBy, "It takes longer than a run may.")
        let found: MediaPage?
        do {
            found = try await filled(empty.token, of: listing, fullPage: fullPage)
        } catch let error as PhotosError where error.code == .badPageToken {
            return .forgotten
        }
        guard let page = found else { return .empty }
        context.logger.log(
            .warning,
            "a page of the listing had shown nothing of its own: it is looked at once more",
            ["count": .integer(Int64(page.items.count + page.unreadable.count))]
        )
        var isOver = false
        do {
            let kind = Look.hole(token: empty.token)
            isOver = try await look(kind, ticket, of: listing, from: page, fullPage: fullPage)
        } catch let error as PhotosError where error.code == .badPageToken {
            // What follows it is behind a page that Google has forgotten.
        }
        guard isOver else {
            throw CutOff(
                reason:
                    "what follows a page that had shown nothing of its own could not be listed: listing again from the first page"
            )
        }
        try await answered { try await context.ledger.filled(empty, of: ticket) }
        if let token { try await answered { try await context.ledger.goOn(with: token, of: ticket) } }
        return .filled
    }

    /// What a page that had come empty is when it is asked for again.
    enum SecondAnswer { case filled, empty, forgotten }

    /// What a listing shows behind the end that it had.
    enum Sequel: Equatable {
        /// Nothing: it ends there still, and its empty pages are still empty.
        case none
        /// More than was listed, and it had not ended there, with how that shows: a page as full as the shortest that others
        /// follow, and of 50 entries at least, is followed by one, or a page that had been empty is not.
        case more(String)
        /// More than was listed: it may have grown.
        case grown
        /// Nobody can tell: Google has forgotten the last page, or shows nothing of what was on it.
        case unknown
    }

    /// Asks for the last page of a listing that is over and for those that were empty.
    func sequel(of listing: any Listing, to end: ListingEnd) async throws -> Sequel {
        for token in end.emptyPages where token != end.token {
            do {
                let page = try await patiently { () async throws(PhotosError) in try await listing.page(token) }
                guard page.isEmpty else { return Self.filledLater }
            } catch let error as PhotosError where error.code == .badPageToken && token != nil {
                // It was asked for again while Google knew it, or that is told.
                continue
            }
        }
        do {
            for number in 0..<2 {
                // An entry that had no id in one answer has one in the next, and an empty answer may be none.
                if number > 0 { try await sleep(.seconds(1)) }
                let page = try await patiently { () async throws(PhotosError) in try await listing.page(end.token) }
                if page.nextPageToken != nil { return isCutOff(end) ? Self.wentOn : .grown }
                if try await hasNew(page.ids, since: end) {
                    return end.isEmpty && isCutOff(end) ? Self.filledLater : .grown
                }
                guard !page.isEmpty || end.isEmpty else { continue }
                guard end.ids != nil else { return .none }
                if page.unread.allSatisfy({ $0.value <= end.unread[$0.key, default: 0] }) { return .none }
            }
            return .unknown
        } catch let error as PhotosError where error.code == .badPageToken {
            return .unknown
        }
    }

    private static let wentOn = Sequel.more(
        "Google's listing had seemed to end, and went on when it was asked again after the work"
    )
    private static let filledLater = Sequel.more(
        "A page of Google's listing had come without any item of its own each time, and had some when it was asked for again after the work"
    )

    /// Whether the page at which a listing ended is none at which one ends, as a rule.
    private func isCutOff(_ end: ListingEnd) -> Bool {
        guard let ids = end.ids else { return false }
        // Of one short page among longer ones an end is not to be judged so severely.
        let full = max(end.fullPage, Self.fullPage / 2)
        return ids.count + end.unread.values.reduce(0, +) >= full || (end.isEmpty && end.token != nil)
    }

    /// Whether items on the last page are new: a known one may have moved there.
    private func hasNew(_ ids: Set<String>, since end: ListingEnd) async throws -> Bool {
        let others = ids.subtracting(end.ids ?? [])
        // What is picked once more may have to be fetched once more.
        guard context.picker == nil else { return !others.isEmpty }
        guard !others.isEmpty else { return false }
        return try await answered { try await context.ledger.hasUnknown(Array(others), source: source) }
    }

    /// Where a scan of another process ended, which this run has joined; nil while it is not known to be complete.
    func end(of joined: ScanState) async throws -> ListingEnd? {
        guard let page = try await answered({ try await context.ledger.lastPage(joined.id) }) else { return nil }
        return ListingEnd(token: page.token, ids: page.isEmpty ? [] : nil)
    }

    /// A page if it has entries.
    private func filled(_ token: String?, of listing: any Listing, fullPage: Int) async throws -> MediaPage? {
        let page = try await patiently { () async throws(PhotosError) in try await listing.page(token) }
        return page.isEmpty ? nil : try await inEarnest(page, token, of: listing, fullPage: fullPage)
    }

    /// At what a look begins.
    private enum Look {
        /// At the first page. `unread`: entries without an id that were met before; `isAll`: whether it is all there is, as far as
        /// anybody knows: it may have grown, and be the end.
        case front(unread: [String: Int64], isAll: Bool)
        /// At a page that had come empty, asked for with `token`.
        case hole(token: String?)
    }

    /// Records a page that is looked at again, and those behind it up to one that holds nothing new to this pass.
    ///
    /// A scan that is broken off meanwhile begins anew.
    /// - Parameters:
    ///   - kind: at what it begins.
    ///   - ticket: of the scan.
    ///   - listing: which has the pages.
    ///   - first: the page at which it begins.
    ///   - fullPage: as `inEarnest`.
    /// - Returns: whether it met something known.
    /// - Throws: as `run`.
    private func look(
        _ kind: Look,
        _ ticket: ScanTicket,
        of listing: any Listing,
        from first: MediaPage,
        fullPage: Int
    ) async throws -> Bool {
        var tokens: Set<String> = []
        // Whether the last page had an item that this pass knows, and not from this look; what this look met.
        var isKnown = false, met: Set<String> = []
        var page = first, number = 1, asked: String?, isAll = false
        // Entries without an id that may be met again on the page; where that is none, those on the pages behind it.
        var here: [String: Int64] = [:], behind: [String: Int64]?
        switch kind {
        case .front(let unread, let isOnly): (here, isAll) = (unread, isOnly)
        case .hole(let token):
            asked = token
            behind = try await answered { try await context.ledger.unread(ticket) }
        }
        while true {
            context.baseURLs.offer(page.items)
            // As often as they were met they are met again; what is more has come since.
            let more = page.unreadable.filter { entry in
                let identity = UnreadEntry(entry).identity
                guard let left = here[identity], left > 0 else { return true }
                here[identity] = left - 1
                return false
            }
            var new = 0
            if page.isEmpty {
                // It does not say that nothing new comes behind it.
                guard page.nextPageToken != nil || asked != nil else { return false }
                try await answered { try await context.ledger.noteEmptyPage(asked, of: ticket) }
            } else if !page.items.isEmpty || !more.isEmpty {
                // What this pass has not met is no end, however long it is known: it may hide what is not.
                let ids = Array(page.ids)
                let unseen = try await answered { try await context.ledger.unseen(ids, by: ticket) }
                let items = page.items.map { FoundItem($0, sourceLabel: context.sourceLabel) }
                let counts = try await recorded(ticket, items, unreadable: more.map(UnreadEntry.init), next: nil)
                new = max(counts.new, unseen)
                let others = page.ids.subtracting(met)
                isKnown = others.count > new
                met.formUnion(others)
                tellUnreadable(more, number: number)
            }
            // Where nothing has an id there is nothing else to know it by.
            if page.items.isEmpty, page.unreadable.count > more.count { isKnown = true }
            guard new > 0 || page.items.isEmpty else { return isKnown }
            // A page with something new is no end, whatever is known on it: it was cut off, or the listing has grown to here.
            guard let next = page.nextPageToken, tokens.insert(next).inserted else {
                return isKnown && (new == 0 || isAll)
            }
            try checkStop()
            page = try await pageInEarnest(next, of: listing, fullPage: fullPage)
            if let unread = behind { (here, behind) = (unread, nil) }
            (asked, number) = (next, number + 1)
        }
    }
}
