import JobQueue

/// Whether a full scan saw enough of what was known to be believed.
///
/// Items vanish from a library because their owner deletes them, and from a listing because the listing is broken: where
/// known items are missing, new ones may be. Four losses look more like the second:
/// - more than half of what was expected;
/// - a page's worth (100 items) or more, and more than a tenth;
/// - ten or more of which none is younger than the oldest that was listed: Google lists the newest first, so that is what a
///   listing leaves out that ends too early, and its last page need not be a full one;
/// - ten or more where more pages came without any item than last time.
///
/// A loss is held against one scan only: items that a scan which is complete did not see are not expected any more.
struct Completeness {
    let comparison: ScanComparison

    /// Items on a page: what one false answer takes away.
    private static let page: Int64 = 100
    /// Items that nobody deletes one by one: the oldest ones, or some beside a new empty page.
    private static let end: Int64 = 10

    /// What makes the scan suspicious, as the beginning of a sentence; nil if nothing does.
    var doubt: String? {
        let (expected, missing) = (comparison.expected, comparison.missing)
        if missing * 2 > expected { return "more than half of them" }
        if missing >= Self.page, missing * 10 > expected { return "more than a tenth of them" }
        if comparison.olderThanAllSeen >= Self.end {
            return
                "\(comparison.olderThanAllSeen) of these no younger than the oldest that it listed, as if it had ended too early"
        }
        if comparison.hadMoreEmptyPages, missing >= Self.end {
            return "and pages of it came without any item, more than last time"
        }
        return nil
    }

    /// Why a scan is suspicious by which the owner wanted to accept what earlier ones had told.
    var reasonNotToAccept: String? {
        Completeness(comparison: comparison.untoldOnly).doubt.map {
            "The full scan did not list \(comparison.missing) items, \(comparison.untold) of which no scan before has missed: "
                + "\($0). --accept-gaps accepts what you were told of: look at all that is missing (select * from "
                + "coldroll.missing; by 'coldroll psql'), and say 'coldroll scan --accept-gaps' again, or check the account and scan "
                + "again."
        }
    }

    /// The scan's reason for being suspicious: a sentence that says what to do.
    var reason: String? {
        doubt.map {
            "The full scan did not list \(comparison.missing) of the \(comparison.expected) items that it should have: "
                + "\($0). What it found is queued and will be stored, but there may be more in the library than it saw. Look at "
                + "the missing ones (select * from coldroll.missing; by 'coldroll psql'). If you deleted them from Google "
                + "Photos, say so with 'coldroll scan --accept-gaps'; if not, check the account and scan again."
        }
    }
}
