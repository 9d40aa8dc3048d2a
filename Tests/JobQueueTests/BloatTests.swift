import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// A snapshot that somebody holds keeps vacuum from removing anything: claims must not walk over all that was done since.
@Suite(.migratedDatabase, .timeLimit(.minutes(5)), .serialized) struct BloatTests {
    /// Walks from the start so rarely that none comes in between two statements, however slow the machine.
    private var timing: JobQueue.Timing {
        var timing = JobQueue.Timing()
        timing.wholeWalk = .seconds(10)
        return timing
    }

    /// Twenty thousand jobs ended while a snapshot is held; answers who holds it, and the last part that ended in each
    /// lane.
    ///
    /// The server's own vacuum is off from the start: one that came in between would count as the last one.
    private func bloat(_ fixture: QueueFixture) async throws -> (holder: Connection, lasts: [Int64: Int64]) {
        try await fixture.sql("ALTER TABLE coldroll.job SET (autovacuum_enabled = off)")
        try await fixture.fill(30_000)
        let holder = try await Connection.connect(MigratedDatabase.conninfo)
        try await holder.script(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM coldroll.job",
            name: "test.hold"
        )
        let worker = try await fixture.worker()
        var lasts: [Int64: Int64] = [:]
        for _ in 0..<10 {
            let jobs = try await fixture.claim(worker, 2000)
            #expect(
                try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) }).count == 2000
            )
            for job in jobs { lasts[job.lane] = max(lasts[job.lane] ?? 0, job.reference.part) }
        }
        // The server counts dead rows when a session is idle for a while; this tells it to do so now.
        try await fixture.sql("SELECT pg_stat_force_next_flush()")
        try await fixture.sql("SELECT 1")
        return (holder, lasts)
    }

    private func wait(_ fixture: QueueFixture, untilDeadRows enough: (Int64) -> Bool) async throws {
        for _ in 0..<1200 {
            let dead = try await fixture.number("SELECT pg_stat_get_dead_tuples('coldroll.job'::regclass)")
            if enough(dead) { return }
            try await fixture.sql("SELECT pg_stat_force_next_flush()")
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("The server's count of dead rows did not change within a minute.")
    }

    @Test func `a claim that begins behind what was done does not read it`() async throws {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, lasts) = try await bloat(fixture)
        let worker = try await fixture.worker()
        let hinted = try await Plan(fixture, .claim(worker, fixture.source, 100, behind: lasts), run: true)
        let plain = try await Plan(fixture, .claim(worker, fixture.source, 100), run: true)
        for plan in [hinted, plain] {
            #expect(plan.nodes.contains { $0.index == "job_ready" && $0.rows * $0.loops == 100 })
        }
        // 20,000 entries of the index and their rows lie on some hundreds of pages, which are read twice.
        #expect(plain.blocks > hinted.blocks + 500)
        await holder.close()
    }

    @Test func `claims begin behind what was done, and still find what became ready before it`() async throws {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, lasts) = try await bloat(fixture)
        try await wait(fixture) { $0 >= 20_000 }
        // Vacuum cannot help while the snapshot is held.
        try await fixture.queue.tidy()
        #expect(try await fixture.number("SELECT pg_stat_get_dead_tuples('coldroll.job'::regclass)") >= 20_000)
        // A job at the head of its lane, as a retry is; a claim from the start is due, and then it is not.
        let worker = try await fixture.worker()
        _ = try await fixture.claim(worker, 10)
        try await fixture.sql(
            "INSERT INTO coldroll.job (part_id, lane_id) SELECT 1, id FROM coldroll.lane WHERE kind = 'photo'"
        )
        let next = try await fixture.claim(worker, 10)
        try #require(next.count == 10 && next.allSatisfy { $0.reference.part > lasts[$0.lane] ?? 0 })
        var found = false
        for _ in 0..<600 where !found {
            let jobs = try await fixture.claim(worker, 10)
            found = jobs.contains { $0.reference.part == 1 }
            try await fixture.queue.release(
                worker: worker,
                jobs.map { Release(job: $0.reference, delay: .seconds(3600)) }
            )
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(found)
        await holder.close()
    }

    @Test func `between two looks at the server's count a process counts what it claimed itself`() async throws {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        try await fixture.fill(8000)
        let worker = try await fixture.worker()
        for _ in 0..<3 {
            let jobs = try await fixture.claim(worker, 2000)
            #expect(
                try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) }).count == 2000
            )
        }
        // Nobody has asked the server. The next claim is the one from the start that is due, and then none is for a while.
        _ = try await fixture.claim(worker, 10)
        try await fixture.sql("DELETE FROM coldroll.object WHERE part_id = 1")
        try await fixture.sql(
            "INSERT INTO coldroll.job (part_id, lane_id) SELECT 1, id FROM coldroll.lane WHERE kind = 'photo'"
        )
        #expect(try await fixture.claim(worker, 10).allSatisfy { $0.reference.part != 1 })
        var found = false
        for _ in 0..<600 where !found {
            found = try await fixture.claim(worker, 1).contains { $0.reference.part == 1 }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(found)
    }

    @Test func `a beat does not read what ended before the oldest lease that is held, and still finds orphans`()
        async throws
    {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, _) = try await bloat(fixture)
        try await wait(fixture) { $0 >= 20_000 }
        try await fixture.queue.tidy()
        let worker = try await fixture.number("SELECT id FROM coldroll.worker LIMIT 1")
        let jobs = try await [fixture.claim(worker, 1), fixture.claim(worker, 1)].map { $0[0].reference }
        try await fixture.sql("UPDATE coldroll.job SET claimed_at = now() - interval '1 hour' WHERE state = 'running'")
        // The first one from the start sees all; then none is due for ten seconds, and the older of the two is not seen.
        #expect(try await fixture.queue.beat(worker: worker, busy: 1, held: [jobs[1]]).orphaned == [jobs[0]])
        let next = try await fixture.queue.beat(worker: worker, busy: 1, held: [jobs[1]])
        #expect(next.alive && next.lost.isEmpty && next.orphaned.isEmpty)
        func pages(_ oldest: Int64) async throws -> Double {
            let values: [PostgresValue] = [
                .integer(worker), .integer(1), .integers([jobs[1].part]), .integers([jobs[1].lease]), .double(15),
                .double(15), .integer(oldest),
            ]
            return try await Plan(fixture, Plan.Call(name: "worker.beat", values: values), run: true).blocks
        }
        let bounded = try await pages(jobs[1].lease), whole = try await pages(0)
        #expect(bounded < 100)
        #expect(whole > bounded + 200)
        var orphaned: [JobReference] = []
        for _ in 0..<600 where orphaned.isEmpty {
            try await Task.sleep(for: .milliseconds(100))
            orphaned = try await fixture.queue.beat(worker: worker, busy: 1, held: [jobs[1]]).orphaned
        }
        #expect(orphaned == [jobs[0]])
        await holder.close()
    }

    @Test
    func `a sweep does not read what workers that live have ended, and still finds the jobs of those that are gone`()
        async throws
    {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, _) = try await bloat(fixture)
        let alive = try await fixture.number("SELECT id FROM coldroll.worker LIMIT 1")
        try await fixture.start(alive, fixture.claim(alive, 5))
        let gone = try await fixture.worker()
        try await fixture.start(gone, fixture.claim(gone, 3))
        try await fixture.sql(
            "UPDATE coldroll.worker SET state = 'dead', ended_at = now() WHERE id = $1",
            [.integer(gone)]
        )
        try await wait(fixture) { $0 >= 20_000 }
        try await fixture.queue.tidy()
        // The first one from the start, and then one that knows whom to look for.
        #expect(try await fixture.queue.sweep(mayDeclareDeath: false).orphans == 3)
        let late = try await fixture.worker()
        _ = try await fixture.claim(late, 4)
        try await fixture.sql(
            "UPDATE coldroll.worker SET state = 'dead', ended_at = now() WHERE id = $1",
            [.integer(late)]
        )
        #expect(try await fixture.queue.sweep(mayDeclareDeath: false).orphans == 4)
        // With nothing left to take.
        let batch: [PostgresValue] = [.integer(1000), .integer(3), .double(10)]
        func pages(_ name: String, _ values: [PostgresValue]) async throws -> Double {
            try await Plan(fixture, Plan.Call(name: name, values: values), run: true).blocks
        }
        let known = try await pages("job.reap_known", batch), whole = try await pages("job.reap", batch)
        #expect(whole > known + 200)
        #expect(known < 100)
        #expect(try await pages("job_start.forget", [.integer(100)]) < 100)
        // Nobody knows this one's worker: the next walk from the start finds it.
        let strange = try await fixture.claim(alive, 1)[0].reference
        try await fixture.sql(
            "UPDATE coldroll.job SET worker_id = 4711, claimed_at = now() - interval '1 hour' WHERE part_id = $1",
            [.integer(strange.part)]
        )
        #expect(try await fixture.queue.sweep(mayDeclareDeath: false).orphans == 0)
        var found = 0
        for _ in 0..<600 where found == 0 {
            try await Task.sleep(for: .milliseconds(100))
            found = try await fixture.queue.sweep(mayDeclareDeath: false).orphans
        }
        #expect(found == 1)
        await holder.close()
    }

    @Test func `the queue vacuums itself once nobody is in the way`() async throws {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, _) = try await bloat(fixture)
        try await holder.script("ROLLBACK", name: "test.let_go")
        await holder.close()
        try await wait(fixture) { $0 >= 20_000 }
        try await fixture.queue.tidy()
        try await wait(fixture) { $0 < 5000 }
        #expect(
            try await fixture.number(
                "SELECT vacuum_count FROM pg_stat_user_tables WHERE relid = 'coldroll.job'::regclass"
            ) == 1
        )
    }

    @Test func `after a vacuum of another process it waits, although the dead rows are still there`() async throws {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, _) = try await bloat(fixture)
        try await wait(fixture) { $0 >= 20_000 }
        let count = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relid = 'coldroll.job'::regclass"
        for _ in 0..<5 { try await JobQueue(pool: fixture.pool, timing: timing, logger: .none).tidy() }
        #expect(try await fixture.number("SELECT pg_stat_get_dead_tuples('coldroll.job'::regclass)") >= 20_000)
        #expect(try await fixture.number(count) == 1)
        await holder.close()
    }

    @Test func `who may not vacuum leaves it and goes on`() async throws {
        let fixture = try await QueueFixture(timing: timing, connections: 1)
        let (holder, _) = try await bloat(fixture)
        await holder.close()
        try await wait(fixture) { $0 >= 20_000 }
        let database = try #require(MigratedDatabase.conninfo.split(separator: "dbname=").last)
        let role = "worker_\(database)"
        try await fixture.sql("CREATE ROLE \(role)")
        try await fixture.sql("GRANT USAGE ON SCHEMA coldroll TO \(role)")
        try await fixture.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA coldroll TO \(role)")
        try await fixture.sql("SET ROLE \(role)")
        try await fixture.queue.tidy()
        try await fixture.sql("RESET ROLE")
        try await fixture.sql("DROP OWNED BY \(role)")
        try await fixture.sql("DROP ROLE \(role)")
        #expect(
            try await fixture.number(
                "SELECT vacuum_count FROM pg_stat_user_tables WHERE relid = 'coldroll.job'::regclass"
            ) == 0
        )
    }

    @Test func `how vacuum works is in the schema`() async throws {
        let fixture = try await QueueFixture()
        let settings = try await fixture.texts(
            "SELECT unnest(reloptions) FROM pg_class WHERE oid IN ('coldroll.job'::regclass, 'coldroll.tally'::regclass)"
        )
        #expect(settings.count { $0 == "autovacuum_vacuum_scale_factor=0" } == 2)
        #expect(settings.count { $0 == "autovacuum_vacuum_threshold=2000" } == 2)
    }
}
