import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct LaneTests {
    @Test(arguments: ["ready", "scheduled", "running"])
    func `a drain sees the last job, whatever its state`(_ state: String) async throws {
        let fixture = try await QueueFixture()
        #expect(try await !fixture.queue.hasLive(sources: [fixture.source]))
        try await fixture.record(1)
        _ = try await fixture.claim(try await fixture.worker(), 1)
        try await fixture.sql(
            """
            UPDATE coldroll.job
            SET state = $1::coldroll.job_state, due = CASE WHEN $1 = 'scheduled' THEN now() + interval '1 hour' END
            """,
            [.text(state)]
        )
        #expect(try await fixture.queue.hasLive(sources: [fixture.source]))
        #expect(try await !fixture.queue.hasLive(sources: [fixture.source + 1]))
    }

    @Test func `a parked lane hands out nothing until its time, and the others go on`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        try await fixture.record(5, from: 100, isVideo: true)
        let worker = try await fixture.worker()
        let photo = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        try await fixture.queue.park(source: fixture.source, lane: photo, for: .seconds(60), reason: "quota")
        #expect(try await fixture.claim(worker, 10).allSatisfy { $0.kind == .video })
        let waiting = try await fixture.queue.waiting(sources: [fixture.source])
        #expect(waiting.map(\.reason) == ["quota"])
        let seconds = try #require(waiting.first?.seconds)
        #expect(seconds > 50 && seconds <= 60)
        try await fixture.sql(
            "UPDATE coldroll.lane SET parked_until = now() - interval '1 second' WHERE parked_until IS NOT NULL"
        )
        #expect(try await fixture.claim(worker, 10).count == 5)
        #expect(try await fixture.queue.waiting(sources: []).isEmpty)
    }

    @Test func `the longest park wins, and a source is parked as a whole without a lane`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.park(source: fixture.source, lane: nil, for: .seconds(60), reason: "long")
        try await fixture.queue.park(source: fixture.source, lane: nil, for: .seconds(5), reason: "short")
        #expect(try await fixture.queue.waiting(sources: []).map(\.reason) == ["long", "long"])
        try await fixture.queue.park(source: fixture.source, lane: nil, for: .seconds(600), reason: "longer")
        #expect(try await fixture.queue.waiting(sources: []).map(\.reason) == ["longer", "longer"])
    }

    @Test func `a lane that somebody holds is waited for some seconds, and then named`() async throws {
        let fixture = try await QueueFixture(connections: 1)
        let holder = try await Connection.connect(MigratedDatabase.conninfo)
        try await holder.script("BEGIN; SELECT FROM coldroll.lane FOR UPDATE", name: "test.hold")
        let held = PostgresError.Code.server(sqlState: "55P03")
        let parking = try await #require(throws: PostgresError.self) {
            try await fixture.queue.park(source: fixture.source, lane: nil, for: .seconds(60), reason: "quota")
        }
        #expect(parking.code == held && parking.isTransient)
        let slowing = try await #require(throws: PostgresError.self) {
            try await fixture.queue.slowDown(source: fixture.source, asked: nil, age: .zero, reason: "quota")
        }
        #expect(slowing.code == held && slowing.statement == "lane.slow_down")
        await holder.close()
        try await fixture.queue.park(source: fixture.source, lane: nil, for: .seconds(60), reason: "quota")
        #expect(try await fixture.queue.waiting(sources: []).count == 2)
        // Nothing of it stays with the connection.
        #expect(try await fixture.texts("SHOW lock_timeout") == ["0"])
    }

    @Test func `a parked lane of many jobs costs a claim nothing`() async throws {
        let fixture = try await QueueFixture()
        for page in 0..<20 { try await fixture.record(1000, from: page * 1000) }
        try await fixture.record(10, from: 100_000, isVideo: true)
        let photo = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        try await fixture.queue.park(source: fixture.source, lane: photo, for: .seconds(60), reason: "quota")
        let worker = try await fixture.worker()
        let plan = try await Plan(fixture, .claim(worker, fixture.source, 10), run: true)
        #expect(plan.nodes.filter { $0.relation == "job" }.allSatisfy { $0.rows * $0.loops <= 10 })
        #expect(plan.blocks < 500)
    }

    @Test func `pausing and resuming a lane is told in words, and refused where there is nothing to do`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let lane = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        #expect(try await fixture.call("pause", lane).contains("is paused"))
        #expect(try await fixture.refusal("pause", lane).contains("is paused already"))
        #expect(try await fixture.claim(worker, 1).isEmpty)
        let waiting = try await fixture.queue.waiting(sources: [])
        #expect(waiting.first?.reason == "photo lane \(lane) is paused by hand" && waiting.first?.seconds == nil)
        #expect(waiting.map(\.paused) == [lane] && waiting.map(\.parts) == [1])
        #expect(try await fixture.call("resume", lane).contains("is open"))
        #expect(try await fixture.refusal("resume", lane).contains("neither paused nor parked"))
        #expect(try await fixture.refusal("pause", 4711).contains("no lane 4711"))
        #expect(try await fixture.claim(worker, 1).count == 1)
        try await fixture.queue.park(source: fixture.source, lane: lane, for: .seconds(60), reason: "quota")
        _ = try await fixture.call("resume", lane)
        #expect(try await fixture.queue.waiting(sources: []).isEmpty)
    }

    @Test func `live counts what is left of these sources`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        try await fixture.queue.release(worker: worker, [Release(job: jobs[0].reference, delay: .seconds(100))])
        for live in [
            try await fixture.queue.totals(sources: [fixture.source]),
            try await fixture.queue.tallies(sources: [fixture.source]),
        ] {
            #expect(live.ready == 1 && live.running == 1 && live.scheduled == 1 && live.live == 3)
            let due = try #require(live.nextDue)
            #expect(due > 90 && due <= 100)
        }
        #expect(try await fixture.queue.tallies(sources: [4711]).live == 0)
        #expect(try await fixture.queue.tallies(sources: []).nextDue != nil)
        #expect(try await fixture.queue.totals(sources: []).nextDue != nil)
        try await fixture.sql("DELETE FROM coldroll.job WHERE state = 'scheduled'")
        #expect(try await fixture.queue.tallies(sources: []).nextDue == nil)
        #expect(try await fixture.queue.totals(sources: []).nextDue == nil)
    }
}
