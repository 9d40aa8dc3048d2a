import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct SweepTests {
    @Test func `jobs of a silent worker come back spread over some time, crash counted, attempt not`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        let silent = try await fixture.worker(), lively = try await fixture.worker()
        #expect(try await fixture.claim(silent, 3).count == 3)
        #expect(try await fixture.claim(lively, 2).count == 2)
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
        #expect(try await fixture.texts("SELECT state FROM coldroll.worker ORDER BY state") == ["alive", "alive", "dead"])
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

    @Test func `a part that kills its third worker is dead with that reason`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        for crash in 1...3 {
            let worker = try await fixture.worker()
            let job = try #require(try await fixture.claim(worker, 1).first)
            #expect(job.crashes == crash - 1 && job.attempt == 1)
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
        while try await !fixture.claim(worker, 500).isEmpty {}
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
