import HTTPClient

/// Finds how many transfers at once are worth it: the fewest that bring about as much as more would.
///
/// Slots hide the time that answers take. Where nothing is left to hide, more of them cost: bytes of each wait longer, in
/// memory that the CPU's cache has forgotten by then (a tenth more CPU time with 8 slots than with 4 on a fast link, a
/// quarter with 12 and more: Benchmarks/README.md). So it begins with few, leaps and doubles while throughput grows, then
/// tries an eighth more or less now and then, and halves when a service pushes back. A value without a clock: the worker
/// tells it what each interval brought.
struct SlotGovernor: Sendable, Equatable {
    /// What is going on.
    private enum Phase: Equatable {
        /// Growing by leaps.
        case finding
        /// Measuring what `slots` bring.
        case measuring
        /// Trying `slots` instead of `before`.
        case trying
    }

    /// Slots to use now.
    private(set) var slots: Int
    private let isFixed: Bool
    private let most: Int
    private var phase = Phase.finding
    /// Slots before the last change that was not judged yet.
    private var before: Int
    /// Throughput of `before`.
    private var reference = 0.0
    /// The next try is one with more slots.
    private var triesMore = true
    /// Intervals to leave out, since transfers of before a change fill them, and what was measured after them.
    private var skips = 1, sum = 0.0, busySum = 0.0, samples = 0
    /// Intervals to sit out after a push.
    private var rest = 0
    /// Tries and stumbles of intervals that were too few to judge by.
    private var tries = 0, stumbles = 0

    /// Slots that `auto` starts with.
    static let first = 4
    /// The first growth; each later one doubles.
    static let leap = 4
    /// What was begun after a growth takes a moment to show: so many intervals are looked at together.
    private static let looks = 4
    /// Intervals that are measured before a try, and of a try.
    private static let measured = 4, tried = 2
    /// A try changes the slots by this part of them.
    private static let share = 8
    /// Tries by which one stumble more or less does not decide.
    private static let sample = 10
    /// Longer than a gain that fails costs, so that the two can be told apart.
    private static let pushRest = 5

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
        before = slots
    }

    /// Whether intervals should be short: the right number is still far.
    var isFinding: Bool { phase == .finding && !isFixed }

    /// One interval is over.
    ///
    /// One stumble is chance; of many tries a fifth is a service that has too much to do.
    /// - Parameters:
    ///   - throughput: bytes a second in it; nil where it says nothing of so many slots (`SlotMeter.note`).
    ///   - busy: share of it in which the thread that moves bytes had something to do, 0 to 1. With more slots than would
    ///     fill the rest nothing can be gained.
    ///   - tries: transfers that ended in it.
    ///   - stumbles: of these, by a 5xx, a timeout or a broken connection of a service that answers others.
    mutating func intervalEnded(throughput: Double?, busy: Double = 0, tries: Int = 0, stumbles: Int = 0) {
        guard !isFixed else { return }
        // What was begun before the push says nothing of the slots after it.
        guard !isPushed else { return rest -= 1 }
        self.tries += tries
        self.stumbles += stumbles
        if self.stumbles >= 2, self.stumbles * 5 >= self.tries { return pushedBack() }
        if self.tries >= Self.sample { (self.tries, self.stumbles) = (0, 0) }
        if rest > 0 { return rest -= 1 }
        // Nothing at all says nothing either at first: answers are still on their way.
        guard let throughput, throughput > 0 || reference > 0 else { return }
        if skips > 0 { return skips -= 1 }
        sum += throughput
        busySum += busy
        samples += 1
        let mean = sum / Double(samples), meanBusy = busySum / Double(samples)
        if phase == .finding { return find(mean, meanBusy) }
        guard samples == (phase == .trying ? Self.tried : Self.measured) else { return }
        judge(mean, meanBusy)
    }

    /// Grows by leaps as long as each brings something.
    private mutating func find(_ throughput: Double, _ busy: Double) {
        // Less than a tenth more is noise, not gain; of a single interval, less than a quarter.
        if throughput > reference * (samples == 1 ? 1.25 : 1.1) {
            let factor = reference == 0 ? Self.leap : 2
            (reference, before) = (throughput, slots)
            slots = most(slots * factor, busy)
            measure()
            if slots > before { phase = .finding }
        } else if samples == Self.looks {
            slots = before
            measure()
        }
    }

    /// Keeps a try that won more than a third of what as many slots more could bring, or lost less than a third of what as
    /// many less could cost; then makes the next one.
    private mutating func judge(_ throughput: Double, _ busy: Double) {
        if phase == .trying {
            let possible = reference * Double(slots - before) / Double(before)
            guard throughput - reference > possible / 3 else {
                slots = before
                triesMore.toggle()
                return measure()
            }
        }
        (reference, before) = (throughput, slots)
        let step = max(1, slots / Self.share)
        slots = triesMore ? most(slots + step, busy) : max(min(Self.first, slots), slots - step)
        if slots == before { triesMore.toggle() }
        measure()
        if slots != before { phase = .trying }
    }

    private mutating func measure() {
        phase = .measuring
        (skips, sum, busySum, samples) = (1, 0, 0, 0)
    }

    /// `wanted`, as far as it can be of use: not fewer than there are.
    private func most(_ wanted: Int, _ busy: Double) -> Int {
        let useful = busy > 0 ? Int(min(Double(slots) / busy, Double(most)).rounded()) : most
        return max(slots, min(wanted, most, useful))
    }

    /// 429, or many stumbles in one interval.
    ///
    /// Everything that is in hand is refused at once: that is one push, so the next one counts only after a rest.
    mutating func pushedBack() {
        guard !isFixed, !isPushed else { return }
        slots = max(1, slots / 2)
        (before, reference, triesMore) = (slots, 0, true)
        (tries, stumbles) = (0, 0)
        measure()
        rest = Self.pushRest
    }

    private var isPushed: Bool { rest == Self.pushRest }
}
