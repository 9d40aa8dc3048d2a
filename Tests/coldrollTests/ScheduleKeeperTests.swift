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
            host: "nas",
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

    private func end(_ fixture: QueueFixture) async throws {
        let (ledger, source) = (fixture.ledger, fixture.source)
        let taken = try await ledger.takeTurn(source: source, holder: 9, host: "h", silence: .seconds(45))
        _ = try await ledger.endTurn(try #require(taken).number, holder: 9, code: 0, message: "", news: nil)
    }

    private func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < end, "\(what) did not happen")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func turns(_ fixture: QueueFixture) async throws -> Int64 {
        try await fixture.number("SELECT count(*) FROM coldroll.turn")
    }

    @Test func `times that passed while nobody was there are made up for by one run`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture)
        try await keep(keeper, since: "3 hours")
        #expect(try await keeper.passed() == .own)
        #expect(try await turns(fixture) == 1)
        #expect(
            try await fixture.number("SELECT extract(epoch FROM now() - due_at)::bigint FROM coldroll.turn") < 130
        )
        // A schedule with times that are far apart: the one that was missed is the last before now.
        let monthly = try self.keeper(fixture, "0 3 1 * *")
        try await fixture.sql("DELETE FROM coldroll.turn")
        try await keep(monthly, since: "100 days")
        for _ in 0..<3 { #expect(try await monthly.passed() == .own) }
        #expect(
            try await fixture.texts("SELECT to_char(due_at AT TIME ZONE 'UTC', 'DD HH24:MI') FROM coldroll.turn")
                == ["01 03:00"]
        )
    }

    @Test func `a time before the schedule was known is not missed`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture, "0 3 1 1 *")
        try await keep(keeper, since: "1 second")
        #expect(try await keeper.passed() == .own)
        #expect(try await turns(fixture) == 0)
    }

    @Test func `of two schedules the one that was told last counts, on every host`() async throws {
        let fixture = try await QueueFixture()
        let old = try keeper(fixture)
        try await keep(old, since: "1 hour")
        let new = try keeper(fixture, "0 3 1 1 *")
        try await keep(new, since: "1 second")
        #expect(try await old.passed() == .foreign)
        #expect(try await new.passed() == .own)
        #expect(try await turns(fixture) == 0)
        // The host that told it is gone, and its time comes: whoever is left sees to it, in the zone that it named.
        try await fixture.sql("UPDATE coldroll.schedule SET zone = 'Asia/Tokyo', since = now() - interval '400 days'")
        #expect(try await old.passed() == .foreign)
        #expect(
            try await fixture.texts(
                "SELECT to_char(due_at AT TIME ZONE 'Asia/Tokyo', 'MM-DD HH24:MI') FROM coldroll.turn"
            )
                == ["01-01 03:00"]
        )
    }

    @Test func `a schedule that cannot be read here, or is gone, leaves no host without one`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture, "0 3 1 1 *")
        for damage in [
            "UPDATE coldroll.schedule SET zone = 'Mars/Olympus'", "UPDATE coldroll.schedule SET expression = '@never'",
            "DELETE FROM coldroll.schedule",
        ] {
            let stop = StopSignal()
            try await keep(keeper, since: "1 second")
            try await fixture.sql(damage)
            #expect(try await [.unreadable, .missing].contains(keeper.passed()))
            let keeping = Task { await keeper.keep(stop) }
            try await until(damage) {
                try await keeper.ledger.schedule(source: fixture.source).flatMap(Schedule.init) != nil
            }
            try await fixture.sql(damage)
            try await until("again: " + damage) {
                keeper.bell.ring()
                return try await keeper.ledger.schedule(source: fixture.source).flatMap(Schedule.init) != nil
            }
            stop.request()
            keeper.bell.ring()
            await keeping.value
        }
    }

    @Test func `what was due by a schedule is owed by it when another one begins`() async throws {
        let fixture = try await QueueFixture()
        try await keep(try keeper(fixture, "0 3 1 * *"), since: "100 days")
        let new = try keeper(fixture, "0 3 1 1 *")
        let stop = StopSignal()
        let keeping = Task { await new.keep(stop) }
        await new.turns.wait(.seconds(60))
        try await until("the new schedule") {
            try await fixture.texts("SELECT expression FROM coldroll.schedule") == ["0 3 1 1 *"]
        }
        #expect(try await turns(fixture) == 1)
        stop.request()
        new.bell.ring()
        await keeping.value
    }

    @Test func `whoever's schedule another one took the place of says so when its own time has passed`() async throws {
        let fixture = try await QueueFixture()
        let own = try keeper(fixture, "0 * * * *")
        try await keep(try keeper(fixture, "0 3 1 1 *"), since: "1 second")
        func told() async throws -> [String] { try await fixture.texts("SELECT words FROM coldroll.notice") }
        let now = try #require(try await own.guardOwn(since: nil))
        #expect(try await own.guardOwn(since: now) == now)
        #expect(try await told() == [])
        let earlier = now - 3 * 3600
        // A run that goes on, or began behind that time, is enough.
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await end(fixture)
        _ = try await own.guardOwn(since: earlier)
        #expect(try await told() == [])
        try await fixture.sql("UPDATE coldroll.turn SET begun_at = now() - interval '1 day'")
        for _ in 0..<2 { #expect(try await own.guardOwn(since: earlier) == earlier) }
        let words = try await told()
        #expect(
            words.count == 1 && words[0].contains("by the schedule '0 * * * *' of host nas has not begun"),
            "\(words)"
        )
        #expect(words.first?.contains("has the schedule '0 3 1 1 *' (UTC)") == true)
    }

    @Test func `schedules that follow one another are due at last, though each begins anew`() async throws {
        let fixture = try await QueueFixture()
        func begin(_ keeper: ScheduleKeeper) async throws {
            let stop = StopSignal()
            let keeping = Task { await keeper.keep(stop) }
            try await until("it is kept") {
                try await fixture.texts("SELECT expression FROM coldroll.schedule") == [keeper.schedule.expression]
            }
            stop.request()
            keeper.bell.ring()
            await keeping.value
        }
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await end(fixture)
        let schedules = ["0 3 1 * *", "0 4 1 * *"]
        try await fixture.sql(
            "UPDATE coldroll.turn SET asked_at = now() - interval '20 days', begun_at = now() - interval '20 days'"
        )
        for schedule in schedules { try await begin(try keeper(fixture, schedule)) }
        #expect(try await turns(fixture) == 1)
        // Longer than any month.
        try await fixture.sql("UPDATE coldroll.turn SET begun_at = begun_at - interval '20 days'")
        try await begin(try keeper(fixture, schedules[0]))
        try await until("the run") { try await turns(fixture) == 2 }
    }

    @Test func `a clock that was ahead keeps no schedule silent`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture)
        try await keep(keeper, since: "-300 days")
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await end(fixture)
        try await fixture.sql("UPDATE coldroll.turn SET why = 'schedule', due_at = now() + interval '1 year'")
        #expect(try await keeper.passed() == .own)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.turn WHERE due_at IS NULL") == 1)
        #expect(
            try await fixture.number("SELECT extract(epoch FROM now() - since)::bigint FROM coldroll.schedule") < 60
        )
        try await fixture.sql("UPDATE coldroll.schedule SET since = now() - interval '2 minutes'")
        #expect(try await keeper.passed() == .own)
        #expect(try await turns(fixture) == 2)
    }

    @Test func `a clock that was a little ahead makes nothing run twice, and nothing wait`() async throws {
        let fixture = try await QueueFixture()
        let keeper = try keeper(fixture)
        try await keep(keeper, since: "2 hours")
        let later = try await fixture.number(
            "SELECT extract(epoch FROM date_trunc('hour', now() + interval '2 hours'))::bigint"
        )
        _ = try await fixture.ledger.makeDue(source: fixture.source, at: later)
        try await end(fixture)
        #expect(try await keeper.passed() == .own)
        #expect(try await turns(fixture) == 2)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.turn WHERE due_at > now()") == 1)
    }

    @Test func `times that nobody was there for are told, the last one and those before it`() async throws {
        let fixture = try await QueueFixture()
        let daily = try Schedule("0 3 * * *", try #require(WallClock(nil)))
        func missed(_ settled: Int, _ due: Int, _ now: Int) -> String? {
            MissedTimes(daily, after: settled, due: due, now: now).map { $0.subject + ": " + $0.words }
        }
        // Days of January 1970, at three.
        func three(_ day: Int) -> Int { (day - 1) * 86_400 + 3 * 3600 }
        #expect(missed(three(1), three(2), three(2) + 3599) == nil)
        #expect(
            missed(three(1), three(2), three(2) + 3600)
                == "due \(three(2)): The run that was due on 1970-01-02 03:00 UTC did not happen then, since no host was there, "
                + "or none could reach the database. It is made up for now."
        )
        #expect(
            missed(three(1), three(3), three(3) + 60)?.hasPrefix(
                "before \(three(3)): The run that was due on 1970-01-02 03:00 UTC did not happen then"
            ) == true
        )
        #expect(
            missed(three(1), three(5), three(5) + 60)?.hasPrefix(
                "before \(three(5)): 3 runs that were due from 1970-01-02 03:00 UTC to 1970-01-04 03:00 UTC did not"
            ) == true
        )
        #expect(
            missed(three(1), three(500), three(501))?.contains(": More than 100 runs that were due from 1970-01-02")
                == true
        )

        // Of all hosts one notes it, with the turn; and also where a turn that nobody had was open all the time.
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await keep(try keeper(fixture, "0 3 * * *"), since: "10 days")
        for _ in 0..<3 { #expect(try await keeper(fixture, "0 3 * * *").passed() == .own) }
        #expect(try await turns(fixture) == 1)
        let told = try await fixture.texts("SELECT event || ' ' || run || ' ' || words FROM coldroll.notice")
        #expect(told.count == 1 && told[0].hasPrefix("missed 1 ") && told[0].contains("One run makes up for them now."))
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
