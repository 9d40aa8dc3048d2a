import JobQueue

/// What a worker has claimed and not begun, lane by lane, and which lane's turn it is.
///
/// Long videos must not take every slot while photos wait, nor the reverse: as long as another lane has work, a lane
/// leaves it a quarter of the slots.
///
/// A part that has all but used up its crashes is on its last chance: it runs while no other such part does, so that the
/// next crash names the one that is to blame. Without this, the neighbours of a part that kills its worker would die
/// with it: they were under way each time. A value without a clock.
struct Backlog: Sendable {
    /// Crashes after which a part is dead.
    private let crashLimit: Int
    /// The part on its last chance that runs, or is about to.
    private var onTrial: JobReference?
    private var waiting: [Int64: ArraySlice<ClaimedJob>] = [:]
    private var running: [Int64: Int] = [:]
    /// Whose turn was last: of lanes that have equally many in hand, another one comes next.
    private var lastBegun: Int64?
    /// Lanes that had jobs when they were last claimed from.
    private var live: Set<Int64> = []
    /// Jobs that were claimed and are not begun.
    private(set) var count = 0

    init(crashLimit: Int) { self.crashLimit = crashLimit }

    var isEmpty: Bool { count == 0 }
    /// Jobs that are begun and not over.
    private(set) var begun = 0

    /// Takes in what a claim brought.
    /// - Parameters:
    ///   - jobs: in the order of the claim.
    ///   - excluded: lanes that it left out, which it therefore says nothing about.
    /// - Returns: jobs to give back: one part on its last chance may wait, more would keep others from being claimed.
    mutating func add(_ jobs: [ClaimedJob], excluding excluded: [Int64]) -> [ClaimedJob] {
        live.formIntersection(excluded)
        var excess: [ClaimedJob] = []
        var hasLastChance = waiting.values.contains { $0.contains(where: isLastChance) }
        for job in jobs {
            live.insert(job.lane)
            if isLastChance(job), hasLastChance {
                excess.append(job)
                continue
            }
            hasLastChance = hasLastChance || isLastChance(job)
            waiting[job.lane, default: []].append(job)
            count += 1
        }
        return excess
    }

    private func isLastChance(_ job: ClaimedJob) -> Bool { job.crashes > 0 && job.crashes >= crashLimit - 1 }

    /// Whether it waits here.
    func contains(_ job: JobReference) -> Bool {
        waiting.values.contains { $0.contains { $0.reference == job } }
    }

    /// Every job that may begin now; they count as begun.
    mutating func take(slots: Int, mayExceed: Bool) -> [ClaimedJob] {
        var taken: [ClaimedJob] = []
        while let job = next(slots: slots, mayExceed: mayExceed) { taken.append(job) }
        return taken
    }

    /// Puts a job to the front of its lane again that was taken and did not begin.
    mutating func put(back job: ClaimedJob) {
        ended(job)
        waiting[job.lane] = ([job] + (waiting[job.lane] ?? []))[...]
        count += 1
    }

    /// The next job to begin, of the lane that has the fewest in hand; nil if none may begin.
    /// - Parameters:
    ///   - slots: transfers at once.
    ///   - mayExceed: whether a lane that has nothing in hand may begin one job although no slot is free; never beside a single slot.
    /// - Returns: the job, which counts as begun from now on.
    mutating func next(slots: Int, mayExceed: Bool) -> ClaimedJob? {
        let lanes = waiting.keys.sorted {
            (running[$0, default: 0], $0 == lastBegun ? 1 : 0, $0) < (
                running[$1, default: 0], $1 == lastBegun ? 1 : 0, $1
            )
        }
        for lane in lanes where mayBegin(lane, slots, mayExceed) {
            guard let place = waiting[lane]?.firstIndex(where: { onTrial == nil || !isLastChance($0) }),
                let job = waiting[lane]?.remove(at: place)
            else { continue }
            if waiting[lane]?.isEmpty ?? true { waiting[lane] = nil }
            if isLastChance(job) { onTrial = job.reference }
            count -= 1
            begun += 1
            running[lane, default: 0] += 1
            lastBegun = lane
            return job
        }
        return nil
    }

    private func mayBegin(_ lane: Int64, _ slots: Int, _ mayExceed: Bool) -> Bool {
        let own = running[lane, default: 0]
        // One slot has nothing to share; the lanes take turns. Were it exceeded as well, two would always run, and the search
        // for the number of slots, which does not judge what runs beside them, would never get away from one.
        guard begun < slots else { return mayExceed && own == 0 && slots > 1 }
        let others = live.union(waiting.keys).subtracting([lane])
        guard !others.isEmpty, slots > 1 else { return true }
        return own < slots - max(1, slots / 4)
    }

    /// A job that was taken is over, or does not begin.
    mutating func ended(_ job: ClaimedJob) {
        if onTrial == job.reference { onTrial = nil }
        begun -= 1
        running[job.lane, default: 0] -= 1
        if running[job.lane] == 0 { running[job.lane] = nil }
    }

    /// Lanes of which enough is waiting, if `ahead` jobs are to be held ready in all.
    func full(ahead: Int) -> [Int64] {
        let share = max(1, ahead / max(1, live.union(waiting.keys).count))
        return waiting.filter { $0.value.count > share / 2 }.keys.sorted()
    }

    /// Gives up what was claimed last of the lanes that have the most, down to `limit` jobs in all.
    mutating func removeExcess(over limit: Int) -> [ClaimedJob] {
        var excess: [ClaimedJob] = []
        while count > limit, let lane = waiting.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) })?.key,
            let job = waiting[lane]?.popLast()
        {
            if waiting[lane]?.isEmpty ?? true { waiting[lane] = nil }
            count -= 1
            excess.append(job)
        }
        return excess
    }

    /// Gives up everything that is not begun.
    mutating func removeAll() -> [ClaimedJob] {
        defer {
            waiting = [:]
            count = 0
        }
        return waiting.keys.sorted().flatMap { waiting[$0] ?? [] }
    }

    /// Gives up what was lost while it waited.
    mutating func removeAll(where isLost: (ClaimedJob) -> Bool) {
        for (lane, jobs) in waiting {
            let kept = jobs.filter { !isLost($0) }
            count -= jobs.count - kept.count
            waiting[lane] = kept.isEmpty ? nil : kept[...]
        }
    }
}
