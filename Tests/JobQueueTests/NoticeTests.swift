import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct NoticeTests {
    private static let failed = TurnNews(event: "failed", subject: "turn 7", words: "It failed.")

    private func claim(_ fixture: QueueFixture) async throws -> Notice? {
        try await fixture.ledger.claimNotice(source: fixture.source, pause: .seconds(30))
    }

    /// Makes the pause of every claim pass.
    private func pass(_ fixture: QueueFixture) async throws {
        try await fixture.sql("UPDATE coldroll.notice SET claimed_until = now() - interval '1 second'")
    }

    private func troubles(_ fixture: QueueFixture) async throws -> [String] {
        try await fixture.ledger.noteTroubles(
            source: fixture.source,
            patience: .seconds(3600),
            warning: .seconds(3 * 86400)
        )
        return try await fixture.texts("SELECT event || ': ' || words FROM coldroll.notice ORDER BY id")
    }

    @Test func `what many hosts note is told once, by one of them`() async throws {
        let fixture = try await QueueFixture()
        let notices = try await withThrowingTaskGroup(of: Notice?.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await fixture.ledger.note(Self.failed, source: fixture.source, run: 7)
                    return try await claim(fixture)
                }
            }
            return try await group.reduce(into: []) { all, notice in all += notice.map { [$0] } ?? [] }
        }
        let notice = try #require(notices.first)
        #expect(notices.count == 1 && notice.words == "It failed." && notice.run == 7 && notice.event == "failed")
        try await fixture.ledger.told(notice)
        try await pass(fixture)
        try await fixture.ledger.note(Self.failed, source: fixture.source, run: 7)
        #expect(try await claim(fixture) == nil)
    }

    @Test func `what a process was killed over is told by another, three in all`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.note(Self.failed, source: fixture.source, run: nil)
        for tries in 1...3 {
            #expect(try await claim(fixture)?.tries == Int64(tries))
            #expect(try await claim(fixture) == nil)
            try await pass(fixture)
        }
        #expect(try await claim(fixture) == nil)
    }

    @Test func `what cannot be told is tried again later, as often as a day lasts`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.note(Self.failed, source: fixture.source, run: nil)
        for _ in 0..<5 {
            let notice = try #require(try await claim(fixture))
            #expect(notice.tries == 1)
            try await fixture.ledger.putOff(notice, for: .seconds(900))
            #expect(try await claim(fixture) == nil)
            try await pass(fixture)
        }
        try await fixture.ledger.putOff(try #require(try await claim(fixture)), for: .zero)
        try await fixture.ledger.told(try #require(try await claim(fixture)))
        try await pass(fixture)
        #expect(try await claim(fixture) == nil)
    }

    @Test func `what is a day old is news no more`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.note(Self.failed, source: fixture.source, run: nil)
        try await fixture.sql("UPDATE coldroll.notice SET made_at = now() - interval '25 hours'")
        #expect(try await claim(fixture) == nil)
    }

    @Test func `a due run that was not begun within the hour is missed, once, and one in time is not`() async throws {
        let fixture = try await QueueFixture()
        let now = try await fixture.number("SELECT extract(epoch FROM now())::bigint")
        _ = try await fixture.ledger.makeDue(source: fixture.source, at: now - 3000)
        #expect(try await troubles(fixture) == [])
        try await fixture.sql("UPDATE coldroll.turn SET due_at = '2026-11-01 03:00+00'")
        #expect(
            try await troubles(fixture) == [
                "missed: The run that was due on 2026-11-01 03:00 UTC has not begun: no host could take it."
            ]
        )
        _ = try await fixture.ledger.takeTurn(source: fixture.source, holder: 1, host: "h", silence: .seconds(45))
        #expect(try await troubles(fixture).count == 1)
        try await fixture.sql("DELETE FROM coldroll.notice")
        #expect(try await troubles(fixture).first?.contains("did not happen then; it was made up for on 20") == true)
        // A turn that went on already when its time came is in time.
        try await fixture.sql("DELETE FROM coldroll.notice")
        try await fixture.sql(
            "UPDATE coldroll.turn SET due_at = now() - interval '2 hours', begun_at = now() - interval '3 hours'"
        )
        #expect(try await troubles(fixture) == [])
    }

    @Test func `a run that somebody asked for and no host takes is missed too`() async throws {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        #expect(try await troubles(fixture) == [])
        try await fixture.sql("UPDATE coldroll.turn SET asked_at = '2026-11-01 03:00+00'")
        for _ in 0..<2 {
            #expect(
                try await troubles(fixture)
                    == [
                        "missed: The run that was asked for on 2026-11-01 03:00 UTC has not begun: no host could take it."
                    ]
            )
        }
    }

    @Test func `a run that began and that nobody goes on with is told each day, however often it is asked for`()
        async throws
    {
        let fixture = try await QueueFixture()
        let (ledger, source) = (fixture.ledger, fixture.source)
        let number = try await ledger.askForTurn(source: source).number
        func take() async throws {
            _ = try #require(try await ledger.takeTurn(source: source, holder: 1, host: "h", silence: .seconds(45)))
        }
        func told() async throws -> Int {
            try await troubles(fixture).count { $0.contains("no host has gone on with it") }
        }
        try await take()
        try await fixture.sql(
            "UPDATE coldroll.turn SET asked_at = now() - interval '3 hours', begun_at = now() - interval '3 hours'"
        )
        #expect(try await told() == 0)
        // A holder that is silent.
        try await fixture.sql("UPDATE coldroll.turn SET beat_at = now() - interval '61 minutes'")
        #expect(try await told() == 1)
        // One that let go of it a moment ago, and then long ago.
        try await fixture.sql("DELETE FROM coldroll.notice")
        #expect(try await ledger.letGoOfTurn(number, holder: 1))
        #expect(try await told() == 0)
        try await fixture.sql("UPDATE coldroll.turn SET next_try_at = now() - interval '61 minutes'")
        _ = try await ledger.askForTurn(source: source)
        _ = try await ledger.makeDue(source: source, at: 1_700_000_000)
        for _ in 0..<3 { #expect(try await (1...2).contains(told())) }
        // One that waits to be tried again.
        try await fixture.sql("DELETE FROM coldroll.notice")
        try await take()
        #expect(
            try await ledger.postponeTurn(number, holder: 1, code: 4, message: "x", pause: .seconds(900), news: nil)
        )
        #expect(try await told() == 0)
    }

    @Test func `a login that is refused or dies soon is told once a day`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.signIn(
            source: fixture.source,
            id: "00000000-0000-4000-8000-000000000001",
            subject: "104",
            scopes: ["openid"],
            lifetime: .seconds(7 * 86400),
            replacing: nil
        )
        #expect(try await troubles(fixture) == [])
        try await fixture.sql("UPDATE coldroll.login SET ends_at = now() + interval '2 days'")
        #expect(try await troubles(fixture).first?.hasPrefix("login: The login to Google Photos ends on 20") == true)
        #expect(try await troubles(fixture).count == 1)
        try await fixture.ledger.refuseLogin(
            source: fixture.source,
            login: "00000000-0000-4000-8000-000000000001",
            reason: "Revoked. Run 'coldroll login'."
        )
        #expect(try await troubles(fixture).dropFirst() == ["login: Revoked. Run 'coldroll login'."])
        try await fixture.sql("UPDATE coldroll.notice SET subject = 'refused 2020-01-01' WHERE subject LIKE 'refused%'")
        #expect(try await troubles(fixture).count == 3)
    }
}
