import JobQueue
import TestSupport
import Testing

/// What the ledger says of a source's listing.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct StandingTests {
    private func standing(_ fixture: QueueFixture) async throws -> ScanStanding {
        try #require(try await fixture.ledger.standings(sources: [fixture.source]).first)
    }

    /// A scan that lists nothing, with this end; nil leaves it open, its process gone.
    private func scan(
        _ fixture: QueueFixture,
        since: String? = nil,
        unreadable: Int = 0,
        _ outcome: String?,
        accepted: Bool = false
    ) async throws {
        let ticket = try await fixture.ledger.openScan(source: fixture.source, since: since, until: nil)
        _ = try await fixture.ledger.record(ticket, [], unreadable: unreadable, nextPageToken: "t")
        guard let outcome else { return try await fixture.ledger.letGo(ticket) }
        let reason = outcome == "complete" ? nil : "\(outcome) \(since ?? "full")"
        _ = try await fixture.ledger.finish(ticket, outcome: outcome, reason: reason, accepted: accepted)
    }

    @Test func `a scan is running, broken off, or as it ended, with what it saw`() async throws {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.record(fixture.scan, [QueueFixture.item("a")], unreadable: 1, nextPageToken: "t")
        var now = try await standing(fixture)
        #expect(now.newest?.state == "running" && now.unsettled?.state == "running" && now.secondsSinceFull == nil)
        #expect(now.newest?.pages == 1 && now.newest?.seen == 1 && now.newest?.new == 1 && now.unreadable == 1)
        try await fixture.ledger.letGo(fixture.scan)
        now = try await standing(fixture)
        #expect(now.newest?.state == "broken off" && now.unsettled == .init(state: "broken off", reason: nil))
        let again = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        _ = try await fixture.ledger.finish(again, outcome: "complete", reason: nil, missing: 7)
        now = try await standing(fixture)
        #expect(now.newest?.state == "complete" && now.unsettled == nil && now.newest?.missing == 7)
        #expect(now.secondsSinceFull != nil && now.newest?.secondsSinceEnd != nil)
        #expect(now.source == "library" && now.account == "default")
    }

    @Test func `a source that was never scanned has no newest scan`() async throws {
        let fixture = try await QueueFixture()
        let other = try await fixture.ledger.source(kind: "library", account: "eve", clientID: nil)
        let all = try await fixture.ledger.standings(sources: [])
        #expect(all.map(\.account) == ["default", "eve"])
        #expect(all.last?.newest == nil && all.last?.unsettled == nil)
        #expect(try await fixture.ledger.standings(sources: [other]).map(\.account) == ["eve"])
    }

    @Test(arguments: ["suspicious", "failed", nil])
    func `what did not end well is settled by a complete scan of all that it would have listed, by no other`(
        _ outcome: String?
    ) async throws {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        try await scan(fixture, outcome)
        // A scan of a part ends the one that was broken off.
        let state = outcome ?? "failed"
        try await scan(fixture, since: "2024-01-01", "complete")
        #expect(try await standing(fixture).unsettled?.state == state)
        #expect(try await standing(fixture).newest?.state == "complete")
        try await scan(fixture, "complete")
        #expect(try await standing(fixture).unsettled == nil)
        try await scan(fixture, since: "2024-01-01", "failed")
        try await scan(fixture, since: "2023-01-01", "complete")
        #expect(try await standing(fixture).unsettled == .init(state: "failed", reason: "failed 2024-01-01"))
        try await scan(fixture, since: "2024-01-01", "complete")
        #expect(try await standing(fixture).unsettled == nil)
    }

    @Test func `a suspicious scan is not forgotten over one that failed later`() async throws {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "suspicious", reason: "half")
        try await scan(fixture, "failed")
        #expect(try await standing(fixture).unsettled == .init(state: "suspicious", reason: "half"))
    }

    @Test func `entries without an id count until a full scan has fewer, or the owner takes them`() async throws {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.record(fixture.scan, [], unreadable: 3, nextPageToken: nil)
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        #expect(try await standing(fixture).unreadable == 3)
        try await scan(fixture, since: "2024-01-01", "complete")
        try await scan(fixture, "failed")
        #expect(try await standing(fixture).unreadable == 3)
        try await scan(fixture, unreadable: 2, "complete", accepted: true)
        #expect(try await standing(fixture).unreadable == 0)
        try await scan(fixture, unreadable: 2, "complete")
        #expect(try await standing(fixture).unreadable == 0)
        try await scan(fixture, since: "2024-01-01", unreadable: 4, "complete")
        #expect(try await standing(fixture).unreadable == 2)
        try await scan(fixture, "complete")
        #expect(try await standing(fixture).unreadable == 0)
    }
}
