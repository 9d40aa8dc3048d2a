/// One enumeration pass, leased like a job.
package struct ScanTicket: Sendable, Equatable {
    /// Key of the scan.
    package let id: Int64
    /// Key of its source.
    package let source: Int64
    /// Number of this opening: the fence.
    package let lease: Int64
    /// Where to go on; nil at the start.
    package let pageToken: String?
    /// Whether this goes on with a pass that another process began.
    package let resumed: Bool
    /// Whether it enumerates everything, not a range of dates.
    package let isFull: Bool
    /// Start by the database's clock, RFC 3339 UTC.
    package let startedAt: String
    /// Pages that are recorded, as the database confirmed it; all copies of the ticket share it.
    let position: ScanPosition

    package init(
        id: Int64,
        source: Int64,
        lease: Int64,
        pageToken: String?,
        resumed: Bool,
        isFull: Bool,
        startedAt: String,
        pages: Int64
    ) {
        self.id = id
        self.source = source
        self.lease = lease
        self.pageToken = pageToken
        self.resumed = resumed
        self.isFull = isFull
        position = ScanPosition(pages)
        self.startedAt = startedAt
    }
}

/// What recording one page did; `seen == new + known` is checked inside the transaction.
package struct PageCounts: Sendable, Equatable {
    /// Entries of the page, those that are new, and those that were known, repeats within the page included.
    package let seen: Int, new: Int, known: Int

    package init(seen: Int, new: Int, known: Int) {
        self.seen = seen
        self.new = new
        self.known = known
    }
}

/// Totals of one scan so far.
package struct ScanCounts: Sendable, Equatable {
    /// Pages recorded, entries in them, those that were new, and entries without an id, which are in no other count.
    package var pages: Int64 = 0, seen: Int64 = 0, new: Int64 = 0, unreadable: Int64 = 0
    /// Different items that were listed; nil until the scan has ended.
    package var items: Int64?

    package init() {}
}

/// A page of a scan that came without any entry.
package struct EmptyPage: Sendable, Equatable {
    /// Key in the ledger; grows.
    package let id: Int64
    /// What it was asked for with; nil: it was the first page.
    package let token: String?
    /// Whether it was empty again when it was asked for later.
    package let isBelieved: Bool

    init(id: Int64, token: String?, isBelieved: Bool) {
        self.id = id
        self.token = token
        self.isBelieved = isBelieved
    }
}

/// Which of the parts that a scan finds are fetched first, by capture time; those of unknown time come last.
package enum WorkOrder: String, Sendable, CaseIterable { case newest, oldest }

/// What a full scan saw, against what the scans before it make one expect.
package struct ScanComparison: Sendable, Equatable {
    /// Items known before it and not taken for deleted, and those that an earlier pass of it found.
    package let expected: Int64
    /// Of these, those that it did not see.
    package let missing: Int64
    /// Of the missing ones, those taken before everything that it saw, or with the oldest of it.
    package let olderThanAllSeen: Int64
    /// Items that were taken for deleted and that it saw.
    package let returned: Int64
    /// Of the missing ones, those that no scan before has missed, and of these those that are as old.
    package let untold: Int64, untoldOlderThanAllSeen: Int64
    /// Whether more pages of it came without any item, also when they were asked for again, than of the last
    /// one that is complete.
    package let hadMoreEmptyPages: Bool

    package init(
        expected: Int64,
        missing: Int64,
        olderThanAllSeen: Int64,
        returned: Int64,
        untold: Int64 = 0,
        untoldOlderThanAllSeen: Int64 = 0,
        hadMoreEmptyPages: Bool = false
    ) {
        self.expected = expected
        self.missing = missing
        self.olderThanAllSeen = olderThanAllSeen
        self.returned = returned
        self.untold = untold
        self.untoldOlderThanAllSeen = untoldOlderThanAllSeen
        self.hadMoreEmptyPages = hadMoreEmptyPages
    }

    /// The same where what the owner was told of is not missed.
    package var untoldOnly: ScanComparison {
        ScanComparison(
            expected: expected,
            missing: untold,
            olderThanAllSeen: untoldOlderThanAllSeen,
            returned: returned,
            hadMoreEmptyPages: hadMoreEmptyPages
        )
    }
}
