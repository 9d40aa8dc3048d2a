import JobQueue
import Testing

@testable import Archiver

@Suite struct BacklogTests {
    private static let photos: Int64 = 1
    private static let videos: Int64 = 2

    private func job(_ part: Int64, _ lane: Int64, crashes: Int = 0) -> ClaimedJob {
        ClaimedJob(
            reference: JobReference(part: part, lease: part),
            kind: lane == Self.photos ? .still : .video,
            source: 1,
            lane: lane,
            attempt: 1,
            crashes: crashes,
            acceptReduced: false,
            objectName: "202201/\(part)",
            folderMonth: "202201",
            sourceItem: "\(part)",
            filename: nil,
            mimeType: nil,
            captureTime: nil,
            width: nil,
            height: nil
        )
    }

    /// A queue of two lanes, and a worker with so many slots that claims as `WorkerLoop` does; a claim takes two ticks.
    private struct Simulation {
        var ready: [Int64: [ClaimedJob]]
        let length: [Int64: Int]
        let slots: Int
        let mayExceed: Bool
        var backlog = Backlog(crashLimit: 3)
        var running: [(job: ClaimedJob, ends: Int)] = []
        var pending: (due: Int, jobs: [ClaimedJob], excluded: [Int64])?
        var time = 0
        static let ahead = 50

        func count(_ lane: Int64) -> Int { running.count { $0.job.lane == lane } }

        mutating func tick() {
            time += 1
            for job in running.filter({ $0.ends <= time }) { backlog.ended(job.job) }
            running.removeAll { $0.ends <= time }
            if let claim = pending, claim.due <= time {
                _ = backlog.add(claim.jobs, excluding: claim.excluded)
                pending = nil
            }
            while let job = backlog.next(slots: slots, mayExceed: mayExceed) {
                running.append((job, time + length[job.lane, default: 1]))
            }
            guard pending == nil else { return }
            let full = backlog.full(ahead: Self.ahead)
            let wanted = slots - running.count + Self.ahead - backlog.count
            guard wanted > 0 || !full.isEmpty else { return }
            pending = (time + 2, claim(max(wanted, Self.ahead / 2, 1), full), full)
        }

        /// An equal share of each lane that has jobs, as the statement gives it.
        private mutating func claim(_ limit: Int, _ excluded: [Int64]) -> [ClaimedJob] {
            let lanes = ready.keys.filter { !excluded.contains($0) && !(ready[$0] ?? []).isEmpty }.sorted()
            var jobs: [ClaimedJob] = []
            for lane in lanes {
                let share = min(max(1, limit / lanes.count), ready[lane]?.count ?? 0)
                jobs += ready[lane]?.prefix(share) ?? []
                ready[lane]?.removeFirst(share)
            }
            return jobs
        }
    }

    @Test(arguments: [2, 4, 8, 64])
    func `an hour-long video in each slot never keeps photos waiting, nor photos the videos`(_ slots: Int) {
        var simulation = Simulation(
            ready: [
                Self.photos: (1...20_000).map { job($0, Self.photos) },
                Self.videos: (20_001...20_400).map { job($0, Self.videos) },
            ],
            length: [Self.photos: 1, Self.videos: 3600],
            slots: slots,
            mayExceed: false
        )
        for _ in 0..<10 { simulation.tick() }
        for _ in 0..<300 {
            simulation.tick()
            #expect(simulation.count(Self.videos) >= 1)
            #expect(simulation.count(Self.videos) <= slots - max(1, slots / 4))
            #expect(simulation.running.count <= slots)
        }
        let stored = 20_000 - (simulation.ready[Self.photos]?.count ?? 0)
        // A claim takes three ticks from its decision to its jobs, so a dry photo lane may idle for some of them.
        #expect(stored >= 300 * max(1, slots / 4) / 3, "\(stored) photos")
    }

    @Test func `a lane alone has all slots, and the other one begins one more when it wakes up`() {
        var simulation = Simulation(
            ready: [Self.videos: (1...100).map { job($0, Self.videos) }],
            length: [Self.photos: 1, Self.videos: 3600],
            slots: 8,
            mayExceed: true
        )
        for _ in 0..<10 { simulation.tick() }
        #expect(simulation.count(Self.videos) == 8)
        simulation.ready[Self.photos] = (101...200).map { job($0, Self.photos) }
        var begun = 0
        for _ in 0..<60 {
            simulation.tick()
            begun += simulation.count(Self.photos)
            #expect(simulation.running.count <= 9)
        }
        #expect(begun >= 20, "\(begun)")
    }

