import JobQueue

/// Jobs claimed ahead, in the order of their claims.
///
/// A part that has all but used up its crashes is on its last chance: it runs while no other such part does, so that the
/// next crash names the one that is to blame. Without this, the neighbours of a part that kills its worker would die
/// with it: they were under way each time.
struct WaitingJobs {
    /// Crashes after which a part is dead.
    private let crashLimit: Int
    private var jobs: [ClaimedJob] = []
    /// The part on its last chance that runs, or is about to.
    private var onTrial: JobReference?

    init(crashLimit: Int) { self.crashLimit = crashLimit }

    var count: Int { jobs.count }
    var isEmpty: Bool { jobs.isEmpty }

    func contains(_ job: JobReference) -> Bool { jobs.contains { $0.reference == job } }

    private func isLastChance(_ job: ClaimedJob) -> Bool { job.crashes > 0 && job.crashes >= crashLimit - 1 }

    /// Adds what a claim brought; returns jobs to give back: one part on its last chance may wait, more would keep
    /// others from being claimed.
    mutating func append(_ claimed: [ClaimedJob]) -> [ClaimedJob] {
        var excess: [ClaimedJob] = []
        var hasLastChance = jobs.contains(where: isLastChance)
        for job in claimed {
            if isLastChance(job) {
                guard !hasLastChance else {
                    excess.append(job)
                    continue
                }
                hasLastChance = true
            }
            jobs.append(job)
        }
        return excess
    }

    /// Puts jobs to the front again that were taken and did not begin.
    mutating func put(back taken: [ClaimedJob]) {
        jobs.insert(contentsOf: taken, at: 0)
    }

    /// Takes up to `count` jobs that may begin now.
    mutating func take(_ count: Int) -> [ClaimedJob] {
        var taken: [ClaimedJob] = []
        var left: [ClaimedJob] = []
        for job in jobs {
            guard taken.count < count, !isLastChance(job) || onTrial == nil else {
                left.append(job)
                continue
            }
            if isLastChance(job) { onTrial = job.reference }
            taken.append(job)
        }
        jobs = left
        return taken
    }

    /// A job that was taken has ended, or does not begin.
    mutating func ended(_ job: JobReference) {
        if onTrial == job { onTrial = nil }
    }

    mutating func remove(where isGone: (JobReference) -> Bool) {
        jobs.removeAll { isGone($0.reference) }
    }

    /// Empties the list and returns what was in it.
    mutating func removeAll() -> [ClaimedJob] {
        defer { jobs = [] }
        return jobs
    }
}
