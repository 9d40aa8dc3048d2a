import JobQueue
import Postgres
import TestSupport
import Testing

/// What a worker may still do that lost its lease: nothing.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct FencingTests {
    /// A job that a silent worker had and that another one has claimed since.
    private struct Zombie {
        let fixture: QueueFixture
        let silent: Int64, next: Int64
        let old: ClaimedJob, new: ClaimedJob

        init() async throws {
            fixture = try await QueueFixture()
            try await fixture.record(1)
            silent = try await fixture.worker()
            old = try #require(try await fixture.claim(silent, 1).first)
            try await fixture.start(silent, [old])
            try await fixture.silence(silent)
            let swept = try await fixture.queue.sweep(mayDeclareDeath: true)
            #expect(swept.orphans == 1)
            try await fixture.makeDue()
            #expect(try await fixture.queue.sweep(mayDeclareDeath: true).promoted == 1)
            next = try await fixture.worker()
            new = try #require(try await fixture.claim(next, 1).first)
            #expect(new.reference.part == old.reference.part)
            #expect(new.reference.lease > old.reference.lease)
            #expect(new.crashes == 1 && new.attempt == 1)
        }

        /// The new claim stands untouched.
        func expectUntouched() async throws {
            let row = try #require(
                try await fixture.sql("SELECT state::text, lease, worker_id, attempt FROM coldroll.job").first
            )
            #expect(try row.text(0) == "running")
            #expect(try row.integer(1) == new.reference.lease)
            #expect(try row.integer(2) == next)
            #expect(try row.integer(3) == 0)
            #expect(try await fixture.texts("SELECT object_name FROM coldroll.part") == [new.objectName])
            #expect(try await fixture.number("SELECT count(*) FROM coldroll.object") == 0)
            #expect(try await fixture.queue.complete(worker: next, [QueueFixture.stored(new)]) == [new.reference])
        }
    }

    @Test func `a zombie cannot complete a job that another worker has claimed`() async throws {
        let zombie = try await Zombie()
        let clip = CompletionTests.clip("clip")
        for end in [
            QueueFixture.stored(zombie.old), QueueFixture.stored(zombie.old, motion: clip),
            Completion(job: zombie.old.reference, result: .skipped(reason: "no")),
            Completion(job: zombie.old.reference, result: .dead(reason: "no")),
        ] {
            #expect(try await zombie.fixture.queue.complete(worker: zombie.silent, [end]).isEmpty)
        }
        try await zombie.expectUntouched()
    }

    @Test func `a zombie cannot fail a job that another worker has claimed`() async throws {
        let zombie = try await Zombie()
        let failure = Failure(job: zombie.old.reference, reason: "late", message: "late")
        #expect(try await zombie.fixture.queue.fail(worker: zombie.silent, [failure]).isEmpty)
        #expect(try await zombie.fixture.number("SELECT count(*) FROM coldroll.job_error WHERE NOT is_crash") == 0)
        try await zombie.expectUntouched()
    }

    @Test func `a zombie cannot release a job that another worker has claimed`() async throws {
        let zombie = try await Zombie()
        try await zombie.fixture.queue.release(worker: zombie.silent, [Release(job: zombie.old.reference)])
        try await zombie.expectUntouched()
    }

    @Test func `a zombie cannot begin a job that another worker has claimed`() async throws {
        let zombie = try await Zombie()
        #expect(try await zombie.fixture.start(zombie.silent, [zombie.old]).isEmpty)
        #expect(
            try await zombie.fixture.number(
                "SELECT count(*) FROM coldroll.job_start WHERE worker_id = $1",
                [.integer(zombie.silent)]
            ) == 1
        )
        try await zombie.expectUntouched()
    }

    /// A replica that was behind takes over: it knows the job, and neither its claim nor the numbers drawn since.
    @Test func `after a failover that repeats a lease number the first holder of it is refused everything`()
        async throws
    {
        var timing = JobQueue.Timing()
        timing.beat = .zero
        let fixture = try await QueueFixture(timing: timing)
        try await fixture.record(1)
        let first = try await fixture.worker(), second = try await fixture.worker()
        let old = try #require(try await fixture.claim(first, 1).first)
        try await fixture.sql(
            "UPDATE coldroll.job SET state = 'ready', lease = 0, worker_id = NULL, claimed_at = NULL"
        )
        let new = try #require(try await fixture.claim(second, 1).first)
        #expect(new.reference.part == old.reference.part)
        // Twenty random bits that agree as well.
        try await fixture.sql("UPDATE coldroll.job SET lease = $1", [.integer(old.reference.lease)])
        #expect(try await fixture.queue.beat(worker: first, busy: 1, held: [old.reference]).lost == [old.reference])
        #expect(try await fixture.start(first, [old]).isEmpty)
        for end in [
            QueueFixture.stored(old), QueueFixture.stored(old, motion: CompletionTests.clip("clip")),
            Completion(job: old.reference, result: .dead(reason: "no")),
        ] {
            #expect(try await fixture.queue.complete(worker: first, [end]).isEmpty)
        }
        let failure = Failure(job: old.reference, reason: "x", message: "x")
        #expect(try await fixture.queue.fail(worker: first, [failure]).isEmpty)
        try await fixture.queue.release(worker: first, [Release(job: old.reference)])
        let name = NameCandidate(name: "other", key: "other")
        #expect(try await fixture.queue.rename(worker: first, old.reference, to: name) == .leaseLost)
        #expect(try await fixture.queue.complete(worker: second, [QueueFixture.stored(old)]) == [old.reference])
        // Nor is the second one's end taken for the first one's own.
        #expect(try await fixture.queue.complete(worker: first, [QueueFixture.stored(old)]).isEmpty)
    }

    /// A standby that had not heard of the last commit serves on.
    @Test
    func `what was stored under a new name is not recorded as the old one's after a failover that forgot the renaming`()
        async throws
    {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        #expect(jobs.count == 3)
        let ends = jobs.map { job in
            let object = QueueFixture.object(newName: "202401/new\(job.reference.part)")
            let clip = job == jobs[1] ? CompletionTests.clip("clip") : nil
            return Completion(job: job.reference, result: .stored(object, motion: clip))
        }
        #expect(try await fixture.queue.complete(worker: worker, ends).isEmpty)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.object") == 0)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.part WHERE kind = 'motion'") == 0)
        for job in jobs {
            let name = "202401/new\(job.reference.part)"
            let candidate = NameCandidate(name: name, key: name)
            #expect(try await fixture.queue.rename(worker: worker, job.reference, to: candidate) == .renamed)
        }
        #expect(try await fixture.queue.complete(worker: worker, ends) == Set(jobs.map(\.reference)))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.object") == 3)
    }

    /// The worker lives on, and the number of a part went to another photo meanwhile.
    @Test func `after a failover that repeats a number of the sequence a worker's earlier claim is not its new one`()
        async throws
    {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        try await fixture.sql("SELECT setval('coldroll.lease', 100)")
        let old = try #require(try await fixture.claim(worker, 1).first)
        try await fixture.sql(
            "UPDATE coldroll.job SET state = 'ready', lease = 0, worker_id = NULL, claimed_at = NULL"
        )
        try await fixture.sql("SELECT setval('coldroll.lease', 100)")
        let new = try #require(try await fixture.claim(worker, 1).first)
        #expect(new.reference.part == old.reference.part)
        #expect(new.reference.lease >> 20 == old.reference.lease >> 20, "the number was not repeated")
        #expect(try await fixture.queue.complete(worker: worker, [QueueFixture.stored(old)]).isEmpty)
        #expect(try await fixture.queue.complete(worker: worker, [QueueFixture.stored(new)]) == [new.reference])
    }

    @Test func `a zombie cannot rename a part that another worker has claimed`() async throws {
        let zombie = try await Zombie()
        let name = NameCandidate(name: "other", key: "other")
        #expect(
            try await zombie.fixture.queue.rename(worker: zombie.silent, zombie.old.reference, to: name) == .leaseLost
        )
        try await zombie.expectUntouched()
    }

    @Test func `the right lease under another worker's number is refused`() async throws {
        let zombie = try await Zombie()
        let end = QueueFixture.stored(zombie.new)
        #expect(try await zombie.fixture.queue.complete(worker: zombie.silent, [end]).isEmpty)
        let failure = Failure(job: zombie.new.reference, reason: "x", message: "x")
        _ = try await zombie.fixture.queue.fail(worker: zombie.silent, [failure])
        try await zombie.fixture.queue.release(worker: zombie.silent, [Release(job: zombie.new.reference)])
        try await zombie.expectUntouched()
    }

    @Test func `a late completion is accepted while nobody has claimed the job since`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let silent = try await fixture.worker()
        let job = try #require(try await fixture.claim(silent, 1).first)
        try await fixture.silence(silent)
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(try await fixture.queue.complete(worker: silent, [QueueFixture.stored(job)]) == [job.reference])
        #expect(try await fixture.queue.totals(sources: []).live == 0)
    }

    @Test func `a late failure or release of a job that was taken back counts nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let silent = try await fixture.worker()
        let job = try #require(try await fixture.claim(silent, 1).first)
        try await fixture.start(silent, [job])
        try await fixture.silence(silent)
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        _ = try await fixture.queue.fail(worker: silent, [Failure(job: job.reference, reason: "x", message: "x")])
        try await fixture.queue.release(worker: silent, [Release(job: job.reference)])
        #expect(
            try await fixture.texts("SELECT state || ' ' || attempt || ' ' || crashes FROM coldroll.job")
                == ["scheduled 0 1"]
        )
    }

    @Test func `a completion from before a burial is refused after the part was put back into the queue`() async throws
    {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        try await fixture.start(worker, [job])
        try await fixture.sql("UPDATE coldroll.job SET crashes = 2")
        try await fixture.silence(worker)
        #expect(try await fixture.queue.sweep(mayDeclareDeath: true).buried == 1)
        try await fixture.sql("SELECT coldroll.retry($1)", [.integer(job.reference.part)])
        #expect(try await fixture.queue.complete(worker: worker, [QueueFixture.stored(job)]).isEmpty)
        #expect(try await fixture.queue.totals(sources: []).ready == 1)
    }
}
