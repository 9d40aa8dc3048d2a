import GooglePhotos
import HTTPClient

/// What a worker's slots bring: tells the governor, interval by interval, and how much to claim ahead of them.
struct SlotMeter: Sendable {
    private var governor: SlotGovernor
    private var rate = WorkRate()
    /// When the queue had less than was asked for.
    private var shortClaim: ContinuousClock.Instant?
    /// Transfers that ended, and what was told of them and of the rest at the end of the last interval.
    private var ended = 0
    private var endedBefore = 0, stumblesBefore = 0, paceBefore = HTTPClient.Pace()
    /// When this interval began: at the end of the last one, or since then when the slots came to be in use.
    private var began = ContinuousClock.now
    /// Whether the slots are in use: each, and no transfer more.
    private var isFull = false

    /// Jobs to hold ready at least until this host's speed is known: the slots that the first growth adds.
    private static let aheadAtFirst = SlotGovernor.first * (SlotGovernor.leap - 1)
    /// The same afterwards: few slots become free at once where work takes long.
    private static let leastAhead = SlotGovernor.first
    /// Work to hold ready, in seconds of it.
    ///
    /// A claim brings half of it, and costs a batchGet; beyond 10,000 a day Google answers no more ("API limits and
    /// quotas", Photos APIs). So a host that fetches one photo in five seconds asks once in a minute, not for each, and a fast
    /// one once for 25.
    private static let reserve = 120.0
    /// The same once the queue has no more: what waits here then, another host may have slots for.
    private static let lastReserve = 10.0
    /// How long that holds: what is given back would be claimed again at once.
    private static let scarcity = Duration.seconds(30)
    /// Less time says too little of a throughput.
    private static let shortest = Duration.milliseconds(200)

    init(_ setting: SlotSetting, memory: Int) { governor = SlotGovernor(setting, memory: memory) }

    var slots: Int { governor.slots }

    /// Whether intervals should be short.
    var isFinding: Bool { governor.isFinding }

    /// Jobs to hold ready beyond the slots: as many as there are slots until this host's speed is known, but a dozen at
    /// least; then two minutes of work as it goes now and at most one batchGet's worth, so that slow hosts leave work to
    /// others; for a while after the queue had no more, seconds of it.
    func ahead(at now: ContinuousClock.Instant = .now) -> Int {
        let most = PhotosClient.batchLimit
        guard rate.isKnown(at: now) else { return min(most, max(Self.aheadAtFirst, slots)) }
        let isScarce = shortClaim.map { $0.duration(to: now) < Self.scarcity } ?? false
        let work = rate.perSecond(at: now, slots: slots) * (isScarce ? Self.lastReserve : Self.reserve)
        return max(Self.leastAhead, Int(min(Double(most), work)))
    }

    /// A claim came back.
    /// - Parameters:
    ///   - isShort: whether the queue had less than it asked for, in all lanes.
    ///   - now: for tests.
    mutating func noteClaim(isShort: Bool, at now: ContinuousClock.Instant = .now) {
        if isShort { shortClaim = now }
    }

    /// A transfer ended.
    /// - Parameters:
    ///   - isOver: whether this try at its part is; what is given back says nothing of how fast this host works.
    ///   - now: for tests.
    mutating func noteEnd(isOver: Bool, at now: ContinuousClock.Instant = .now) {
        ended += 1
        if isOver { rate.noteEnd(at: now) }
    }

    /// Notes whether the slots are in use: what moves while one has nothing to do, or while transfers of before there were
    /// fewer slots go on, says nothing of what so many slots bring.
    ///
    /// While slots only grow, one transfer more is the one that a waking lane may begin; later it may be of before.
    /// - Parameters:
    ///   - busy: transfers from now on, those that the database is being told of too.
    ///   - hasMore: whether a free slot is about to get work.
    ///   - pace: of the HTTP client since the process began; asked where an interval begins anew.
    ///   - now: for tests.
    mutating func note(
        busy: Int,
        hasMore: Bool,
        _ pace: @autoclosure () -> HTTPClient.Pace,
        at now: ContinuousClock.Instant = .now
    ) {
        rate.note(isBusy: busy > 0, at: now)
        let wasFull = isFull
        isFull = (busy >= slots || hasMore) && busy <= slots + (isFinding ? 1 : 0)
        if isFull, !wasFull { (began, paceBefore) = (now, pace()) }
    }

    /// A service asked for less.
    mutating func pushedBack() { governor.pushedBack() }

    /// - Parameters:
    ///   - pace: of the HTTP client since the process began.
    ///   - stumbles: since then.
    ///   - isWorking: whether all slots may be used now.
    ///   - now: for tests.
    mutating func intervalEnded(
        _ pace: HTTPClient.Pace,
        stumbles: Int,
        isWorking: Bool,
        at now: ContinuousClock.Instant = .now
    ) {
        let time = began.duration(to: now)
        let isTelling = isFull && isWorking && time >= Self.shortest
        governor.intervalEnded(
            throughput: isTelling ? Double(pace.moved - paceBefore.moved) / (time / .seconds(1)) : nil,
            busy: isTelling ? max(0, 1 - (pace.waited - paceBefore.waited) / time) : 0,
            tries: ended - endedBefore,
            stumbles: stumbles - stumblesBefore
        )
        (endedBefore, stumblesBefore, paceBefore, began) = (ended, stumbles, pace, now)
    }
}
