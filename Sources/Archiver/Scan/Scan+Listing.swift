import GooglePhotos
import JobQueue
import Logging
import Postgres

extension Scan {
    /// Times that a listing may start over because Google forgot its page token.
    private static let restarts = 3
    /// Items on a page that others follow, as a rule.
    static let fullPage = 100
    /// Times that a page is asked for again whose entries and token came apart.
    private static let tornAnswers = 3
    /// Times in a row that a page may hold nothing but what the one before it held.
    private static let repeatedPages = 3
    private static let torn = PhotosError(
        code: .malformed,
        message:
            "Google answers a page of the listing with entries or with what follows, and never with both; the scan stops. Run "
            + "it again later: what was recorded is not lost."
    )
    private static let goesNowhere = PhotosError(
        code: .malformed,
        message: "Google answered a page that leads back to an earlier one; the scan stops. Run it again."
    )
    private static let undecided = PhotosError(
        code: .malformed,
        message:
            "Google's answers for a page of the listing differ in whether anything follows it; the scan stops. Run it again."
    )
    /// How long a page in hand waits for a database that is away: a restart of the server takes less.
    static let databasePatience = Duration.seconds(600)

    /// Walks every page from the one that `start` names, the first if nil; returns the last one.
    ///
    /// `shortest`: what the shortest page held that this process has met and that others followed.
    func listAll(
        _ ticket: ScanTicket,
        of listing: any Listing,
        from start: String?,
        fullPage shortest: Int = Self.fullPage
    ) async throws -> ListingEnd {
        var token = start
        var restarts = 0
        // Tokens met in this pass: a circle would go round for ever, and never see the rest.
        var tokens: Set<String> = token.map { [$0] } ?? []
        var totals = (pages: 0, seen: 0, new: 0)
        var empty = EmptyPageWatch(isResumed: start != nil, age: emptyPageAge)
        var beganBehind = start != nil
        // What the shortest page held that others followed: Google may put fewer on one than were asked for.
        var fullPage = shortest
        var before: Set<String> = [], repeats = 0
        func take(_ page: MediaPage, next: String?) async throws {
            let picked = listing.place(token)
            let counts = try await self.take(page, ticket, next: next, picked: picked, number: totals.pages + 1)
            totals = (totals.pages + 1, totals.seen + counts.seen, totals.new + counts.new)
            progress(ScanProgress(pages: totals.pages, seen: totals.seen, new: totals.new))
        }
        while true {
            try checkStop()
            try check(endsBy, "It takes longer than a run may.")
            let first: MediaPage, page: MediaPage, mayEnd: Bool
            do {
                first = try await patiently { () async throws(PhotosError) in try await listing.page(token) }
                // Its items wait for nobody to believe that it is the last page, where a scan that is broken off goes on.
                mayEnd = first.isPlainEnd && !listing.isShownOnce
                if mayEnd { try await take(first, next: token) }
                page = try await inEarnest(
                    first,
                    token,
                    of: listing,
                    fullPage: fullPage,
                    isDoubtful: first.repeats(before)
                )
            } catch let error as PhotosError where error.code == .badPageToken && token != nil {
                restarts += 1
                guard restarts <= Self.restarts else { throw error }
                context.logger.log(.warning, "page token expired, listing again from the first page")
                try await answered { try await context.ledger.restart(ticket) }
                token = nil
                (tokens, before) = ([], [])
                empty = EmptyPageWatch(isResumed: false, age: emptyPageAge)
                beganBehind = false
                continue
            }
            if let next = page.nextPageToken, !tokens.insert(next).inserted {
                throw Self.goesNowhere
            }
            repeats = page.repeats(before) ? repeats + 1 : 0
            guard repeats <= Self.repeatedPages else { throw Self.goesNowhere }
            if !page.items.isEmpty { before = page.ids }
            if repeats > 0, token != nil, page.nextPageToken != nil, !listing.isShownOnce {
                // It showed nothing of its own each time: what it has is asked for later, as of an empty one.
                let place = token
                try await answered { try await context.ledger.noteEmptyPage(place, of: ticket) }
            }
            let isTaken = mayEnd && page.isPlainEnd && page.ids == first.ids
            if !isTaken { try await take(page, next: page.nextPageToken) }
            guard let next = page.nextPageToken else {
                return ListingEnd(
                    token: token,
                    kept: isTaken ? token : nil,
                    ids: page.ids,
                    unread: page.unread,
                    fullPage: fullPage,
                    beganBehind: beganBehind
                )
            }
            token = next
            if page.isEmpty || repeats > 0 { empty.isNeeded = true }
            if !page.isEmpty { fullPage = min(fullPage, page.entries) }
            // Behind a page with entries alone: what is listed of an empty one that has some now goes on up to what this pass has met.
            if !page.isEmpty, empty.isDue(), !listing.isShownOnce {
                let pages = empty.due(try await answered { try await context.ledger.emptyPages(ticket) })
                // The first one is looked at when the rest is listed: if that is broken off, the pass begins anew.
                for page in pages where page.token != nil {
                    let answer = try await askAgain(page, ticket, of: listing, keeping: next, fullPage: fullPage)
                    guard answer == .empty else { continue }
                    try await answered { try await context.ledger.believe(page, of: ticket) }
                }
            }
        }
    }

