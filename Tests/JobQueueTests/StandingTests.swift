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

    /// A scan that lists these entries without an id, on pages of 100, and is complete.
    @discardableResult
    private func scan(
        _ fixture: QueueFixture,
        since: String? = nil,
        entries: [String],
        accepted: Bool = false
    ) async throws -> ScanStanding {
        let ticket = try await fixture.ledger.openScan(source: fixture.source, since: since, until: nil)
        let unread = entries.map {
            UnreadEntry(identity: "id of \($0)", filename: $0, captureTime: "2024-05-31T12:00:00Z")
        }
        for start in stride(from: 0, to: max(1, unread.count), by: 100) {
            let page = Array(unread[start..<min(start + 100, unread.count)])
            _ = try await fixture.ledger.record(ticket, [], unreadable: page, nextPageToken: "t")
        }
        _ = try await fixture.ledger.finish(ticket, outcome: "complete", reason: nil, accepted: accepted)
        return try await standing(fixture)
    }

    private func fresh() async throws -> QueueFixture {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        return fixture
    }

    @Test func `accepted are the entries of that scan, and another one in place of one of them counts, by its name`()
        async throws
    {
        let fixture = try await fresh()
        let first = try await scan(fixture, entries: ["a", "b"])
        let day = "2024-05-31"
        #expect(first.unreadable == 2)
        #expect(first.gaps == [Gap(filename: "a", day: day), Gap(filename: "b", day: day)])
        #expect(try await scan(fixture, entries: ["a", "b"], accepted: true).unreadable == 0)
        // A month later, and one more, the same ones, and fewer of them.
        #expect(try await scan(fixture, entries: ["b", "a"]).unreadable == 0)
        #expect(try await scan(fixture, entries: ["a"]).unreadable == 0)
        #expect(try await scan(fixture, entries: ["a", "b"]).unreadable == 0)
        let exchanged = try await scan(fixture, entries: ["a", "c"])
        #expect(exchanged.unreadable == 1 && exchanged.unkept == 0)
        #expect(exchanged.gaps == [Gap(filename: "c", day: day)])
        // In a scan of a part as well.
        #expect(try await scan(fixture, entries: ["a", "b"]).unreadable == 0)
        #expect(try await scan(fixture, since: "2024-01-01", entries: ["d"]).gaps.map(\.filename) == ["d"])
        #expect(try await scan(fixture, entries: ["a", "c"], accepted: true).unreadable == 0)
        #expect(try await scan(fixture, entries: ["a", "b"]).gaps.map(\.filename) == ["b"])
    }

    @Test func `one more entry that looks like an accepted one counts`() async throws {
        let fixture = try await fresh()
        #expect(try await scan(fixture, entries: ["a", "a", "b"], accepted: true).unreadable == 0)
        let more = try await scan(fixture, entries: ["a", "a", "a"])
        #expect(more.unreadable == 1 && more.gaps.map(\.filename) == ["a"])
        #expect(try await scan(fixture, entries: ["b", "a", "a"]).unreadable == 0)
    }

    @Test func `entries of which nothing is known are accepted by their number, and stand for no named one`()
        async throws
    {
        let fixture = try await fresh()
        try await scan(fixture, unreadable: 2, "complete", accepted: true)
        #expect(try await standing(fixture).unreadable == 0)
        let named = try await scan(fixture, entries: ["a"])
        #expect(named.unreadable == 1 && named.gaps.map(\.filename) == ["a"])
        try await scan(fixture, unreadable: 3, "complete")
        #expect(try await standing(fixture).unreadable == 1)
        #expect(try await standing(fixture).gaps.isEmpty)
    }

    @Test func `of a scan 1000 different entries are kept, and what is more is accepted by nobody`() async throws {
        let fixture = try await fresh()
        let names = (1...1002).map { "IMG_\($0)" }
        // What is kept counts on, although nothing new is.
        let accepted = try await scan(fixture, entries: names + ["IMG_1", "IMG_2"], accepted: true)
        #expect(accepted.unreadable == 2 && accepted.unkept == 2 && accepted.gaps.isEmpty)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.unread") == 1000)
        #expect(try await fixture.number("SELECT sum(entries)::bigint FROM coldroll.unread") == 1002)
        let fewer = try await scan(fixture, entries: names.dropLast(2) + ["IMG_1"])
        #expect(fewer.unreadable == 0)
        #expect(try await scan(fixture, entries: [names[1001]]).unreadable == 1)
    }

    @Test func `what was accepted before entries were kept was a number, and counts until it is accepted again`()
        async throws
    {
        let fixture = try await fresh()
        try await scan(fixture, entries: ["a", "b"], accepted: true)
        try await fixture.sql("DELETE FROM coldroll.unread")
        var now = try await standing(fixture)
        #expect(now.unreadable == 2 && now.unkept == 2 && now.gaps.isEmpty)
        now = try await scan(fixture, entries: ["a", "b"])
        #expect(now.unreadable == 2 && now.unkept == 0 && now.gaps.map(\.filename) == ["a", "b"])
        #expect(try await scan(fixture, entries: ["a", "b"], accepted: true).unreadable == 0)
    }

    @Test func `entries are kept of the last full scan, what came since, and the last that was accepted`() async throws
    {
        let fixture = try await fresh()
        func kept() async throws -> [String] {
            try await fixture.texts(
                "SELECT string_agg(filename, ' ' ORDER BY filename) FROM coldroll.unread GROUP BY scan_id ORDER BY scan_id"
            )
        }
        try await scan(fixture, entries: ["a"], accepted: true)
        try await scan(fixture, entries: ["a", "b"])
        try await scan(fixture, since: "2024-01-01", entries: ["c"])
        #expect(try await kept() == ["a", "a b", "c"])
        try await scan(fixture, entries: ["d"])
        #expect(try await kept() == ["a", "d"])
        try await scan(fixture, entries: ["e"], accepted: true)
        #expect(try await kept() == ["e"])
        // One that failed leaves what later ones are compared with.
        try await scan(fixture, "suspicious")
        #expect(try await kept() == ["e"])
        try await scan(fixture, entries: [])
        #expect(try await kept() == ["e"])
    }

    @Test func `a pass that goes on from its first page, since it had met its last, counts its entries once`()
        async throws
    {
        let fixture = try await fresh()
        for _ in 1...2 {
            let ticket = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
            try await fixture.ledger.record(ticket, [QueueFixture.item("a")], unreadable: 2, nextPageToken: nil)
            try await fixture.ledger.letGo(ticket)
        }
        let end = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        try await fixture.ledger.record(end, [QueueFixture.item("a")], unreadable: 2, nextPageToken: nil)
        #expect(try await fixture.ledger.counts(end).unreadable == 2)
        _ = try await fixture.ledger.finish(end, outcome: "complete", reason: nil, accepted: true)
        try await scan(fixture, unreadable: 4, "complete")
        #expect(try await standing(fixture).unreadable == 2)
        // One that is in the middle goes on.
        let middle = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        try await fixture.ledger.record(middle, [], unreadable: 3, nextPageToken: "t")
        try await fixture.ledger.letGo(middle)
        let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        #expect(try await fixture.ledger.counts(next).unreadable == 3)
    }

    @Test func `a pass that starts over forgets its entries, and another library's acknowledgement is not its own`()
        async throws
    {
        let fixture = try await QueueFixture()
        let entry = UnreadEntry(identity: "x", filename: "x.jpg")
        _ = try await fixture.ledger.record(fixture.scan, [], unreadable: [entry], nextPageToken: "t")
        try await fixture.ledger.restart(fixture.scan)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.unread") == 0)
        _ = try await fixture.ledger.record(fixture.scan, [], unreadable: [entry], nextPageToken: nil)
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil, accepted: true)
        #expect(try await standing(fixture).unreadable == 0)
        let other = try await fixture.ledger.source(kind: "library", account: "eve", clientID: nil)
        let scan = try await fixture.ledger.openScan(source: other, since: nil, until: nil)
        _ = try await fixture.ledger.record(scan, [], unreadable: [entry], nextPageToken: nil)
        _ = try await fixture.ledger.finish(scan, outcome: "complete", reason: nil)
        let standings = try await fixture.ledger.standings(sources: [])
        #expect(standings.map(\.unreadable) == [0, 1])
        #expect(standings.map { $0.gaps.map(\.filename) } == [[], ["x.jpg"]])
    }
}
