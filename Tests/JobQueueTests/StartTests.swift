import JobQueue
import Postgres
import TestSupport
import Testing

/// What the database is told before transfers begin, and when it forgets that.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct StartTests {
    private func rows(_ fixture: QueueFixture) async throws -> Int64 {
        try await fixture.number("SELECT count(*) FROM coldroll.job_start")
    }

    @Test func `a batch of starts is one row, and a batch of which nothing may begin is none`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker(), other = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        #expect(try await fixture.start(other, jobs).isEmpty)
        #expect(try await rows(fixture) == 0)
        let wrong = JobReference(part: jobs[0].reference.part, lease: jobs[0].reference.lease + 1)
        let starts = try await fixture.queue.start(worker: worker, [jobs[1].reference, wrong, jobs[2].reference])
        #expect(starts == Starts(begun: [jobs[1].reference, jobs[2].reference]))
        #expect(try await rows(fixture) == 1)
    }

    @Test func `what waits in a lane that was paused or parked since its claim may not begin`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        let lane = jobs[0].lane
        let asked = jobs.map(\.reference)
        _ = try await fixture.call("pause", lane)
        #expect(try await fixture.queue.start(worker: worker, asked) == Starts(heldBack: Set(asked)))
        #expect(try await rows(fixture) == 0)
        _ = try await fixture.call("resume", lane)
        try await fixture.queue.park(source: fixture.source, lane: lane, for: .seconds(60), reason: "quota")
        #expect(try await fixture.queue.start(worker: worker, asked) == Starts(heldBack: Set(asked)))
        _ = try await fixture.call("resume", lane)
        #expect(try await fixture.queue.start(worker: worker, asked) == Starts(begun: Set(asked)))
        #expect(try await rows(fixture) == 1)
    }

    @Test func `a beat forgets what does not run any more, and nothing else`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(4)
        let worker = try await fixture.worker(), other = try await fixture.worker()
        let theirs = try await fixture.claim(other, 1)
        try await fixture.start(other, theirs)
        _ = try await fixture.queue.complete(worker: other, theirs.map { QueueFixture.stored($0) })
        let jobs = try await fixture.claim(worker, 3)
        for batch in [[jobs[0]], [jobs[1], jobs[2]]] { try await fixture.start(worker, batch) }
        _ = try await fixture.queue.complete(worker: worker, [jobs[0], jobs[1]].map { QueueFixture.stored($0) })
        // What the process believes to hold does not matter.
        _ = try await fixture.queue.beat(worker: worker, busy: 0, held: [])
        #expect(
            try await fixture.texts("SELECT parts::text FROM coldroll.job_start ORDER BY started_at").count == 2
        )
        try await fixture.silence(worker)
        #expect(try await fixture.queue.sweep(mayDeclareDeath: true).orphans == 1)
        #expect(try await fixture.number("SELECT crashes FROM coldroll.job") == 1)
    }

    @Test func `a beat that does not look at every lease forgets nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        try await fixture.start(worker, fixture.claim(worker, 1))
        let beat = try #require(Statement.jobQueue.first { $0.name == "worker.beat" })
        _ = try await fixture.pool.run(
            beat,
            [
                .integer(worker), .integer(0), .integers([]), .integers([]), .double(15), .double(15),
                .integer(.max),
            ]
        )
        #expect(try await rows(fixture) == 1)
    }

    @Test func `starts of a worker that is gone are kept until its jobs are taken back, then forgotten`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let worker = try await fixture.worker()
        try await fixture.start(worker, fixture.claim(worker, 1))
        try await fixture.sql("UPDATE coldroll.worker SET state = 'dead', ended_at = now()")
        try await fixture.queue.tidy()
        #expect(try await rows(fixture) == 1)
        #expect(try await fixture.queue.sweep(mayDeclareDeath: false).orphans == 1)
        #expect(try await fixture.number("SELECT sum(crashes) FROM coldroll.job") == 1)
        try await fixture.queue.tidy()
        #expect(try await rows(fixture) == 0)
    }

    @Test func `a start that meets the death of its worker waits for it, and begins nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 1)
        let reaper = try await Connection.connect(MigratedDatabase.conninfo)
        try await reaper.script("BEGIN; UPDATE coldroll.worker SET state = 'dead', ended_at = now()", name: "test.reap")
        async let begun = fixture.start(worker, jobs)
        try await fixture.waitUntil(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        try await reaper.script("COMMIT", name: "test.commit")
        #expect(try await begun.isEmpty)
        #expect(try await rows(fixture) == 0)
        await reaper.close()
        #expect(try await fixture.queue.sweep(mayDeclareDeath: false).orphans == 1)
        #expect(try await fixture.number("SELECT crashes FROM coldroll.job") == 0)
    }

    @Test func `a job that was moved to another worker by hand blames nobody for the first one's start`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let worker = try await fixture.worker(), other = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        try await fixture.start(worker, jobs)
        try await fixture.sql(
            "UPDATE coldroll.job SET worker_id = $1 WHERE part_id = $2",
            [.integer(other), .integer(jobs[0].reference.part)]
        )
        try await fixture.sql(
            "UPDATE coldroll.job SET lease = lease + 100 WHERE part_id = $1",
            [.integer(jobs[1].reference.part)]
        )
        try await fixture.silence(worker)
        try await fixture.silence(other)
        #expect(try await fixture.queue.sweep(mayDeclareDeath: true).orphans == 2)
        #expect(try await fixture.number("SELECT sum(crashes) FROM coldroll.job") == 0)
    }
}
