/// How far a scan is.
package struct ScanProgress: Sendable, Equatable {
    /// Pages, items on them, and items that the ledger did not know.
    package var pages: Int64
    package var seen: Int64
    package var new: Int64
    package init(pages: Int64 = 0, seen: Int64 = 0, new: Int64 = 0) {
        self.pages = pages
        self.seen = seen
        self.new = new
    }
}

/// How far the work is.
package struct WorkerProgress: Sendable, Equatable {
    /// Parts that this process stored, and their bytes.
    package var stored: Int64
    package var storedBytes: Int64
    /// Parts that failed for good in this process.
    package var failed: Int64
    /// Parts of the sources that still have a job, on any host.
    package var live: Int64
    /// Parts of the sources in all.
    package var total: Int64
    /// Why nothing moves, in words for a line; nil while work goes on.
    package var standstill: String?
    /// How many parts wait for something else than their turn, and for what; nil if none does.
    package var held: String?
    package init(
        stored: Int64 = 0,
        storedBytes: Int64 = 0,
        failed: Int64 = 0,
        live: Int64 = 0,
        total: Int64 = 0,
        standstill: String? = nil,
        held: String? = nil
    ) {
        self.stored = stored
        self.storedBytes = storedBytes
        self.failed = failed
        self.live = live
        self.total = total
        self.standstill = standstill
        self.held = held
    }
}
