import JobQueue
import Postgres
import TestSupport
import Testing

/// Tables that a person changed at psql while workers were at work: whoever holds the job is told, nobody stores anything
/// for somebody else, and the books show what is missing.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct HandEditTests {
    /// A job under way.
    private struct Held {
        let fixture: QueueFixture
        let worker: Int64, other: Int64
        let job: ClaimedJob

        init() async throws {
            var timing = JobQueue.Timing()
            timing.beat = .zero
            fixture = try await QueueFixture(timing: timing)
            try await fixture.record(1)
            worker = try await fixture.worker()
            other = try await fixture.worker()
            job = try #require(try await fixture.claim(worker, 1).first)
        }

        func beat(_ worker: Int64, _ held: [JobReference]) async throws -> BeatAnswer {
            try await fixture.queue.beat(worker: worker, busy: 0, held: held)
        }

        /// The holder is told, and none of its writes takes place.
        func expectRefused() async throws {
            #expect(try await beat(worker, [job.reference]).lost == [job.reference])
            #expect(try await fixture.start(worker, [job]).isEmpty)
            #expect(try await fixture.queue.complete(worker: worker, [QueueFixture.stored(job)]).isEmpty)
            let failure = Failure(job: job.reference, reason: "x", message: "x")
            #expect(try await fixture.queue.fail(worker: worker, [failure]).isEmpty)
            try await fixture.queue.release(worker: worker, [Release(job: job.reference)])
            let name = NameCandidate(name: "other", key: "other")
            #expect(try await fixture.queue.rename(worker: worker, job.reference, to: name) == .leaseLost)
            #expect(try await fixture.number("SELECT count(*) FROM coldroll.object") == 0)
            #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error") == 0)
        }
    }

    @Test func `a job that was given to another worker is that worker's to give back`() async throws {
        let held = try await Held()
        try await held.fixture.sql("UPDATE coldroll.job SET worker_id = $1", [.integer(held.other)])
        try await held.expectRefused()
        let orphaned = try await held.beat(held.other, []).orphaned
        #expect(orphaned == [held.job.reference])
        try await held.fixture.queue.release(worker: held.other, orphaned.map { Release(job: $0) })
        #expect(try await held.fixture.claim(held.worker, 1).count == 1)
    }

    @Test func `a job that was given to nobody's number comes back after a minute`() async throws {
        let held = try await Held()
        try await held.fixture.sql(
            "UPDATE coldroll.job SET worker_id = 4711, claimed_at = now() - interval '61 seconds'"
        )
        try await held.expectRefused()
        #expect(try await held.fixture.queue.sweep(mayDeclareDeath: false).orphans == 1)
        #expect(try await held.fixture.texts("SELECT crashes::text FROM coldroll.job") == ["0"])
    }

    @Test func `a lease that was changed fences its holder off, and the job comes back`() async throws {
        let held = try await Held()
        try await held.fixture.sql("UPDATE coldroll.job SET lease = lease + 100")
        try await held.expectRefused()
        let orphaned = try await held.beat(held.worker, [held.job.reference]).orphaned
        #expect(orphaned.map(\.lease) == [held.job.reference.lease + 100])
        try await held.fixture.queue.release(worker: held.worker, orphaned.map { Release(job: $0) })
        // The sequence is behind that number now: the next claim has a smaller one, and the old holder is still refused.
        let next = try #require(try await held.fixture.claim(held.other, 1).first)
        #expect(next.reference != held.job.reference)
        #expect(try await held.fixture.queue.complete(worker: held.worker, [QueueFixture.stored(held.job)]).isEmpty)
        #expect(try await held.fixture.queue.complete(worker: held.other, [QueueFixture.stored(next)]).count == 1)
    }

    @Test func `a job set to ready is handed out again, and its holder's end counts only while nobody has it`()
        async throws
    {
        let held = try await Held()
        try await held.fixture.sql("UPDATE coldroll.job SET state = 'ready'")
        #expect(try await held.beat(held.worker, [held.job.reference]).lost == [held.job.reference])
        #expect(try await held.fixture.start(held.worker, [held.job]).isEmpty)
        let next = try #require(try await held.fixture.claim(held.other, 1).first)
        try await held.expectRefused()
        #expect(try await held.fixture.queue.complete(worker: held.other, [QueueFixture.stored(next)]).count == 1)
    }

    @Test func `a job that was deleted is refused to its holder, and its part counts as unaccounted`() async throws {
        let held = try await Held()
        try await held.fixture.sql("DELETE FROM coldroll.job")
        try await held.expectRefused()
        #expect(try await held.fixture.queue.totals(sources: []).unaccounted == 1)
        let refusal = try await held.fixture.refusal("retry", held.job.reference.part)
        #expect(refusal.contains("is nowhere: it has no job, no object and no outcome"))
    }

    @Test func `a worker that was deleted begins nothing, is told by its heartbeat, and may still end what it has`()
        async throws
    {
        let held = try await Held()
        try await held.fixture.sql("DELETE FROM coldroll.worker WHERE id = $1", [.integer(held.worker)])
        #expect(try await !held.beat(held.worker, [held.job.reference]).alive)
        #expect(try await held.fixture.claim(held.worker, 1).isEmpty)
        #expect(try await held.fixture.start(held.worker, [held.job]).isEmpty)
        #expect(try await held.fixture.queue.complete(worker: held.worker, [QueueFixture.stored(held.job)]).count == 1)
    }

    @Test func `a worker that was declared dead by hand is told, and its jobs come back`() async throws {
        let held = try await Held()
        try await held.fixture.start(held.worker, [held.job])
        try await held.fixture.sql(
            "UPDATE coldroll.worker SET state = 'dead', ended_at = now() WHERE id = $1",
            [.integer(held.worker)]
        )
        #expect(try await !held.beat(held.worker, [held.job.reference]).alive)
        #expect(try await held.fixture.queue.sweep(mayDeclareDeath: false).orphans == 1)
    }

    @Test func `a part that was recorded as stored, or as dead, by hand does not stop the others of its batch`()
        async throws
    {
        let held = try await Held()
        let fixture = held.fixture
        try await fixture.record(4, from: 1)
        let jobs = try await fixture.claim(held.worker, 4).sorted { $0.reference.part < $1.reference.part }
        try await fixture.sql(
            """
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            VALUES ($1, 1, 1, 1, 1, 1, false, 'rendition', 'jpeg')
            """,
            [.integer(jobs[0].reference.part)]
        )
        let decided = "INSERT INTO coldroll.outcome (part_id, kind, reason, decided_by) VALUES ($1, 'dead', 'x', 'me')"
        for job in [jobs[2], held.job] { try await fixture.sql(decided, [.integer(job.reference.part)]) }
        let ends = [
            QueueFixture.stored(jobs[0]), QueueFixture.stored(jobs[1]),
            Completion(job: jobs[2].reference, result: .dead(reason: "y")),
            Completion(job: jobs[3].reference, result: .dead(reason: "y")),
        ]
        #expect(
            try await fixture.queue.complete(worker: held.worker, ends) == [jobs[1].reference, jobs[3].reference]
        )
        // The reaper is not stopped by such a part either.
        try await fixture.start(held.worker, [held.job])
        try await fixture.sql("UPDATE coldroll.job SET crashes = 2")
        try await fixture.silence(held.worker)
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        let totals = try await fixture.queue.totals(sources: [])
        #expect(totals.stored == 2 && totals.dead == 3 && totals.live == 0 && totals.unaccounted == 0)
    }
}
