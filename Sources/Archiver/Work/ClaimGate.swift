/// Whether asking the queue for jobs is worth it now: what found nothing is not asked again before something changes.
///
/// A value without a clock.
struct ClaimGate: Sendable {
    /// Lanes outside of which nothing was found since the last word that something may have come.
    private var dryBeyond: Set<Int64>?
    private var isShut = false

    /// Whether a claim that leaves these lanes out may bring anything.
    func mayClaim(excluding full: [Int64]) -> Bool {
        guard !isShut else { return false }
        return dryBeyond.map { !$0.isSubset(of: full) } ?? true
    }

    /// A claim that left out `excluded` brought jobs of these lanes.
    mutating func claimed(lanes: some Sequence<Int64>, excluding excluded: [Int64]) {
        let lanes = Set(lanes)
        if lanes.isEmpty {
            dryBeyond = Set(excluded)
        } else if let dry = dryBeyond, !lanes.isSubset(of: dry) {
            dryBeyond = nil
        }
    }

    /// The database did not answer.
    mutating func failed() { isShut = true }

    /// Something may have come: a doorbell, or some time.
    mutating func open() { self = ClaimGate() }
}
