import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct FailureTests {
    @Test func `a failure is counted, kept and tried again after twice the last pause`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        for attempt in 1...7 {
            let job = try #require(try await fixture.claim(worker, 1).first)
            #expect(job.attempt == attempt)
            let dead = try await fixture.queue.fail(
                worker: worker,
                [Failure(job: job.reference, reason: "cut", message: "The body was cut.")]
            )
            #expect(dead.isEmpty)
            let pause = Double(
                try await fixture.number("SELECT (extract(epoch FROM due - now()) * 1000)::bigint FROM coldroll.job")
            )
            let policy = 10_000.0 * Double(1 << (attempt - 1))
            #expect(pause > policy * 0.8 - 1000 && pause < policy * 1.2)
            try await fixture.makeDue()
            #expect(try await fixture.queue.sweep(mayDeclareDeath: false).promoted == 1)
        }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error") == 7)
        #expect(try await fixture.texts("SELECT note FROM coldroll.job") == ["cut: The body was cut."])
    }

    @Test func `the last attempt makes the part dead with its reason, also when the answer is lost`() async throws {
        var timing = JobQueue.Timing()
        timing.attempts = 2
        let fixture = try await QueueFixture(timing: timing)
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let first = try #require(try await fixture.claim(worker, 1).first)
        _ = try await fixture.queue.fail(worker: worker, [Failure(job: first.reference, reason: "a", message: "a")])
        try await fixture.makeDue()
        _ = try await fixture.queue.sweep(mayDeclareDeath: false)
        let last = try #require(try await fixture.claim(worker, 1).first)
        let failure = Failure(job: last.reference, reason: "reduced", message: "It is small.")
        #expect(try await fixture.queue.fail(worker: worker, [failure]) == [last.reference.part])
        #expect(try await fixture.queue.fail(worker: worker, [failure]) == [last.reference.part])
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', kind, reason, attempts, crashes) FROM coldroll.outcome")
                == ["dead reduced 2 0"]
        )
        #expect(try await fixture.queue.totals(sources: []).dead == 1)
    }

    @Test func `what the server asks to wait is waited, and a pause never grows beyond the longest`() async throws {
        var timing = JobQueue.Timing()
        timing.longestBackoff = .seconds(20)
        timing.attempts = 100
        let fixture = try await QueueFixture(timing: timing)
        try await fixture.record(2)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        try await fixture.sql("UPDATE coldroll.job SET attempt = 50")
        _ = try await fixture.queue.fail(
            worker: worker,
            [
                Failure(job: jobs[0].reference, reason: "busy", message: "", retryAfter: .seconds(500)),
                Failure(job: jobs[1].reference, reason: "cut", message: ""),
            ]
        )
        let pauses = try await fixture.sql(
            "SELECT extract(epoch FROM due - now())::float8 FROM coldroll.job ORDER BY due DESC"
        )
        let asked = try pauses[0].double(0), longest = try pauses[1].double(0)
        #expect(asked > 495 && asked <= 550)
        #expect(longest > 15 && longest <= 24)
    }

    @Test func `a released job costs no attempt, waits if asked to, and keeps its note`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        try await fixture.queue.release(
            worker: worker,
            [
                Release(job: jobs[0].reference),
                Release(job: jobs[1].reference, delay: .seconds(60), note: "video is still processing"),
            ]
        )
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', state, attempt, crashes, note) FROM coldroll.job ORDER BY state"
            )
                == ["ready 0 0", "scheduled 0 0 video is still processing"]
        )
        #expect(try await fixture.claim(worker, 2).map(\.attempt) == [1])
    }
}
