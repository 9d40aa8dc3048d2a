import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct TurnTests {
    private static let news = TurnNews(event: "succeeded", subject: "turn 1", words: "All is stored.")

    private func take(_ fixture: QueueFixture, _ holder: Int64) async throws -> Turn? {
        try await fixture.ledger.takeTurn(
            source: fixture.source,
            holder: holder,
            host: "host\(holder)",
            silence: .seconds(45)
        )
    }

    /// A turn that was asked for and taken.
    private func taken() async throws -> (QueueFixture, Turn) {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        return (fixture, try #require(try await take(fixture, 1)))
    }

    private func silence(_ fixture: QueueFixture, _ seconds: Int) async throws {
        try await fixture.sql("UPDATE coldroll.turn SET beat_at = now() - make_interval(secs => \(seconds))")
    }

    @Test func `any number of calls at once is one turn, which one of many processes takes`() async throws {
        let fixture = try await QueueFixture()
        let answers = try await withThrowingTaskGroup(of: (Int64, Bool).self) { group in
            for _ in 0..<20 { group.addTask { try await fixture.ledger.askForTurn(source: fixture.source) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(answers.map(\.0)).count == 1)
        #expect(answers.count { !$0.1 } == 1)
        let turns = try await withThrowingTaskGroup(of: Turn?.self) { group in
            for holder in 1...20 { group.addTask { try await take(fixture, Int64(holder)) } }
            return try await group.reduce(into: []) { turns, turn in turns += turn.map { [$0] } ?? [] }
        }
        #expect(turns.map(\.number) == [answers[0].0])
        #expect(turns.first?.why == "call" && turns.first?.tries == 1)
    }

    @Test func `who comes while a turn goes on joins it, and who comes after its end begins the next`() async throws {
        let (fixture, turn) = try await taken()
        #expect(try await fixture.ledger.askForTurn(source: fixture.source) == (turn.number, true))
        #expect(
            try await fixture.ledger.endTurn(turn.number, holder: 1, code: 0, message: "Done.", news: Self.news)
        )
        let next = try await fixture.ledger.askForTurn(source: fixture.source)
        #expect(next.number > turn.number && !next.joined)
        let other = try await fixture.ledger.source(kind: "picker", account: "default", clientID: nil)
        #expect(try await !fixture.ledger.askForTurn(source: other).joined)
    }

    @Test func `a holder that was silent too long loses its turn, and can write nothing to it any more`() async throws {
        let (fixture, turn) = try await taken()
        try await silence(fixture, 40)
        #expect(try await take(fixture, 2) == nil)
        #expect(try await fixture.ledger.beatTurn(turn.number, holder: 1))
        try await silence(fixture, 46)
        let next = try #require(try await take(fixture, 2))
        #expect(next.number == turn.number && next.tries == 2)
        let ledger = fixture.ledger
        #expect(try await !ledger.beatTurn(turn.number, holder: 1))
        #expect(try await !ledger.endTurn(turn.number, holder: 1, code: 0, message: "x", news: Self.news))
        #expect(
            try await !ledger.postponeTurn(
                turn.number,
                holder: 1,
                code: 4,
                message: "x",
                pause: .seconds(1),
                news: Self.news
            )
        )
        #expect(try await !ledger.letGoOfTurn(turn.number, holder: 1))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.notice") == 0)
        #expect(try await ledger.beatTurn(turn.number, holder: 2))
    }

    @Test func `an end may be told twice, is recorded once, and cannot be taken back`() async throws {
        let (fixture, turn) = try await taken()
        for _ in 0..<2 {
            #expect(
                try await fixture.ledger.endTurn(
                    turn.number,
                    holder: 1,
                    code: 2,
                    message: "One is dead.",
                    news: Self.news
                )
            )
        }
        #expect(try await fixture.texts("SELECT words FROM coldroll.notice") == ["All is stored."])
        #expect(try await fixture.texts("SELECT code || message || host FROM coldroll.turn") == ["2One is dead.host1"])
        #expect(try await take(fixture, 2) == nil)
        #expect(try await !fixture.ledger.beatTurn(turn.number, holder: 1))
        #expect(try await !fixture.ledger.letGoOfTurn(turn.number, holder: 1))
    }

    @Test func `a turn that is to be tried again waits for its time, or for the next call`() async throws {
        let (fixture, turn) = try await taken()
        let ledger = fixture.ledger
        #expect(
            try await ledger.postponeTurn(
                turn.number,
                holder: 1,
                code: 5,
                message: "Quota.",
                pause: .seconds(900),
                news: nil
            )
        )
        #expect(try await take(fixture, 2) == nil)
        #expect(try await ledger.askForTurn(source: fixture.source) == (turn.number, true))
        #expect(try await take(fixture, 2)?.tries == 2)
        _ = try await ledger.postponeTurn(
            turn.number,
            holder: 2,
            code: 5,
            message: "Quota.",
            pause: .seconds(900),
            news: nil
        )
        try await fixture.sql("UPDATE coldroll.turn SET next_try_at = now() - interval '1 second'")
        #expect(try await take(fixture, 1)?.number == turn.number)
    }

    @Test func `a turn that is let go of is anybody's at once`() async throws {
        let (fixture, turn) = try await taken()
        #expect(try await fixture.ledger.letGoOfTurn(turn.number, holder: 1))
        #expect(try await take(fixture, 2)?.number == turn.number)
    }

    @Test func `times that lie ahead because a clock was set back keep nobody away`() async throws {
        let (fixture, turn) = try await taken()
        try await silence(fixture, -3600)
        #expect(try await take(fixture, 2)?.number == turn.number)
        _ = try await fixture.ledger.postponeTurn(
            turn.number,
            holder: 2,
            code: 4,
            message: "x",
            pause: .seconds(900),
            news: nil
        )
        try await fixture.sql("UPDATE coldroll.turn SET next_try_at = now() + interval '1 day'")
        #expect(try await take(fixture, 1)?.number == turn.number)
    }

    @Test func `a run that does not come to its end is news each day, and with each time that is due`() async throws {
        let (fixture, turn) = try await taken()
        let news = TurnNews(event: "failed", subject: "turn 1 goes on", words: "Paused.")
        func postpone() async throws {
            let number = turn.number
            #expect(
                try await fixture.ledger.postponeTurn(
                    number,
                    holder: 1,
                    code: 5,
                    message: "x",
                    pause: .seconds(1),
                    news: news
                )
            )
            try await fixture.sql("UPDATE coldroll.turn SET next_try_at = now()")
            #expect(try await take(fixture, 1) != nil)
        }
        func told() async throws -> [String] {
            try await fixture.texts("SELECT subject FROM coldroll.notice ORDER BY id")
        }
        for _ in 0..<3 { try await postpone() }
        // More than one where midnight passed just now.
        #expect(try await (1...2).contains(told().count))
        try await fixture.sql("UPDATE coldroll.notice SET subject = replace(subject, ' 20', ' 19')")
        let before = try await told().count
        try await postpone()
        #expect(try await told().count > before)
        #expect(try await told().last?.wholeMatch(of: #/turn 1 goes on 20\d\d-\d\d-\d\d/#) != nil)
        _ = try await fixture.ledger.makeDue(source: fixture.source, at: 1_700_000_000)
        try await postpone()
        #expect(try await told().last?.hasSuffix(" due 1700000000") == true)
    }

    @Test func `the end of a turn that was let go of counts unless somebody has begun since`() async throws {
        let (fixture, turn) = try await taken()
        func end(_ tries: Int64?) async throws -> Bool {
            try await fixture.ledger.endTurn(
                turn.number,
                holder: 1,
                tries: tries,
                code: 0,
                message: "Done.",
                news: Self.news
            )
        }
        #expect(try await fixture.ledger.letGoOfTurn(turn.number, holder: 1))
        #expect(try await !end(nil))
        #expect(try await !end(turn.tries + 1))
        #expect(try await take(fixture, 2)?.tries == 2)
        #expect(try await !end(turn.tries))
        #expect(try await fixture.ledger.letGoOfTurn(turn.number, holder: 2))
        #expect(try await !end(turn.tries))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.turn WHERE ended_at IS NOT NULL") == 0)
        for _ in 0..<2 { #expect(try await end(2)) }
        #expect(try await take(fixture, 2) == nil)
        #expect(try await fixture.texts("SELECT words FROM coldroll.notice") == ["All is stored."])
    }
}
