import HTTPClient

/// Finds how many transfers at once are worth it.
///
/// Doubles while throughput grows, then adds a few at a time; halves when a service pushes back. A value without a
/// clock: the worker tells it what each interval brought.
struct SlotGovernor: Sendable, Equatable {
    /// Slots to use now.
    private(set) var slots: Int
    private let isFixed: Bool
    private let most: Int
    private var best = 0.0
    private var isDoubling = true
    /// Intervals to sit out after a change that did not help.
    private var rest = 0

    /// Tries and stumbles of intervals that were too few to judge by.
    private var tries = 0, stumbles = 0

    /// Slots that `auto` starts with.
    static let first = 12
    /// Tries by which one stumble more or less does not decide.
    private static let sample = 10

    /// - Parameters:
    ///   - setting: what the owner asked for.
    ///   - memory: bytes that all bodies may hold; `auto` never has more slots than large bodies fit into it.
    init(_ setting: SlotSetting, memory: Int = .max) {
        switch setting {
        case .auto:
            most = max(1, min(SlotSetting.most, memory / Transfer.pipeAllowance))
            (slots, isFixed) = (min(Self.first, most), false)
        case .fixed(let count): (slots, isFixed, most) = (count, true, count)
        }
    }

    /// One interval is over.
    ///
    /// One stumble is chance; of many tries a fifth is a service that has too much to do.
    /// - Parameters:
    ///   - throughput: bytes (or parts) in it; nil where a slot was idle, so that it says nothing.
    ///   - tries: transfers that ended in it.
    ///   - stumbles: of these, by a 5xx, a timeout or a broken connection of a service that answers others.
    mutating func intervalEnded(throughput: Double?, tries: Int = 0, stumbles: Int = 0) {
        guard !isFixed else { return }
        // What was begun before the push says nothing of the slots after it.
        guard !isPushed else { return rest -= 1 }
        self.tries += tries
        self.stumbles += stumbles
        if self.stumbles >= 2, self.stumbles * 5 >= self.tries { return pushedBack() }
        if self.tries >= Self.sample { (self.tries, self.stumbles) = (0, 0) }
        if rest > 0 {
            rest -= 1
            return
        }
        guard let throughput else { return }
        // Less than a tenth more is noise, not gain.
        if throughput > best * 1.1 {
            best = throughput
            slots = min(most, isDoubling ? slots * 2 : slots + 2)
        } else {
            if isDoubling {
                slots = max(min(Self.first, most), slots * 3 / 4)
                isDoubling = false
            }
            // The network of an hour ago says little: what was best fades, and growth is tried again.
            best *= 0.9
            rest = 4
        }
    }

    /// 429, or many stumbles in one interval.
    ///
    /// Everything that is in hand is refused at once: that is one push, so the next one counts only after a rest.
    mutating func pushedBack() {
        guard !isFixed, !isPushed else { return }
        slots = max(1, slots / 2)
        (tries, stumbles) = (0, 0)
        isDoubling = false
        best = 0
        rest = Self.pushRest
    }

    /// Longer than a gain that fails costs, so that the two can be told apart.
    private static let pushRest = 5
    private var isPushed: Bool { rest == Self.pushRest }
}
