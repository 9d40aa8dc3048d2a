import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ClaimTests {
    @Test func `a claim hands out what the worker needs, oldest part first`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        #expect(jobs.map(\.sourceItem).sorted() == ["item0", "item1"])
        let job = try #require(jobs.first { $0.sourceItem == "item0" })
        #expect(job.objectName == "202401/item0")
        #expect(job.folderMonth == "202401")
        #expect(job.kind == .still)
        #expect(job.attempt == 1)
        #expect(job.crashes == 0)
        #expect(!job.acceptReduced)
        #expect(job.filename == "item0")
        #expect(job.mimeType == "image/jpeg")
        #expect(job.captureTime == "2024-01-02T03:04:05.000000Z")
        #expect(job.width == 4000)
        #expect(job.height == 3000)
        #expect(job.source == fixture.source)
    }

    @Test func `no job is handed out twice and every claim draws a lease of its own`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(200)
        let worker = try await fixture.worker()
        let claims = try await withThrowingTaskGroup(of: [[ClaimedJob]].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var mine: [[ClaimedJob]] = []
                    while true {
                        let jobs = try await fixture.claim(worker, 7)
                        if jobs.isEmpty { return mine }
                        mine.append(jobs)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let jobs = claims.flatMap { $0 }
        #expect(jobs.count == 200)
        #expect(Set(jobs.map(\.reference.part)).count == 200)
        // A claim whose first round leaves some of its limit has a second one, with a lease of its own.
        let leases = claims.map { Set($0.map(\.reference.lease)) }
        #expect(leases.allSatisfy { $0.count <= 2 })
        #expect(leases.reduce(0) { $0 + $1.count } == leases.reduce(into: Set<Int64>()) { $0.formUnion($1) }.count)
    }

    @Test func `a claim takes an equal share of each lane, and fills up from the other when one runs out`() async throws
    {
        let fixture = try await QueueFixture()
        try await fixture.record(100)
        try await fixture.record(12, from: 1000, isVideo: true)
        let worker = try await fixture.worker()
        let first = try await fixture.claim(worker, 10)
        #expect(first.count == 10)
        #expect(first.count { $0.kind == .video } == 5)
        let second = try await fixture.claim(worker, 40)
        #expect(second.count == 40)
        #expect(second.count { $0.kind == .video } == 7)
        let third = try await fixture.claim(worker, 100)
        #expect(third.count == 62)
    }

    @Test func `single claims take turns among lanes`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(60)
        try await fixture.record(60, from: 1000, isVideo: true)
        let worker = try await fixture.worker()
        var videos = 0
        for _ in 0..<60 {
            videos += try await fixture.claim(worker, 1).count { $0.kind == .video }
        }
        // Fair coins: outside of 10...50 once in ten million runs.
        #expect((10...50).contains(videos))
    }

    @Test func `a worker that is dead, stopped or unknown gets nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        #expect(try await fixture.claim(12345, 3).isEmpty)
        let stopped = try await fixture.worker()
        try await fixture.queue.stop(worker: stopped)
        #expect(try await fixture.claim(stopped, 3).isEmpty)
        let silent = try await fixture.worker()
        try await fixture.silence(silent)
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(try await fixture.claim(silent, 3).isEmpty)
        #expect(try await fixture.claim(fixture.worker(), 3).count == 3)
    }

    @Test func `a worker gets only jobs of its sources`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let other = try await fixture.ledger.source(kind: "picker", account: "default", clientID: nil)
        let worker = try await fixture.worker()
        #expect(try await fixture.queue.claim(worker: worker, sources: [other], limit: 3).isEmpty)
        #expect(try await fixture.queue.claim(worker: worker, sources: [other, fixture.source], limit: 3).count == 3)
    }
}
