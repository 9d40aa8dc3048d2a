import JobQueue

/// How far a scan is; sent after each page.
package struct ScanProgress: Sendable, Equatable {
    package let pages: Int
    package let seen: Int
    package let new: Int
    package init(pages: Int, seen: Int, new: Int) {
        self.pages = pages
        self.seen = seen
        self.new = new
    }
}

/// What the ledger makes one expect of a full listing before it begins.
package struct ScanForecast: Sendable, Equatable {
    /// Items that the listing should have.
    package let items: Int64
    /// Of these, those that an earlier process of the same scan saw.
    package let listed: Int64

    package init(items: Int64, listed: Int64) {
        self.items = items
        self.listed = listed
    }

    /// Requests that the rest takes: 100 items each, and one that asks for the end again.
    package var requests: Int64 { (items - listed + 99) / 100 + 1 }
    /// Requests a day that Google allows one project, whatever they are for (Library API: usage limits).
    package static let requestsPerDay: Int64 = 10_000
}

/// What a scan that came to the end of the listing did, over all processes that took part in it.
package struct ScanSummary: Sendable, Equatable {
    package let pages: Int64
    /// Different ones that it listed.
    package let items: Int64
    package internal(set) var new: Int64
    /// False for `--since`/`--until`, and for what was picked.
    package let isFull: Bool
    /// Key of the scan in the ledger, of the last one where a person picked in several sessions.
    let id: Int64
    /// Start by the database's clock, RFC 3339 UTC.
    package let startedAt: String
    /// Entries that the source listed without an id: nothing can be fetched by them, and they are no part of any sum.
    package let unreadable: Int64
    /// Items that a full scan should have seen and did not.
    package let missing: Int64
    /// Items that were taken for deleted and that it saw.
    package let returned: Int64
    /// Why what it saw is not to be believed, with what to do; nil if it is complete.
    package let doubt: String?
    /// Pages that came without any item, also when they were asked for again.
    package var emptyPages: Int { end.emptyPages.count }
    /// How many of them could not be asked for again, since Google had forgotten their tokens.
    package var forgottenPages: Int { end.forgottenPages }
    /// Whether the owner's word was taken for what it misses and could not read: not where that is more than he was told of.
    package internal(set) var isAccepted: Bool
    /// Whether it went on where an earlier process was broken off: what was uploaded since then may have been passed by.
    package let goesOn: Bool
    /// The page at which the listing ended.
    let end: ListingEnd

    init(
        id: Int64,
        pages: Int64,
        items: Int64,
        new: Int64,
        isFull: Bool,
        startedAt: String,
        unreadable: Int64,
        missing: Int64,
        returned: Int64,
        doubt: String?,
        isAccepted: Bool = false,
        goesOn: Bool = false,
        end: ListingEnd = ListingEnd()
    ) {
        self.isAccepted = isAccepted
        self.goesOn = goesOn
        self.end = end
        self.id = id
        self.pages = pages
        self.items = items
        self.new = new
        self.isFull = isFull
        self.startedAt = startedAt
        self.unreadable = unreadable
        self.missing = missing
        self.returned = returned
        self.doubt = doubt
    }
}

extension ScanSummary {
    /// The sums of this pass and of one after it, where a person picked in several sessions.
    func followed(by next: ScanSummary) -> ScanSummary {
        ScanSummary(
            id: next.id,
            pages: pages + next.pages,
            items: items + next.items,
            new: new + next.new,
            isFull: isFull && next.isFull,
            startedAt: startedAt,
            unreadable: unreadable + next.unreadable,
            missing: next.missing,
            returned: next.returned,
            doubt: next.doubt,
            isAccepted: next.isAccepted,
            goesOn: goesOn || next.goesOn,
            end: next.end
        )
    }
}

extension ScanSummary {
    /// What both passes saw, where a later one listed some of the same picks again, or went on with the work alone.
    ///
    /// An entry that one of them could not read may be missing, whatever the other saw.
    func listedAgain(by next: ScanSummary?) -> ScanSummary {
        guard let next else { return self }
        return ScanSummary(
            id: next.id,
            pages: pages + next.pages,
            items: max(items, next.items),
            new: new + next.new,
            isFull: isFull && next.isFull,
            startedAt: startedAt,
            unreadable: max(unreadable, next.unreadable),
            missing: next.missing,
            returned: next.returned,
            doubt: next.doubt,
            isAccepted: next.isAccepted,
            goesOn: goesOn || next.goesOn,
            end: next.end
        )
    }
}

/// The last page of a listing, to be asked for again later: an answer that lost its token looks just like the end.
struct ListingEnd: Sendable, Equatable {
    /// What it was asked for with; nil: it was the first page.
    var token: String?
    /// Where a scan goes on that is broken off behind it, as the ledger has it; nil: it begins anew.
    var kept: String?
    /// What was on it; nil: another process has listed it, and the ledger has all of it.
    var ids: Set<String>? = []
    /// What was on it without an id, and how often.
    var unread: [UnreadEntry: Int] = [:]
    /// Entries on the shortest page of its listing that others follow, of those that its process met.
    var fullPage = Scan.fullPage
    /// Whether its pass began behind the first page: with one that an earlier process had come to.
    var beganBehind = false
    /// What the pages were asked for with that came without any item each time, this one among them.
    var emptyPages: [String?] = []
    /// How many of them nobody could ask for again.
    var forgottenPages = 0

    /// Whether it has no entry of any kind.
    var isEmpty: Bool { (ids?.isEmpty ?? false) && unread.isEmpty }
}
