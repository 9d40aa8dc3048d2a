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

    /// Slots that `auto` starts with.
    static let first = 8

    init(_ setting: SlotSetting) {
        switch setting {
        case .auto: (slots, isFixed, most) = (Self.first, false, SlotSetting.most)
        case .fixed(let count): (slots, isFixed, most) = (count, true, count)
        }
    }

    /// One interval is over in which every slot was busy.
    /// - Parameter throughput: bytes (or parts) a second in it.
    mutating func intervalEnded(throughput: Double) {
        guard !isFixed else { return }
        if rest > 0 {
            rest -= 1
            return
        }
        // Less than a tenth more is noise, not gain.
        if throughput > best * 1.1 {
            best = throughput
            slots = min(most, isDoubling ? slots * 2 : slots + 2)
        } else {
            if isDoubling {
                slots = max(Self.first, slots * 3 / 4)
                isDoubling = false
            }
            // The network of an hour ago says little: what was best fades, and growth is tried again.
            best *= 0.9
            rest = 4
        }
    }

    /// 429, 5xx or a timeout of a service as a whole.
    mutating func pushedBack() {
        guard !isFixed else { return }
        slots = max(1, slots / 2)
        isDoubling = false
        best = 0
        rest = 4
    }
}
