/// Sums of parts by where they are.
package struct Totals: Sendable, Equatable {
    /// Parts found, and of them those that stand in the archive, are copies, are left out, are given up.
    package var found: Int64 = 0, stored: Int64 = 0, duplicate: Int64 = 0, skipped: Int64 = 0, dead: Int64 = 0
    /// Parts in the queue; and parts that are nowhere or in two places: 0, or something is wrong.
    package var ready: Int64 = 0, scheduled: Int64 = 0, running: Int64 = 0, unaccounted: Int64 = 0
    /// Bytes stored; stored parts that are the uploaded file, and those that are what Google made of it.
    package var storedBytes: Int64 = 0, originals: Int64 = 0, renditions: Int64 = 0
    /// Seconds until the next scheduled job is due, 0 if it is; nil if none is scheduled.
    package var nextDue: Double?

    package init() {}

    /// Parts in the queue.
    package var live: Int64 { ready + scheduled + running }
}
