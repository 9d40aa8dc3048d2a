import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

@testable import coldroll

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ScheduleKeeperTests {
    private func keeper(_ fixture: QueueFixture, _ expression: String = "* * * * *") throws -> ScheduleKeeper {
        ScheduleKeeper(
            ledger: fixture.ledger,
            source: fixture.source,
            schedule: try Schedule(expression, try #require(WallClock(nil))),
            logger: .none,
            bell: Bell(),
            turns: Bell()
        )
    }

    private func keep(_ keeper: ScheduleKeeper, since: String) async throws {
        _ = try await keeper.ledger.keepSchedule(
            source: keeper.source,
            expression: keeper.schedule.expression,
            zone: "UTC"
        )
        _ = try await keeper.ledger.pool.run(
            Statement("test", "UPDATE coldroll.schedule SET since = now() - interval '\(since)'")
        )
    }

    private func turns(_ fixture: QueueFixture) async throws -> Int64 {
        try await fixture.number("SELECT count(*) FROM coldroll.turn")
    }

    @Test func `times that passed while nobody was there are made up for by one run`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture)
        try await keep(keeper, since: "3 hours")
        #expect(try await keeper.passed())
        #expect(try await turns(fixture) == 1)
        #expect(
            try await fixture.number("SELECT extract(epoch FROM now() - due_at)::bigint FROM coldroll.turn") < 130
        )
        // A schedule with times that are far apart: the one that was missed is the last before now.
        let monthly = try self.keeper(fixture, "0 3 1 * *")
        try await fixture.sql("DELETE FROM coldroll.turn")
        try await keep(monthly, since: "100 days")
        for _ in 0..<3 { #expect(try await monthly.passed()) }
        #expect(
            try await fixture.texts("SELECT to_char(due_at AT TIME ZONE 'UTC', 'DD HH24:MI') FROM coldroll.turn")
                == ["01 03:00"]
        )
    }

    @Test func `a time before the schedule was known is not missed`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture, "0 3 1 1 *")
        try await keep(keeper, since: "1 second")
        #expect(try await keeper.passed())
        #expect(try await turns(fixture) == 0)
    }

    @Test func `of two schedules the one that was told last counts`() async throws {
        let fixture = try await QueueFixture()
        let old = try keeper(fixture)
        try await keep(old, since: "1 hour")
        let new = try keeper(fixture, "0 3 1 1 *")
        try await keep(new, since: "1 second")
        #expect(try await !old.passed())
        #expect(try await new.passed())
        #expect(try await turns(fixture) == 0)
    }

    @Test func `it looks by itself, until it is told to stop`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture)
        try await keep(keeper, since: "1 hour")
        let stop = StopSignal()
        let keeping = Task { await keeper.keep(stop) }
        await keeper.turns.wait(.seconds(60))
        #expect(try await turns(fixture) == 1)
        stop.request()
        keeper.bell.ring()
        await keeping.value
    }
}
