import JobQueue
import Postgres
import TestSupport
import Testing

/// The plans of claim and complete hold under any statistics, since a backlog of millions meets whatever autovacuum
/// knew of the table before.
@Suite(.migratedDatabase, .timeLimit(.minutes(5)), .serialized) struct PlanTests {
    /// Statistics that the planner may have.
    enum Statistics: CaseIterable {
        /// Of the tables as they are.
        case fresh
        /// Of empty tables that were filled since.
        case ofEmptyTables
        /// Of a time when every job ran.
        case ofRunningJobs
        /// Of tables that were emptied since, but for a few rows.
        case ofFullTables
        /// Of tables so small that reading them whole looks cheap.
        case ofSmallTables
        /// Of jobs that lie in the table in no order: then a walk of the index looks dear.
        case ofScatteredJobs
        /// None.
        case none
    }

    @Test(arguments: Statistics.allCases)
    func `claim walks its index and complete looks keys up`(_ statistics: Statistics) async throws {
        let fixture = try await QueueFixture()
        let worker = try await fixture.worker()
        try await prepare(fixture, worker, statistics)
        // A drain asks whether anything is left, of however many; dead rows that no vacuum has seen are passed over.
        if statistics != .ofFullTables {
            let drain = Plan.Call(name: "job.has_live", values: [.integers([fixture.source])])
            #expect(try await Plan(fixture, drain, run: true).blocks < 100)
        }
        for isKept in [false, true] {
            try await expectClaim(fixture, worker, isKept)
            try await expectStart(fixture, worker, isKept)
            try await expectComplete(fixture, worker, isKept)
        }
    }

    @Test(arguments: Statistics.allCases)
    func `what runs again and again is not planned again and again`(_ statistics: Statistics) async throws {
        let fixture = try await QueueFixture(connections: 1)
        let worker = try await fixture.worker()
        // Nearly all in one lane, as photos are.
        try await prepare(fixture, worker, statistics, videos: 1000)
        try await fixture.sql("SELECT setval(pg_get_serial_sequence('coldroll.part', 'id'), 1000000)")
        for turn in 0..<24 {
            // Pages of which all is new, and the same again.
            try await fixture.record(100, from: 1_000_000 + turn % 12 * 100)
            let jobs = try await fixture.claim(worker, 50)
            try #require(jobs.count == 50)
            try await fixture.start(worker, jobs)
            _ = try await fixture.queue.beat(worker: worker, busy: 50, held: jobs.map(\.reference))
            _ = try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
        }
        // PostgreSQL plans five times with the values, and goes on so where it takes that for cheaper.
        let plans = try await fixture.texts(
            "SELECT name || ' ' || custom_plans FROM pg_prepared_statements WHERE generic_plans + custom_plans > 5 ORDER BY 1"
        )
        let names = ["job.claim", "job.complete", "job.start", "page.record", "page.record_new", "worker.beat"]
        #expect(plans == names.map { $0 + " 5" })
        await fixture.pool.close()
    }

    /// With the values of this call, or as it is kept for whatever values.
    private func plan(_ fixture: QueueFixture, _ call: Plan.Call, _ isKept: Bool) async throws -> Plan {
        isKept ? try await Plan(kept: call) : try await Plan(fixture, call)
    }

    private func expectClaim(_ fixture: QueueFixture, _ worker: Int64, _ isKept: Bool) async throws {
        let plan = try await plan(fixture, .claim(worker, fixture.source, 500), isKept)
        // What was locked is updated where it lies.
        #expect(
            plan.access("job").isSubset(of: ["Index Scan job_ready", "Index Only Scan job_ready", "Tid Scan "])
        )
        #expect(plan.access("job").contains("Tid Scan "))
        #expect(plan.access("part") == ["Index Scan part_pkey"])
        #expect(plan.access("item") == ["Index Scan item_pkey"])
        // The only sort is that of the lanes.
        #expect(plan.nodes.count { $0.type.hasSuffix("Sort") } <= 1)
        #expect(!plan.nodes.contains { $0.type.contains("Hash") || $0.type.contains("Merge") })
    }

    private func expectStart(_ fixture: QueueFixture, _ worker: Int64, _ isKept: Bool) async throws {
        let jobs = try await fixture.sql("SELECT part_id, lease FROM coldroll.job ORDER BY part_id LIMIT 500").map {
            (part: try $0.integer(0), lease: try $0.integer(1))
        }
        let plan = try await plan(fixture, .start(worker, jobs), isKept)
        #expect(plan.access("job") == ["Index Scan job_pkey"])
        #expect(!plan.nodes.contains { $0.type.contains("Hash") || $0.type.contains("Merge") })
    }

    private func expectComplete(_ fixture: QueueFixture, _ worker: Int64, _ isKept: Bool) async throws {
        let jobs = try await fixture.sql("SELECT part_id, lease FROM coldroll.job ORDER BY part_id LIMIT 500").map {
            (part: try $0.integer(0), lease: try $0.integer(1))
        }
        let plan = try await plan(fixture, .complete(worker, jobs), isKept)
        #expect(plan.access("job") == ["Index Scan job_pkey"])
        #expect(plan.access("object").isEmpty)
        #expect(
            !plan.nodes.contains { $0.type.contains("Hash") || $0.type.contains("Merge") || $0.type.hasSuffix("Sort") }
        )
    }

    private func prepare(
        _ fixture: QueueFixture,
        _ worker: Int64,
        _ statistics: Statistics,
        videos: Int64 = 5
    ) async throws {
        let tables = "coldroll.job, coldroll.part, coldroll.item, coldroll.object, coldroll.lane"
        for table in ["job", "part", "item", "object"] {
            try await fixture.sql("ALTER TABLE coldroll.\(table) SET (autovacuum_enabled = off)")
        }
        switch statistics {
        case .fresh:
            try await fixture.fill(300_000, videos: videos)
            try await fixture.sql("ANALYZE \(tables)")
        case .ofEmptyTables:
            try await fixture.sql("ANALYZE \(tables)")
            try await fixture.fill(100_000, videos: videos)
        case .ofRunningJobs:
            try await fixture.fill(100_000, videos: videos)
            let run = "UPDATE coldroll.job SET state = 'running', lease = 1, worker_id = $1, claimed_at = now()"
            try await fixture.sql(run, [.integer(worker)])
            try await fixture.sql("ANALYZE \(tables)")
            try await fixture.sql("UPDATE coldroll.job SET state = 'ready'")
        case .ofFullTables:
            try await fixture.fill(100_000, videos: videos)
            try await fixture.sql("ANALYZE \(tables)")
            try await fixture.sql("DELETE FROM coldroll.job WHERE part_id % 200 <> 0")
        case .ofSmallTables:
            try await fixture.fill(10_000, videos: videos)
            try await fixture.sql("ANALYZE \(tables)")
        case .ofScatteredJobs:
            try await fixture.fill(100_000, videos: videos)
            try await fixture.sql("CREATE TABLE public.scattered AS SELECT part_id, lane_id FROM coldroll.job")
            try await fixture.sql("TRUNCATE coldroll.job")
            try await fixture.sql(
                "INSERT INTO coldroll.job (part_id, lane_id) SELECT part_id, lane_id FROM public.scattered ORDER BY hashint8(part_id)"
            )
            try await fixture.sql("ANALYZE \(tables)")
        case .none:
            try await fixture.fill(100_000, videos: videos)
        }
    }
}
