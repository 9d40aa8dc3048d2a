import GooglePhotos

/// What a worker's slots bring: tells the governor, interval by interval, and how much to claim ahead of them.
struct SlotMeter: Sendable {
    private var governor: SlotGovernor
    private let started = ContinuousClock.now
    /// Transfers that ended, and what was told of them and of the rest at the end of the last interval.
    private var ended = 0
    private var endedBefore = 0, stumblesBefore = 0, bytesBefore: Int64 = 0
    /// Whether no slot was idle in this interval.
    private var isSaturated = true

    /// Before that, how fast this host is says little.
    private static let trial = Duration.seconds(20)

    init(_ setting: SlotSetting, memory: Int) { governor = SlotGovernor(setting, memory: memory) }

    var slots: Int { governor.slots }

    /// Jobs to hold ready beyond the slots: as many as there are slots until this host's speed is known, then half a minute
    /// of work and at most one batchGet's worth, so that slow hosts leave work to others.
    func ahead(at now: ContinuousClock.Instant = .now) -> Int {
        let time = started.duration(to: now)
        guard time >= Self.trial else { return min(PhotosClient.batchLimit, slots) }
        return min(PhotosClient.batchLimit, max(slots, Int(Double(ended) / (time / .seconds(1)) * 30)))
    }

    mutating func noteEnd() { ended += 1 }

    /// A slot has nothing to do: this interval's throughput says nothing.
    mutating func noteIdle() { isSaturated = false }

    /// A service asked for less.
    mutating func pushedBack() { governor.pushedBack() }

    /// - Parameters:
    ///   - bytes: that came and went since the process began.
    ///   - stumbles: since then.
    ///   - isWorking: whether all slots may be used now.
    mutating func intervalEnded(bytes: Int64, stumbles: Int, isWorking: Bool) {
        governor.intervalEnded(
            throughput: isSaturated && isWorking ? Double(bytes - bytesBefore) : nil,
            tries: ended - endedBefore,
            stumbles: stumbles - stumblesBefore
        )
        (endedBefore, stumblesBefore, bytesBefore) = (ended, stumbles, bytes)
        isSaturated = true
    }
}
