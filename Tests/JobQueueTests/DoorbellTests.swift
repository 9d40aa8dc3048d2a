import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct DoorbellTests {
    /// What may ring.
    enum Event: CaseIterable { case record, release, promote, retry, accept, resume, stop, clip }

    @Test(arguments: Event.allCases)
    func `the doorbell rings when jobs become ready`(_ event: Event) async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        let queue = fixture.queue
        _ = try await queue.complete(
            worker: worker,
            [Completion(job: jobs[1].reference, result: .dead(reason: "x"))]
        )
        let lane = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        _ = try await fixture.call("pause", lane)
        if event == .promote {
            try await queue.release(worker: worker, [Release(job: jobs[0].reference, delay: .seconds(9))])
            try await fixture.makeDue()
        }
        let doorbell = try await JobQueue.doorbell(conninfo: MigratedDatabase.conninfo)
        switch event {
        case .record: try await fixture.record(1, from: 10)
        case .release: try await queue.release(worker: worker, [Release(job: jobs[0].reference)])
        case .promote: _ = try await queue.sweep(mayDeclareDeath: false)
        case .retry: _ = try await fixture.call("retry", jobs[1].reference.part)
        case .accept: _ = try await fixture.call("accept", jobs[1].reference.part)
        case .resume: _ = try await fixture.call("resume", lane)
        case .stop: try await queue.stop(worker: worker)
        case .clip:
            _ = try await queue.complete(
                worker: worker,
                [QueueFixture.stored(jobs[0], motion: CompletionTests.clip("clip"))]
            )
        }
        var rings = doorbell.makeAsyncIterator()
        #expect(await rings.next() != nil)
    }

    @Test func `the doorbell ends when its connection is lost`() async throws {
        let fixture = try await QueueFixture()
        let doorbell = try await JobQueue.doorbell(conninfo: MigratedDatabase.conninfo)
        try await fixture.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coldroll doorbell' AND datname = current_database()"
        )
        var rings = doorbell.makeAsyncIterator()
        #expect(await rings.next() == nil)
    }

    @Test func `a doorbell that is let go closes its connection`() async throws {
        let fixture = try await QueueFixture()
        let count = """
            SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'coldroll doorbell' AND datname = current_database()
            """
        do {
            let doorbell = try await JobQueue.doorbell(conninfo: MigratedDatabase.conninfo)
            #expect(try await fixture.number(count) == 1)
            _ = doorbell
        }
        try await fixture.waitUntil("SELECT 1 - (\(count))")
    }
}
