import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct SweepTests {
    @Test func `jobs of a silent worker come back spread over some time, crash counted, attempt not`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        let silent = try await fixture.worker(), lively = try await fixture.worker()
        try await fixture.start(silent, fixture.claim(silent, 3))
        try await fixture.start(lively, fixture.claim(lively, 2))
        try await fixture.silence(silent)
        let swept = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(swept.orphans == 3 && swept.buried == 0)
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', state, attempt, crashes, count(*)) FROM coldroll.job GROUP BY state, attempt, crashes ORDER BY state"
            )
                == ["scheduled 0 1 3", "running 0 0 2"]
        )
        #expect(
            try await fixture.number(
                "SELECT count(*) FROM coldroll.job WHERE due BETWEEN now() + interval '990 s' AND now() + interval '5000 s'"
            )
                == 3
        )
        #expect(
            try await fixture.texts("SELECT state FROM coldroll.worker ORDER BY state") == ["alive", "alive", "dead"]
        )
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error WHERE is_crash") == 3)
    }

    @Test func `who has no unbroken contact declares nobody dead`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 1)
        try await fixture.silence(worker)
        let swept = try await fixture.queue.sweep(mayDeclareDeath: false)
        #expect(swept.orphans == 0)
        #expect(try await fixture.queue.beat(worker: worker, busy: 0, held: []).alive)
    }

    @Test func `what only waited in a dead worker's hands comes back without a crash`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        try await fixture.start(worker, [jobs[0]])
        try await fixture.silence(worker)
        let swept = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(swept.orphans == 3)
        #expect(
            try await fixture.sql("SELECT part_id FROM coldroll.job WHERE crashes = 1").map { try $0.integer(0) }
                == [jobs[0].reference.part]
        )
        #expect(
            try await fixture.sql("SELECT part_id FROM coldroll.job_error WHERE is_crash").map { try $0.integer(0) }
                == [jobs[0].reference.part]
        )
        // A mark from an earlier claim says nothing of the next one.
        try await fixture.makeDue()
        _ = try await fixture.queue.sweep(mayDeclareDeath: false)
        let next = try await fixture.worker()
        #expect(try await fixture.claim(next, 3).count == 3)
        try await fixture.silence(next)
        #expect(try await fixture.queue.sweep(mayDeclareDeath: true).orphans == 3)
        #expect(try await fixture.number("SELECT sum(crashes) FROM coldroll.job") == 1)
    }

    @Test func `parts that wait beside a killer are as they were after it died`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(50)
        let killer = try await fixture.number("SELECT min(part_id) FROM coldroll.job")
        for crash in 1...3 {
            let worker = try await fixture.worker()
            let jobs = try await fixture.claim(worker, 50)
            try await fixture.start(worker, jobs.filter { $0.reference.part == killer })
            try await fixture.silence(worker)
            #expect(try await fixture.queue.sweep(mayDeclareDeath: true).buried == (crash == 3 ? 1 : 0))
            try await fixture.makeDue()
            _ = try await fixture.queue.sweep(mayDeclareDeath: false)
        }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job WHERE crashes = 0") == 49)
    }

    @Test func `after an outage of the database nobody is dead, whoever sweeps first`() async throws {
        let fixture = try await QueueFixture()
        let first = try await fixture.worker(), second = try await fixture.worker()
        try await fixture.sql("UPDATE coldroll.worker SET steady_since = now() - interval '1 hour'")
        // Ten minutes in which the server was down, or slept, or its clock was set: nobody could be heard.
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() - interval '10 minutes'")
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(try await fixture.queue.beat(worker: first, busy: 0, held: []).alive)
        // The first one is in touch again, which proves nothing about the time before.
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(try await fixture.queue.beat(worker: second, busy: 0, held: []).alive)
    }

    @Test func `a worker from before the database's clock was set back is found dead, the others are not`() async throws
    {
        let fixture = try await QueueFixture()
        let gone = try await fixture.worker(), lively = try await fixture.worker()
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() + interval '1 day'")
        #expect(try await fixture.queue.beat(worker: lively, busy: 0, held: []).alive)
        try await fixture.sql(
            "UPDATE coldroll.worker SET steady_since = now() - interval '31 s' WHERE id = $1",
            [.integer(lively)]
        )
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        #expect(try await !fixture.queue.beat(worker: gone, busy: 0, held: []).alive)
        #expect(try await fixture.queue.beat(worker: lively, busy: 0, held: []).alive)
    }

    @Test func `a part that kills its third worker is dead with that reason`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        for crash in 1...3 {
            let worker = try await fixture.worker()
            let job = try #require(try await fixture.claim(worker, 1).first)
            #expect(job.crashes == crash - 1 && job.attempt == 1)
            try await fixture.start(worker, [job])
            try await fixture.silence(worker)
            let swept = try await fixture.queue.sweep(mayDeclareDeath: true)
            #expect(swept.buried == (crash == 3 ? 1 : 0))
            try await fixture.makeDue()
            _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        }
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', kind, reason, decided_by) FROM coldroll.outcome")
                == ["dead killed its worker 3 times reaper"]
        )
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
    }

    @Test func `a worker that stops gives back what it has, nothing counted`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 3)
        try await fixture.queue.stop(worker: worker)
        #expect(try await !fixture.queue.beat(worker: worker, busy: 0, held: []).alive)
        #expect(
            try await fixture.texts("SELECT DISTINCT concat_ws(' ', state, attempt, crashes) FROM coldroll.job")
                == ["ready 0 0"]
        )
    }

    @Test func `a claim that was under way when its worker stopped comes back, nothing counted`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 1)
        try await fixture.sql("UPDATE coldroll.worker SET state = 'stopped', ended_at = now()")
        #expect(try await fixture.queue.sweep(mayDeclareDeath: false).orphans == 1)
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', state, attempt, crashes) FROM coldroll.job")
                == ["scheduled 0 0"]
        )
    }

    @Test func `jobs of a worker that nobody knows come back after a minute`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 1)
        try await fixture.sql("DELETE FROM coldroll.worker")
        #expect(try await fixture.queue.sweep(mayDeclareDeath: true).orphans == 0)
        try await fixture.sql("UPDATE coldroll.job SET claimed_at = now() - interval '2 minutes'")
        #expect(try await fixture.queue.sweep(mayDeclareDeath: true).orphans == 1)
    }

    @Test func `two sweeps at once take each job back once`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1500)
        let worker = try await fixture.worker()
        while try await !fixture.start(worker, fixture.claim(worker, 500)).isEmpty {}
        try await fixture.silence(worker)
        let orphans = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { try await fixture.queue.sweep(mayDeclareDeath: true).orphans }
            }
            return try await group.reduce(0, +)
        }
        // What two sweeps passed by in each other's hands is left to the next one.
        let rest = try await fixture.queue.sweep(mayDeclareDeath: true).orphans
        #expect(orphans + rest == 1500)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job WHERE crashes = 1") == 1500)
    }

    @Test func `a beat tells what was lost and what this worker does not know of`() async throws {
        var timing = JobQueue.Timing()
        timing.beat = .zero
        let fixture = try await QueueFixture(timing: timing)
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3).sorted { $0.reference.part < $1.reference.part }
        let gone = JobReference(part: jobs[1].reference.part, lease: jobs[1].reference.lease + 1000)
        let answer = try await fixture.queue.beat(worker: worker, busy: 2, held: [jobs[0].reference, gone])
        #expect(answer.alive)
        #expect(answer.lost == [gone])
        #expect(Set(answer.orphaned) == [jobs[1].reference, jobs[2].reference])
        #expect(try await fixture.number("SELECT busy FROM coldroll.worker") == 2)
    }

    @Test func `a fresh claim is not called orphaned while its answer may be under way`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 1)
        #expect(try await fixture.queue.beat(worker: worker, busy: 0, held: []).orphaned.isEmpty)
        try await fixture.sql("UPDATE coldroll.job SET claimed_at = now() - interval '16 seconds'")
        #expect(try await fixture.queue.beat(worker: worker, busy: 0, held: []).orphaned.count == 1)
    }
}