    @Test func `a lane that wakes up while more transfers run than there are slots begins one`() {
        var backlog = Backlog(crashLimit: 3)
        _ = backlog.add((1...50).map { job($0, Self.videos) }, excluding: [])
        #expect(backlog.take(slots: 50, mayExceed: true).count == 50)
        _ = backlog.add((51...60).map { job($0, Self.photos) }, excluding: [])
        #expect(backlog.take(slots: 32, mayExceed: false).isEmpty)
        #expect(backlog.take(slots: 32, mayExceed: true).map(\.reference.part) == [51])
    }

    @Test func `one slot stays one, though the lanes may exceed their slots`() {
        var backlog = Backlog(crashLimit: 3)
        _ = backlog.add([job(1, Self.photos), job(2, Self.videos), job(3, Self.photos)], excluding: [])
        var turns: [Int64] = []
        while let job = backlog.next(slots: 1, mayExceed: true) {
            #expect(backlog.next(slots: 1, mayExceed: true) == nil)
            turns.append(job.lane)
            backlog.ended(job)
        }
        #expect(turns == [Self.photos, Self.videos, Self.photos])
    }

    @Test func `with one slot the lanes take turns`() {
        var simulation = Simulation(
            ready: [
                Self.photos: (1...2000).map { job($0, Self.photos) },
                Self.videos: (2001...4000).map { job($0, Self.videos) },
            ],
            length: [Self.photos: 1, Self.videos: 1],
            slots: 1,
            mayExceed: false
        )
        var begun: [Int64: Int] = [:]
        for _ in 0..<400 {
            simulation.tick()
            for lane in [Self.photos, Self.videos] { begun[lane, default: 0] += simulation.count(lane) }
            #expect(simulation.running.count <= 1)
        }
        #expect(begun[Self.photos, default: 0] >= 150 && begun[Self.videos, default: 0] >= 150, "\(begun)")
    }

    @Test func `of what waits in excess the last that came goes, from the longest lane`() {
        var backlog = Backlog(crashLimit: 3)
        _ = backlog.add(
            (1...6).map { job($0, Self.photos) } + [job(7, Self.videos), job(8, Self.videos)],
            excluding: []
        )
        #expect(backlog.removeExcess(over: 8).isEmpty)
        #expect(backlog.removeExcess(over: 3).map(\.reference.part) == [6, 5, 4, 3, 2])
        #expect(backlog.count == 3)
        #expect(backlog.take(slots: 8, mayExceed: false).map(\.reference.part).sorted() == [1, 7, 8])
        #expect(backlog.removeExcess(over: 0).isEmpty)
    }

    @Test func `what waits can be given up, all of it or what was lost`() {
        var backlog = Backlog(crashLimit: 3)
        _ = backlog.add([job(1, 1), job(2, 2), job(3, 1)], excluding: [])
        backlog.removeAll { $0.reference.part == 2 }
        #expect(backlog.count == 2)
        #expect(backlog.next(slots: 1, mayExceed: false)?.reference.part == 1)
        #expect(backlog.removeAll().map(\.reference.part) == [3])
        #expect(backlog.isEmpty && backlog.begun == 1)
    }

    @Test func `of parts that have all but used up their crashes one runs at a time`() {
        var backlog = Backlog(crashLimit: 3)
        let excess = backlog.add(
            [job(1, Self.photos, crashes: 2), job(2, Self.photos), job(3, Self.videos, crashes: 2)],
            excluding: []
        )
        #expect(excess.map(\.reference.part) == [3])
        let taken = backlog.take(slots: 8, mayExceed: false)
        #expect(taken.map(\.reference.part) == [1, 2])
        #expect(backlog.add([job(4, Self.videos, crashes: 2)], excluding: []).isEmpty)
        #expect(backlog.take(slots: 8, mayExceed: false).isEmpty)
        backlog.ended(taken[0])
        #expect(backlog.take(slots: 8, mayExceed: false).map(\.reference.part) == [4])
    }

    @Test func `a job that did not begin is the first of its lane again`() {
        var backlog = Backlog(crashLimit: 3)
        _ = backlog.add([job(1, Self.photos), job(2, Self.photos)], excluding: [])
        let taken = backlog.take(slots: 1, mayExceed: false)
        backlog.put(back: taken[0])
        #expect(backlog.count == 2)
        #expect(backlog.begun == 0)
        #expect(backlog.take(slots: 1, mayExceed: false).map(\.reference.part) == [1])
    }

    @Test func `where one crash is the limit, parts without one are not on a last chance`() {
        var backlog = Backlog(crashLimit: 1)
        #expect(backlog.add([job(1, Self.photos), job(2, Self.photos)], excluding: []).isEmpty)
        #expect(backlog.take(slots: 2, mayExceed: false).count == 2)
    }
}
