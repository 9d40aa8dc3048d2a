import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ScheduleTests {
    private static let monthly = "0 3 1 * *"

    private func end(_ fixture: QueueFixture) async throws {
        let holder: Int64 = 9
        let taken = try await fixture.ledger.takeTurn(
            source: fixture.source,
            holder: holder,
            host: "host",
            silence: .seconds(45)
        )
        let turn = try #require(taken)
        #expect(try await fixture.ledger.endTurn(turn.number, holder: holder, code: 0, message: "", news: nil))
    }

    @Test func `a schedule holds since it was first told, and anew when it changes`() async throws {
        let fixture = try await QueueFixture()
        let (ledger, source) = (fixture.ledger, fixture.source)
        #expect(try await ledger.schedule(source: source) == nil)
        #expect(try await ledger.keepSchedule(source: source, expression: Self.monthly, zone: "UTC"))
        try await fixture.sql("UPDATE coldroll.schedule SET since = since - interval '40 days'")
        let old = try #require(try await ledger.schedule(source: source))
        #expect(old.now - old.since >= 40 * 86400 && old.lastDue == nil)
        #expect(try await !ledger.keepSchedule(source: source, expression: Self.monthly, zone: "UTC"))
        #expect(try await ledger.schedule(source: source)?.since == old.since)
        #expect(try await ledger.keepSchedule(source: source, expression: Self.monthly, zone: "Europe/Helsinki"))
        let new = try #require(try await ledger.schedule(source: source))
        #expect(new.now - new.since < 60 && new.zone == "Europe/Helsinki")
    }

    @Test func `a due time has one turn, whichever of many hosts sees that it has come`() async throws {
        let fixture = try await QueueFixture()
        let made = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for _ in 0..<20 {
                group.addTask { try await fixture.ledger.makeDue(source: fixture.source, at: 1_700_000_000)?.number }
            }
            return try await group.reduce(into: []) { all, number in all += number.map { [$0] } ?? [] }
        }
        #expect(made.count == 1)
        try await end(fixture)
        #expect(try await fixture.ledger.makeDue(source: fixture.source, at: 1_700_000_000) == nil)
        #expect(try await fixture.ledger.makeDue(source: fixture.source, at: 1_600_000_000) == nil)
        let next = try #require(try await fixture.ledger.makeDue(source: fixture.source, at: 1_750_000_000))
        #expect(!next.joined && next.number > made[0])
        #expect(try await fixture.texts("SELECT DISTINCT why FROM coldroll.turn") == ["schedule"])
    }

    @Test func `a due time joins the turn that goes on, once`() async throws {
        let fixture = try await QueueFixture()
        let (ledger, source) = (fixture.ledger, fixture.source)
        let called = try await ledger.askForTurn(source: source)
        #expect(try #require(try await ledger.makeDue(source: source, at: 1_700_000_000)) == (called.number, true))
        #expect(try await ledger.makeDue(source: source, at: 1_700_000_000) == nil)
        _ = try await ledger.keepSchedule(source: source, expression: Self.monthly, zone: "UTC")
        #expect(try await ledger.schedule(source: source)?.lastDue == 1_700_000_000)
        try await end(fixture)
        #expect(try await ledger.makeDue(source: source, at: 1_700_000_000) == nil)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.turn") == 1)
    }

    @Test func `a due time that lies ahead, since a clock did, hinders no other and is put right`() async throws {
        let fixture = try await QueueFixture()
        let (ledger, source) = (fixture.ledger, fixture.source)
        _ = try await ledger.keepSchedule(source: source, expression: Self.monthly, zone: "UTC")
        #expect(try await !ledger.mendSchedule(source: source))
        let ahead = try await fixture.number("SELECT extract(epoch FROM now() + interval '300 days')::bigint")
        _ = try await ledger.makeDue(source: source, at: ahead)
        #expect(try await ledger.schedule(source: source)?.lastDue == nil)
        // The turn that is open is for it from now on.
        #expect(try #require(try await ledger.makeDue(source: source, at: 1_700_000_000)) == (1, true))
        try await end(fixture)
        try await fixture.sql("UPDATE coldroll.turn SET due_at = to_timestamp(\(ahead))")
        try await fixture.sql("UPDATE coldroll.schedule SET since = to_timestamp(\(ahead))")
        let next = try #require(try await ledger.makeDue(source: source, at: 1_700_000_000))
        #expect(next.number > 1 && !next.joined)
        #expect(try await ledger.mendSchedule(source: source))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.turn WHERE due_at IS NULL") == 1)
        let kept = try #require(try await ledger.schedule(source: source))
        #expect(kept.since <= kept.now && kept.lastDue == 1_700_000_000)
        #expect(try await !ledger.mendSchedule(source: source))
    }

    @Test func `what was missed is noted with the turn that makes up for it, or not at all`() async throws {
        let fixture = try await QueueFixture()
        let (ledger, source) = (fixture.ledger, fixture.source)
        for time in [1_700_000_000, 1_700_000_000, 1_600_000_000] as [Int64] {
            _ = try await ledger.makeDue(source: source, at: time, missed: ("due \(time)", "Missed."))
        }
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', run, event, subject, words) FROM coldroll.notice")
                == ["1 missed due 1700000000 Missed."]
        )
    }
}
