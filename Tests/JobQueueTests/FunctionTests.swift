import JobQueue
import Postgres
import TestSupport
import Testing

/// What a person calls at psql.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct FunctionTests {
    /// A part in each place that it can be: ready, scheduled, running, stored, dead, skipped.
    private struct Parts {
        let fixture: QueueFixture
        let worker: Int64
        let ready: Int64, scheduled: Int64, running: Int64, stored: Int64, dead: Int64, skipped: Int64

        init() async throws {
            fixture = try await QueueFixture()
            try await fixture.record(6)
            worker = try await fixture.worker()
            let jobs = try await fixture.claim(worker, 5).sorted { $0.reference.part < $1.reference.part }
            let queue = fixture.queue
            _ = try await queue.complete(
                worker: worker,
                [
                    QueueFixture.stored(jobs[0]),
                    Completion(job: jobs[1].reference, result: .dead(reason: "FAILED at Google")),
                    Completion(job: jobs[2].reference, result: .skipped(reason: "no clip")),
                ]
            )
            try await queue.release(worker: worker, [Release(job: jobs[3].reference, delay: .seconds(600))])
            (stored, dead, skipped) = (jobs[0].reference.part, jobs[1].reference.part, jobs[2].reference.part)
            (scheduled, running) = (jobs[3].reference.part, jobs[4].reference.part)
            ready = try await fixture.number("SELECT part_id FROM coldroll.job WHERE state = 'ready'")
        }

        func state(_ part: Int64) async throws -> String {
            try await fixture.texts(
                """
                SELECT concat_ws(' ', j.state, j.attempt, j.accept_reduced, c.kind, c.reason)
                FROM coldroll.part AS p LEFT JOIN coldroll.job AS j ON j.part_id = p.id
                LEFT JOIN coldroll.outcome AS c ON c.part_id = p.id AND c.superseded_at IS NULL WHERE p.id = $1
                """,
                [.integer(part)]
            )[0]
        }

        func expectSumsAgree() async throws {
            #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
        }
    }

    @Test func `retry puts dead and skipped parts back and lets a scheduled one go`() async throws {
        let parts = try await Parts()
        for part in [parts.dead, parts.skipped] {
            #expect(try await parts.fixture.call("retry", part).contains("in the queue again"))
            #expect(try await parts.state(part) == "ready 0 f")
        }
        #expect(try await parts.fixture.call("retry", parts.scheduled).contains("does not wait"))
        #expect(try await parts.state(parts.scheduled) == "ready 0 f")
        #expect(try await parts.fixture.refusal("retry", parts.ready).contains("waits for a worker already"))
        #expect(try await parts.fixture.refusal("retry", parts.running).contains("being transferred"))
        #expect(try await parts.fixture.refusal("retry", parts.stored).contains("stored already"))
        #expect(try await parts.fixture.refusal("retry", 4711).contains("not in the ledger"))
        #expect(
            try await parts.fixture.number("SELECT count(*) FROM coldroll.outcome WHERE superseded_by LIKE '%retry'")
                == 2
        )
        try await parts.expectSumsAgree()
    }

    @Test func `retry_failed takes the dead parts whose reason matches`() async throws {
        let parts = try await Parts()
        #expect(try await parts.fixture.number("SELECT coldroll.retry_failed('quota')") == 0)
        #expect(try await parts.fixture.number("SELECT coldroll.retry_failed('failed')") == 1)
        #expect(try await parts.state(parts.dead) == "ready 0 f")
        #expect(try await parts.state(parts.skipped) == "skipped no clip")
        try await parts.expectSumsAgree()
    }

    @Test func `skip leaves out what is dead or waits, with the reason`() async throws {
        let parts = try await Parts()
        func skip(_ part: Int64, _ reason: String = "blurred") async throws -> String {
            try await parts.fixture.texts("SELECT coldroll.skip($1, $2)", [.integer(part), .text(reason)])[0]
        }
        for part in [parts.dead, parts.ready, parts.scheduled] {
            #expect(try await skip(part).contains("is skipped"))
            #expect(try await parts.state(part) == "skipped blurred")
        }
        for (part, words) in [
            (parts.running, "being transferred"), (parts.stored, "stored already"),
            (parts.skipped, "is skipped: no clip"),
            (4711, "not in the ledger"),
        ] {
            let error = await #expect(throws: PostgresError.self) { _ = try await skip(part) }
            #expect(error?.message.contains(words) == true)
        }
        await #expect(throws: PostgresError.self) { _ = try await skip(parts.dead, " ") }
        #expect(
            try await parts.fixture.number(
                "SELECT count(*) FROM coldroll.outcome WHERE reason = 'blurred' AND decided_by = session_user"
            ) == 3
        )
        try await parts.expectSumsAgree()
    }

    @Test func `accept lets a part be stored although it is reduced`() async throws {
        let parts = try await Parts()
        for part in [parts.dead, parts.ready, parts.scheduled] {
            #expect(try await parts.fixture.call("accept", part).contains("even if it is smaller"))
            #expect(try await parts.state(part) == "ready 0 t")
        }
        #expect(try await parts.fixture.refusal("accept", parts.running).contains("being transferred"))
        #expect(try await parts.fixture.refusal("accept", parts.stored).contains("stored already"))
        #expect(try await parts.fixture.refusal("accept", parts.skipped).contains("is skipped"))
        // Each word is kept, that for a part which was not given up too; saying it again adds none.
        #expect(try await parts.fixture.call("accept", parts.scheduled).contains("even if it is smaller"))
        let kept = "SELECT count(*) FROM coldroll.outcome WHERE superseded_by LIKE '%, accept'"
        #expect(try await parts.fixture.number(kept) == 3)
        #expect(try await parts.fixture.number(kept + " AND superseded_at = decided_at") == 2)
        let jobs = try await parts.fixture.claim(parts.worker, 10)
        #expect(jobs.count == 3 && jobs.allSatisfy { $0.acceptReduced && $0.attempt == 1 })
        try await parts.expectSumsAgree()
    }

    @Test func `two that retry the same part at once put it into the queue once`() async throws {
        let parts = try await Parts()
        let won = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask { (try? await parts.fixture.call("retry", parts.dead)) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(won == 1)
        try await parts.expectSumsAgree()
    }

    @Test func `skip waits for a worker that is ending the job, and then finds it stored`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let rival = try await Connection.connect(MigratedDatabase.conninfo)
        try await rival.script(
            """
            BEGIN;
            DELETE FROM coldroll.job;
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            SELECT id, 1, 1, 1, 1, 1, false, 'rendition', 'jpeg' FROM coldroll.part;
            """,
            name: "test.rival"
        )
        let skip = Task { try await fixture.texts("SELECT coldroll.skip(id, 'x') FROM coldroll.part") }
        try await fixture.waitUntil(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        try await rival.script("COMMIT", name: "test.commit")
        let error = await #expect(throws: PostgresError.self) { _ = try await skip.value }
        #expect(error?.message.contains("stored already") == true)
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
    }
}