    /// A page, asked for a second time where believing one answer alone could lose photos.
    ///
    /// That is where it ends the listing (an empty answer, or one that lost its token, looks just like the end), where it
    /// holds nothing, where entries have no id, and where it is doubted. One that ends the listing and is as full as a page that
    /// others follow, or empty in one answer alone, is asked for a third time, and a first page that is all there is and holds
    /// nothing; other empty ones are noted, and asked for later (`askEmptyPagesAgain`), as are those that are doubted still.
    /// One request more a scan, as a rule. What either answer has is taken.
    /// - Parameters:
    ///   - first: the answer in hand.
    ///   - token: what it was asked for with.
    ///   - listing: which has the page.
    ///   - fullPage: entries on the shortest page of the listing that others follow.
    ///   - isDoubtful: whether it seems to be another page than was asked for.
    /// - Returns: all that the answers have as one page, with what follows it.
    /// - Throws: `.malformed` where entries and token never come in one answer, or where what follows a doubtful page is in none but
    ///   the oldest; and as `run`.
    func inEarnest(
        _ first: MediaPage,
        _ token: String?,
        of listing: any Listing,
        fullPage: Int = Self.fullPage,
        isDoubtful: Bool = false
    ) async throws -> MediaPage {
        guard isDoubtful || first.nextPageToken == nil || first.items.isEmpty || !first.unreadable.isEmpty else {
            return first
        }
        // Whatever made an answer false may last for a moment.
        try await sleep(.seconds(1))
        var answers = [first, try await patiently { () async throws(PhotosError) in try await listing.page(token) }]
        var page = first.joined(with: answers[1])
        func another() async throws {
            try await sleep(silence)
            answers.append(try await patiently { () async throws(PhotosError) in try await listing.page(token) })
            page = page.joined(with: answers[answers.count - 1])
        }
        let isOdd = page.isEmpty ? token == nil : page.entries >= fullPage || first.isEmpty != answers[1].isEmpty
        if page.nextPageToken == nil, isOdd, !listing.isShownOnce { try await another() }
        // The first page moves with each upload, another one with each of an older date: a token that came without entries leads on
        // behind those that it should have come with, and these may be none of those in hand.
        func isTorn() -> Bool {
            page.nextPageToken != nil && !page.isEmpty
                && !answers.contains { !$0.isEmpty && $0.nextPageToken != nil }
        }
        // An entry without an id may have moved behind what an older answer's token leads to, which may be another page's besides.
        func isStale() -> Bool {
            (isDoubtful || !first.unreadable.isEmpty) && page.nextPageToken != nil && answers.last?.nextPageToken == nil
        }
        for _ in 0..<Self.tornAnswers where isTorn() || isStale() { try await another() }
        if isTorn() { throw Self.torn }
        if isStale() { throw Self.undecided }
        if first.nextPageToken == nil, page.nextPageToken != nil {
            context.logger.log(.warning, "the listing seemed to end, and went on when asked again")
        }
        return page
    }

    /// As `inEarnest`, for a page that is not in hand; `other`: what is on one that it might be confused with.
    func pageInEarnest(
        _ token: String?,
        of listing: any Listing,
        fullPage: Int,
        unlike other: Set<String> = []
    ) async throws -> MediaPage {
        let first = try await patiently { () async throws(PhotosError) in try await listing.page(token) }
        return try await inEarnest(first, token, of: listing, fullPage: fullPage, isDoubtful: first.repeats(other))
    }

    /// Names what cannot be recorded, so that a person can look for it.
    func tellUnreadable(_ entries: [MediaPage.Unreadable], number: Int) {
        guard !entries.isEmpty else { return }
        context.logger.log(
            .warning,
            "entries of a page have no id and cannot be fetched",
            [
                "page": .integer(Int64(number)), "count": .integer(Int64(entries.count)),
                "filenames": .string(entries.map { $0.filename ?? "?" }.joined(separator: ", ")),
            ]
        )
    }

    /// Records all of a page, and offers its base URLs to the worker.
    func take(
        _ page: MediaPage,
        _ ticket: ScanTicket,
        next: String?,
        picked: PickPlace? = nil,
        number: Int = 1
    ) async throws -> PageCounts {
        context.baseURLs.offer(page.items)
        let items = page.items.map { FoundItem($0, sourceLabel: context.sourceLabel) }
        let unreadable = page.unreadable.map(UnreadEntry.init)
        let counts = try await recorded(ticket, items, unreadable: unreadable, next: next, picked: picked)
        tellUnreadable(page.unreadable, number: number)
        return counts
    }

    /// Records a page, again while the database is away; one whose answer was lost is recognised by its random number.
    func recorded(
        _ ticket: ScanTicket,
        _ items: [FoundItem],
        unreadable: [UnreadEntry],
        next: String?,
        picked: PickPlace? = nil
    ) async throws -> PageCounts {
        let number = Int64.random(in: 1...Int64.max)
        return try await answered {
            try await context.ledger.record(
                ticket,
                items,
                unreadable: unreadable,
                nextPageToken: next,
                page: number,
                order: order,
                picked: picked
            )
        }
    }

    /// Repeats what may be repeated while the database is away: a listing of hours must not be lost to its restart.
    func answered<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        let end = ContinuousClock.now + Self.databasePatience
        while true {
            do {
                return try await body()
            } catch let error as PostgresError where error.isTransient && ContinuousClock.now < end {
                context.logger.log(.warning, "waiting for the database", ["error": .string("\(error)")])
                try await sleep(.seconds(1))
            }
        }
    }
}

extension MediaPage {
    /// Whether it ends the listing with items, each of which has an id.
    fileprivate var isPlainEnd: Bool { nextPageToken == nil && !items.isEmpty && unreadable.isEmpty }

    var ids: Set<String> { Set(items.map(\.id)) }

    /// Whether it holds nothing but what the page before it held: an answer to another request, or a listing that stands still.
    fileprivate func repeats(_ before: Set<String>) -> Bool { !items.isEmpty && ids.isSubset(of: before) }

    /// How many it holds, with an id or without.
    fileprivate var entries: Int { items.count + unreadable.count }
}
