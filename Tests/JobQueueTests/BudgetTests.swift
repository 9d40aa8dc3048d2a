import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct BudgetTests {
    private let project = "123"

    @Test func `many processes that draw at once never get more than the day has`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let granted = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var sum = 0
                    while true {
                        let grant = try await fixture.queue.draw(project: project, .media, limit: 1333, batch: 3)
                        #expect(grant.requests <= 3)
                        if grant.requests == 0 { return sum }
                        sum += grant.requests
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(granted == 1333)
        #expect(try await fixture.number("SELECT drawn FROM coldroll.budget") == 1333)
        // The other quota and other projects have their own.
        #expect(try await fixture.queue.draw(project: project, .api, limit: 100, batch: 5).requests == 5)
        #expect(try await fixture.queue.draw(project: "4", .media, limit: 333, batch: 5).requests == 5)
    }

    @Test(arguments: [
        nil, "", "123", "123-abc.apps.googleusercontent.com", "foo-a", "foo-b", "12a-b", "-1", "١٢-x", "1-2-3",
    ])
    func `the database and the program find the same project in a client id`(_ client: String?) async throws {
        let fixture = try await QueueFixture()
        let value = client.map { PostgresValue.text($0) } ?? .null
        let project = try await fixture.texts("SELECT coldroll.project($1::text)", [value])
        #expect(project == [JobQueue.project(ofClient: client)])
    }

    @Test func `a pause is for all sources of a project, and for nobody else`() async throws {
        let fixture = try await QueueFixture()
        var sources: [String: Int64] = [:]
        for client in ["7-a.x", "7-b.x", "foo-a", "foo-b"] {
            sources[client] = try await fixture.ledger.source(kind: "library", account: client, clientID: client)
        }
        for (client, others) in [("foo-a", ["foo-a"]), ("7-b.x", ["7-a.x", "7-b.x"])] {
            try await fixture.sql("UPDATE coldroll.lane SET parked_until = NULL, park_reason = NULL")
            try await fixture.queue.slowDown(
                source: try #require(sources[client]),
                asked: .seconds(60),
                age: .zero,
                reason: "429"
            )
            let parked = try await fixture.texts(
                """
                SELECT DISTINCT s.account FROM coldroll.lane AS l JOIN coldroll.source AS s ON s.id = l.source_id
                WHERE l.parked_until > now() ORDER BY 1
                """
            )
            #expect(parked == others)
        }
    }

    @Test func `resume takes back what Google said of the day, for the lane's own project`() async throws {
        let fixture = try await QueueFixture()
        let source = try await fixture.ledger.source(kind: "library", account: "ada", clientID: "123-x.y")
        for project in ["123", "4"] {
            _ = try await fixture.queue.draw(project: project, .media, limit: 100, batch: 5)
            try await fixture.sql("UPDATE coldroll.budget SET refused_at = now() WHERE project = $1", [.text(project)])
        }
        try await fixture.queue.park(source: source, lane: nil, for: .seconds(3600), reason: "The day is over.")
        #expect(try await fixture.queue.draw(project: "123", .media, limit: 100, batch: 5).requests == 0)
        let lane = try await fixture.number(
            "SELECT id FROM coldroll.lane WHERE kind = 'photo' AND source_id = $1",
            [.integer(source)]
        )
        #expect(try await fixture.call("resume", lane).contains("is open"))
        #expect(try await fixture.queue.draw(project: "123", .media, limit: 100, batch: 5).requests == 5)
        #expect(try await fixture.queue.draw(project: "4", .media, limit: 100, batch: 5).requests == 0)
    }

    @Test func `the last requests are handed out in small shares`() async throws {
        let fixture = try await QueueFixture()
        #expect(try await fixture.queue.draw(project: project, .api, limit: 100, batch: 80).requests == 12)
        try await fixture.sql("UPDATE coldroll.budget SET drawn = 95")
        #expect(try await fixture.queue.draw(project: project, .api, limit: 100, batch: 80).requests == 1)
    }

    @Test func `a new day in California begins with nothing drawn, and what was refused is asked again`() async throws {
        let fixture = try await QueueFixture()
        let first = try await fixture.queue.draw(project: project, .api, limit: 8, batch: 8)
        try await fixture.sql("UPDATE coldroll.budget SET drawn = 8, refused_at = now()")
        #expect(try await fixture.queue.draw(project: project, .api, limit: 8, batch: 8).requests == 0)
        try await fixture.sql("UPDATE coldroll.budget SET day = day - 1")
        #expect(try await fixture.queue.draw(project: project, .api, limit: 8, batch: 1).requests == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.budget WHERE refused_at IS NULL") == 1)
        let day = try await fixture.texts("SELECT (now() AT TIME ZONE 'America/Los_Angeles')::date::text")
        #expect(first.day == day.first && first.lasts <= .seconds(25 * 3600))
        let midnight = try await fixture.number(
            """
            SELECT extract(epoch FROM ((now() AT TIME ZONE 'America/Los_Angeles')::date + 1)::timestamp
                           AT TIME ZONE 'America/Los_Angeles' - now())::bigint
            """
        )
        #expect(abs(first.lasts.components.seconds - midnight) < 60)
    }

    @Test func `what is given back can be drawn again, but not on another day`() async throws {
        let fixture = try await QueueFixture()
        let grant = try await fixture.queue.draw(project: project, .api, limit: 1000, batch: 10)
        try await fixture.queue.giveBack(project: project, .api, day: grant.day, requests: 4)
        #expect(try await fixture.number("SELECT drawn FROM coldroll.budget") == 6)
        try await fixture.queue.giveBack(project: project, .api, day: "2001-01-01", requests: 4)
        #expect(try await fixture.number("SELECT drawn FROM coldroll.budget") == 6)
        try await fixture.queue.giveBack(project: project, .api, day: grant.day, requests: 400)
        #expect(try await fixture.number("SELECT drawn FROM coldroll.budget") == 0)
    }

    @Test func `Google's word closes the day, but not in its first hour`() async throws {
        let fixture = try await QueueFixture()
        #expect(try await fixture.queue.refuse(project: project, .api) == nil)
        _ = try await fixture.queue.draw(project: project, .api, limit: 1000, batch: 10)
        let hour = try await fixture.number(
            "SELECT extract(hour FROM clock_timestamp() AT TIME ZONE 'America/Los_Angeles')::bigint"
        )
        let left = try await fixture.queue.refuse(project: project, .api)
        let grant = try await fixture.queue.draw(project: project, .api, limit: 1000, batch: 10)
        #expect((left == nil) == (hour == 0))
        #expect((grant.requests == 0) == (hour != 0))
    }

    @Test(arguments: [
        ("123-abc.apps.googleusercontent.com", "123"), ("123abc", "123abc"), ("client", "client"), ("", "unknown"),
        ("7", "7"),
    ])
    func `the project is the number that a client id begins with`(_ client: String, _ project: String) {
        #expect(JobQueue.project(ofClient: client) == project)
    }

    @Test func `429 parks once however many are refused, doubles while it goes on, and obeys Retry-After`() async throws
    {
        let fixture = try await QueueFixture()
        func parked() async throws -> Int64 {
            try await fixture.number(
                "SELECT coalesce(max(round(extract(epoch FROM parked_until - now()))), 0)::bigint FROM coldroll.lane"
            )
        }
        func slow(_ asked: Duration? = nil, age: Duration = .zero) async throws -> Duration {
            try await fixture.queue.slowDown(source: fixture.source, asked: asked, age: age, reason: "429")
        }
        /// Lets so many seconds pass.
        func pass(_ seconds: Int) async throws {
            try await fixture.sql(
                "UPDATE coldroll.lane SET parked_until = parked_until - make_interval(secs => $1), "
                    + "slowed_at = slowed_at - make_interval(secs => $1)",
                [.integer(Int64(seconds))]
            )
        }
        _ = try await slow()
        #expect((29...30).contains(try await parked()))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.lane WHERE parked_until > now()") == 2)
        // Others are refused at the same time, with a longer Retry-After even.
        _ = try await slow()
        let told = try await slow(.seconds(600))
        #expect((28...30).contains(try await parked()) && told <= .seconds(30) && told > .seconds(20))
        // An answer to a request from before the park comes when it is over.
        try await pass(31)
        _ = try await slow(age: .seconds(40))
        #expect(try await parked() <= 0)
        for pause in [60, 120, 240, 480, 900, 900] {
            _ = try await slow()
            #expect((pause - 1...pause).contains(Int(try await parked())))
            try await pass(pause + 1)
        }
        _ = try await slow(.seconds(7))
        #expect((6...7).contains(try await parked()))
        try await pass(60)
        _ = try await slow()
        #expect((29...30).contains(try await parked()), "after a rest it begins with half a minute again")
    }

    @Test func `429 parks all accounts of the client's project, and no others`() async throws {
        let fixture = try await QueueFixture()
        for (account, client) in [("a", "77-x.apps"), ("b", "77-y.apps"), ("c", "78-x.apps")] {
            _ = try await fixture.ledger.source(kind: "library", account: account, clientID: client)
        }
        let source = try await fixture.number("SELECT id FROM coldroll.source WHERE account = 'a'")
        try await fixture.queue.slowDown(source: source, asked: nil, age: .zero, reason: "429")
        #expect(
            try await fixture.texts(
                """
                SELECT s.account FROM coldroll.lane AS l JOIN coldroll.source AS s ON s.id = l.source_id
                WHERE l.parked_until > now() AND l.kind = 'photo' ORDER BY 1
                """
            ) == ["a", "b"]
        )
    }
}
