import JobQueue

/// What a worker has claimed and not begun, lane by lane, and which lane's turn it is.
///
/// Long videos must not take every slot while photos wait, nor the reverse: as long as another lane has work, a lane
/// leaves it a quarter of the slots. A value without a clock.
struct Backlog: Sendable {
    private var waiting: [Int64: ArraySlice<ClaimedJob>] = [:]
    private var running: [Int64: Int] = [:]
    /// Lanes that had jobs when they were last claimed from.
    private var live: Set<Int64> = []
    /// Jobs that were claimed and are not begun.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// Jobs that are begun and not over.
    private(set) var begun = 0

    /// Takes in what a claim brought.
    /// - Parameters:
    ///   - jobs: in the order of the claim.
    ///   - excluded: lanes that it left out, which it therefore says nothing about.
    mutating func add(_ jobs: [ClaimedJob], excluding excluded: [Int64]) {
        live.formIntersection(excluded)
        for job in jobs {
            live.insert(job.lane)
            waiting[job.lane, default: []].append(job)
        }
        count += jobs.count
    }

    /// The next job to begin, of the lane that has the fewest in hand; nil if none may begin.
    /// - Parameters:
    ///   - slots: transfers at once.
    ///   - mayExceed: whether a lane that has nothing in hand may begin one job more than there are slots.
    /// - Returns: the job, which counts as begun from now on.
    mutating func next(slots: Int, mayExceed: Bool) -> ClaimedJob? {
        let lanes = waiting.keys.sorted {
            (running[$0, default: 0], $0) < (running[$1, default: 0], $1)
        }
        for lane in lanes where mayBegin(lane, slots, mayExceed) {
            guard let job = waiting[lane]?.popFirst() else { continue }
            if waiting[lane]?.isEmpty ?? true { waiting[lane] = nil }
            count -= 1
            begun += 1
            running[lane, default: 0] += 1
            return job
        }
        return nil
    }

    private func mayBegin(_ lane: Int64, _ slots: Int, _ mayExceed: Bool) -> Bool {
        let own = running[lane, default: 0]
        guard begun < slots else { return mayExceed && own == 0 && begun == slots }
        let others = live.union(waiting.keys).subtracting([lane])
        // One slot has nothing to share; the lanes take turns.
        guard !others.isEmpty, slots > 1 else { return true }
        return own < slots - max(1, slots / 4)
    }

    /// A job that was begun is over.
    mutating func ended(lane: Int64) {
        begun -= 1
        running[lane, default: 0] -= 1
        if running[lane] == 0 { running[lane] = nil }
    }

    /// Lanes of which enough is waiting, if `ahead` jobs are to be held ready in all.
    func full(ahead: Int) -> [Int64] {
        let share = max(1, ahead / max(1, live.union(waiting.keys).count))
        return waiting.filter { $0.value.count > share / 2 }.keys.sorted()
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
