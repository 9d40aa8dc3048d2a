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

/// What a scan that ended well did, over all processes that took part in it.
package struct ScanSummary: Sendable, Equatable {
    package let pages: Int64
    package let seen: Int64
    package let new: Int64
    /// False for `--since`/`--until`.
    package let isFull: Bool
    /// Start by the database's clock, RFC 3339 UTC.
    package let startedAt: String
    /// Entries that the source listed without an id: nothing can be fetched by them, and they are no part of any sum.
    package let unreadable: Int
    package init(pages: Int64, seen: Int64, new: Int64, isFull: Bool, startedAt: String, unreadable: Int) {
        self.pages = pages
        self.seen = seen
        self.new = new
        self.isFull = isFull
        self.startedAt = startedAt
        self.unreadable = unreadable
    }
}
