import JobQueue
import Postgres
import TestSupport
import Testing

/// What a person reads at psql.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ViewTests {
    @Test func `the overview says what waits in each lane and whether it is open`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        try await fixture.queue.release(worker: worker, [Release(job: jobs[0].reference, delay: .seconds(60))])
        let video = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'video'")
        try await fixture.queue.park(source: fixture.source, lane: video, for: .seconds(60), reason: "quota")
        #expect(
            try await fixture.texts(
                """
                SELECT concat_ws(' ', source, account, work, state, opens_in IS NOT NULL, ready, scheduled, running,
                                 next_in > interval '0') FROM coldroll.queue_overview
                """
            ) == ["library default photo open f 1 1 1 t", "library default video parked: quota t 0 0 0"]
        )
    }

    @Test func `running lists transfers with their worker`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        _ = try await fixture.claim(fixture.worker(), 1)
        #expect(
            try await fixture.texts(
                """
                SELECT concat_ws(' ', object_name, kind, source, account, host, process_id, worker_state, attempt, crashes)
                FROM coldroll.running WHERE running_for >= interval '0' AND last_beat >= interval '0'
                """
            ) == ["202401/item0 still library default host 1 alive 1 0"]
        )
    }

    @Test func `failures lists what is dead and what is tried again, with the last message`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3).sorted { $0.reference.part < $1.reference.part }
        _ = try await fixture.queue.fail(
            worker: worker,
            [Failure(job: jobs[0].reference, reason: "cut", message: "The body was cut.")]
        )
        _ = try await fixture.queue.complete(
            worker: worker,
            [Completion(job: jobs[1].reference, result: .dead(reason: "FAILED"))]
        )
        #expect(
            try await fixture.texts(
                """
                SELECT concat_ws(' ', object_name, state, reason, message, attempts, crashes, next_try_in > interval '0')
                FROM coldroll.failures ORDER BY part
                """
            ) == [
                "202401/item0 will try again cut The body was cut. 1 0 t", "202401/item1 dead FAILED 0 0",
            ]
        )
    }

    @Test func `workers lists processes, those alive first`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let stopped = try await fixture.worker()
        try await fixture.queue.stop(worker: stopped)
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 2)
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', host, process_id, state, slots, busy, jobs, version) FROM coldroll.workers"
            )
                == ["host 1 alive 4 0 2 test", "host 1 stopped 4 0 0 test"]
        )
    }

    @Test func `throughput counts items and bytes of each minute, without what was there already`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        _ = try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
        let last = jobs[2].reference.part
        try await fixture.sql("UPDATE coldroll.object SET adopted = true WHERE part_id = $1", [.integer(last)])
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', sum(items), sum(bytes), max(workers)) FROM coldroll.throughput"
            )
                == ["2 20 1"]
        )
    }

    @Test func `the balance sums each folder part by part and shows what is unaccounted`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        let items = (0..<2).map { QueueFixture.item("u\($0)", month: "undated") }
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 4).sorted { $0.reference.part < $1.reference.part }
        _ = try await fixture.queue.complete(
            worker: worker,
            [
                QueueFixture.stored(jobs[0]), Completion(job: jobs[1].reference, result: .dead(reason: "x")),
                Completion(job: jobs[2].reference, result: .skipped(reason: "x")),
            ]
        )
        try await fixture.queue.release(worker: worker, [Release(job: jobs[3].reference, delay: .seconds(60))])
        let balance = """
            SELECT concat_ws(' ', source, account, folder_month, found, stored, duplicate, skipped, dead, live, unaccounted,
                             waiting, stored_bytes) FROM coldroll.balance
            """
        #expect(
            try await fixture.texts(balance)
                == ["library default 202401 5 1 0 1 1 2 0 1 10", "library default undated 2 0 0 0 0 2 0 0 0"]
        )
        try await fixture.sql("UPDATE coldroll.lane SET paused_at = now(), paused_by = 'me'")
        #expect(try await fixture.texts(balance)[1] == "library default undated 2 0 0 0 0 2 0 2 0")
        // A part that is nowhere, and one that is in two places, do not make up for each other.
        try await fixture.sql("DELETE FROM coldroll.job WHERE part_id = $1", [.integer(jobs[3].reference.part)])
        try await fixture.sql(
            "INSERT INTO coldroll.job (part_id, lane_id) SELECT part_id, 1 FROM coldroll.object"
        )
        #expect(try await fixture.texts(balance)[0] == "library default 202401 5 1 0 1 1 2 2 2 10")
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 2)
    }
}
