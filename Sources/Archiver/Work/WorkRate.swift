/// How fast this host gets through its jobs while it has something to do, by those that it ended last.
///
/// Time in which nothing is under way does not count: a worker that waited for a week is as fast as before.
struct WorkRate: Sendable {
    /// Time with something under way, up to the last change.
    private var worked = Duration.zero
    /// Since when something is under way; nil: nothing is.
    private var busySince: ContinuousClock.Instant?
    /// Where on that clock the last ones ended, the oldest first, and the end before them.
    private var ends: [Duration] = []
    private var before = Duration.zero

    /// Ends that tell of now: a claim's worth.
    private static let recent = 25

    /// Work after which fewer ends tell too.
    private static let trial = Duration.seconds(20)

    /// Whether it says anything yet.
    func isKnown(at now: ContinuousClock.Instant) -> Bool { ends.count >= Self.recent || worked(at: now) >= Self.trial }

    private func worked(at now: ContinuousClock.Instant) -> Duration {
        worked + (busySince.map { $0.duration(to: now) } ?? .zero)
    }

    mutating func note(isBusy: Bool, at now: ContinuousClock.Instant) {
        guard isBusy != (busySince != nil) else { return }
        worked = worked(at: now)
        busySince = isBusy ? now : nil
    }

    mutating func noteEnd(at now: ContinuousClock.Instant) {
        ends.append(worked(at: now))
        if ends.count > Self.recent { before = ends.removeFirst() }
    }

    /// Jobs a second: the last ones, in the time since what ended before them; at most what `slots` would do if each of them
    /// ended one now, so that it falls soon where they stand still.
    func perSecond(at now: ContinuousClock.Instant, slots: Int) -> Double {
        let worked = worked(at: now)
        guard let last = ends.last, worked > before else { return 0 }
        let rate = Double(ends.count) / ((worked - before) / .seconds(1))
        let silence = (worked - last) / .seconds(1)
        return silence > 0 ? min(rate, Double(slots) / silence) : rate
    }
}
