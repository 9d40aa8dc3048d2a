import JobQueue
import Postgres
import TestSupport
import Testing

private let first = "00000000-0000-4000-8000-000000000001"
private let second = "00000000-0000-4000-8000-000000000002"

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct LoginTests {
    private func signedIn() async throws -> (QueueFixture, SharedLogin) {
        let fixture = try await QueueFixture()
        try await fixture.ledger.signIn(
            source: fixture.source,
            id: first,
            subject: "104",
            scopes: ["openid", "a"],
            lifetime: nil,
            replacing: nil
        )
        return (fixture, try #require(try await fixture.ledger.login(source: fixture.source)))
    }

    private func begin(_ fixture: QueueFixture, _ login: SharedLogin, _ lease: Int64) async throws -> Bool {
        try await fixture.ledger.beginRefresh(
            source: fixture.source,
            of: login,
            lease: lease,
            patience: .seconds(60)
        )
    }

    @Test func `a source knows its owner from the first login on`() async throws {
        let (fixture, login) = try await signedIn()
        #expect(
            login.id == first && login.scopes == ["openid", "a"] && login.refusal == nil && login.sealedToken == nil
        )
        await #expect {
            try await fixture.ledger.signIn(
                source: fixture.source,
                id: second,
                subject: "105",
                scopes: ["a"],
                lifetime: .seconds(60),
                replacing: first
            )
        } throws: { ($0 as? LedgerError)?.code == .foreignAccount && "\($0)".contains("'coldroll forget library'") }
        #expect(try await fixture.ledger.login(source: fixture.source) == login)
    }

    @Test func `of many that need the next token one fetches it, and the others get that`() async throws {
        let (fixture, login) = try await signedIn()
        let holders = try await withThrowingTaskGroup(of: Bool.self) { group in
            for lease in 1...8 { group.addTask { try await begin(fixture, login, Int64(lease)) } }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(holders == 1)
        let waiting = try #require(try await fixture.ledger.login(source: fixture.source))
        #expect(waiting.isRefreshing && waiting.sealedToken == nil)
        let lease = try await fixture.number("SELECT refresh_lease FROM coldroll.login")
        // Somebody without the right shares nothing.
        try await fixture.ledger.shareToken(
            source: fixture.source,
            lease: lease + 1,
            sealed: "other",
            lifetime: .seconds(10)
        )
        #expect(try await fixture.ledger.login(source: fixture.source)?.sealedToken == nil)
        try await fixture.ledger.shareToken(source: fixture.source, lease: lease, sealed: "t1", lifetime: .seconds(10))
        let shared = try #require(try await fixture.ledger.login(source: fixture.source))
        let seconds = try #require(shared.tokenSeconds)
        #expect(shared.sealedToken == "t1" && !shared.isRefreshing && seconds > 5 && seconds <= 10)
        // Who looked before it was shared looks again.
        #expect(try await !begin(fixture, login, 99))
        #expect(try await begin(fixture, shared, 99))
        #expect(try await fixture.number("SELECT refreshes FROM coldroll.login") == 1)
    }

    @Test func `the right of one that vanished passes on, and its late answer is not taken`() async throws {
        let (fixture, login) = try await signedIn()
        #expect(try await begin(fixture, login, 1))
        // A lost answer, asked again.
        #expect(try await begin(fixture, login, 1))
        #expect(try await !begin(fixture, login, 2))
        try await fixture.sql("UPDATE coldroll.login SET refresh_until = now() - interval '1 second'")
        #expect(try await begin(fixture, login, 2))
        try await fixture.ledger.shareToken(source: fixture.source, lease: 1, sealed: "late", lifetime: .seconds(10))
        #expect(try await fixture.ledger.login(source: fixture.source)?.sealedToken == nil)
    }

    @Test func `after a failure nobody asks again at once`() async throws {
        let (fixture, login) = try await signedIn()
        #expect(try await begin(fixture, login, 1))
        try await fixture.ledger.endRefresh(source: fixture.source, lease: 1, pause: .seconds(60))
        #expect(try await !begin(fixture, login, 2))
        try await fixture.sql("UPDATE coldroll.login SET refresh_until = now() - interval '1 second'")
        #expect(try await begin(fixture, login, 2))
    }

    @Test func `a refused login pauses its source until the next one, and what a person paused stays paused`()
        async throws
    {
        let (fixture, _) = try await signedIn()
        try await fixture.record(3)
        try await fixture.record(3, from: 100, isVideo: true)
        let worker = try await fixture.worker()
        try await fixture.sql("SELECT coldroll.pause(id) FROM coldroll.lane WHERE kind = 'video'")
        try await fixture.ledger.refuseLogin(source: fixture.source, login: first, reason: "gone")
        #expect(try await fixture.claim(worker, 10).isEmpty)
        // The lane that a person paused is a person's to open, the other one the next login's.
        let waiting = try await fixture.queue.waiting(sources: [])
        let words = "is paused by a login that Google refuses: run 'coldroll login'"
        #expect(waiting.count { $0.reason.contains(words) && $0.paused == nil } == 1)
        let video = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'video'")
        #expect(waiting.compactMap(\.paused) == [video])
        let refused = try #require(try await fixture.ledger.login(source: fixture.source))
        #expect(refused.refusal == "gone")
        #expect(try await !begin(fixture, refused, 1))
        try await fixture.ledger.signIn(
            source: fixture.source,
            id: second,
            subject: "104",
            scopes: ["a"],
            lifetime: .seconds(600),
            replacing: first
        )
        // A refusal of the login before comes too late.
        try await fixture.ledger.refuseLogin(source: fixture.source, login: first, reason: "gone")
        #expect(try await fixture.ledger.login(source: fixture.source)?.refusal == nil)
        let jobs = try await fixture.claim(worker, 10)
        #expect(jobs.count == 3 && jobs.allSatisfy { $0.kind == .still })
    }

    @Test func `a login takes the place of the one that its caller saw, and of no other`() async throws {
        let (fixture, login) = try await signedIn()
        func signIn(_ id: String, replacing replaced: String?) async throws -> Bool {
            try await fixture.ledger.signIn(
                source: fixture.source,
                id: id,
                subject: "104",
                scopes: ["b"],
                lifetime: nil,
                replacing: replaced
            )
        }
        try await fixture.ledger.refuseLogin(source: fixture.source, login: first, reason: "gone")
        let refused = try #require(try await fixture.ledger.login(source: fixture.source))
        for stale in [nil, second] {
            #expect(try await !signIn(second, replacing: stale))
            // Nothing of it: what is paused stays so, too.
            #expect(try await fixture.ledger.login(source: fixture.source) == refused)
            #expect(try await fixture.ledger.isPausedByLogin(source: fixture.source))
        }
        #expect(try await signIn(second, replacing: first))
        #expect(try await fixture.ledger.login(source: fixture.source)?.id == second)
        #expect(try await !fixture.ledger.isPausedByLogin(source: fixture.source))
        #expect(login.refusal == nil)
    }

    @Test func `who has other credentials opens what a refused login paused, and nothing that a person paused`()
        async throws
    {
        let (fixture, _) = try await signedIn()
        try await fixture.sql("SELECT coldroll.pause(id) FROM coldroll.lane WHERE kind = 'video'")
        #expect(try await !fixture.ledger.isPausedByLogin(source: fixture.source))
        #expect(try await fixture.ledger.resumeWithoutLogin(source: fixture.source) == 0)
        try await fixture.ledger.refuseLogin(source: fixture.source, login: first, reason: "gone")
        #expect(try await fixture.ledger.isPausedByLogin(source: fixture.source))
        #expect(try await fixture.ledger.resumeWithoutLogin(source: fixture.source) == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.lane WHERE paused_at IS NOT NULL") == 1)
        #expect(
            try await fixture.number(
                "SELECT count(*) FROM coldroll.lane WHERE kind = 'video' AND paused_by = session_user"
            ) == 1
        )
        #expect(try await fixture.ledger.login(source: fixture.source)?.refusal == "gone")
    }
}
