import JobQueue
import Postgres
import TestSupport
import Testing

/// What a full scan saw, against what was known before.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ComparisonTests {
    private let missing = "SELECT source_item FROM coldroll.absence JOIN coldroll.item ON id = item_id ORDER BY id"

    /// An item taken in a year.
    private func item(_ id: String, _ year: Int) -> FoundItem {
        let plain = QueueFixture.item(id)
        return FoundItem(
            sourceItem: id,
            filename: id,
            mimeType: nil,
            captureTime: "\(year)-01-02T03:04:05Z",
            captureFrom: "api",
            width: nil,
            height: nil,
            isVideo: false,
            parts: plain.parts
        )
    }

    /// A full scan that sees these items, not ended.
    private func scan(
        _ fixture: QueueFixture,
        sees items: [FoundItem],
        next: String? = nil
    ) async throws -> ScanTicket {
        let scan = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        _ = try await fixture.ledger.record(scan, items, unreadable: 0, nextPageToken: next)
        return scan
    }

    private func fixture(knows items: [FoundItem]) async throws -> QueueFixture {
        let fixture = try await QueueFixture()
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        return fixture
    }

    @Test func `what was known and is not seen is missing, what is new or seen twice counts for nothing`() async throws
    {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2010), item("c", 2000), item("d", 2015)])
        let next = try await scan(
            fixture,
            sees: [item("new", 2024), item("a", 2020), item("b", 2010), item("a", 2020)]
        )
        _ = try await fixture.ledger.record(next, [item("b", 2010)], unreadable: 0, nextPageToken: nil)
        #expect(
            try await fixture.ledger.comparison(next)
                == ScanComparison(
                    expected: 4,
                    missing: 2,
                    olderThanAllSeen: 1,
                    returned: 0,
                    untold: 2,
                    untoldOlderThanAllSeen: 1
                )
        )
    }

    @Test func `what is as old as the oldest that is seen counts as older, and what was told of before is known`()
        async throws
    {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2000), item("c", 2000), item("d", 2000)])
        let doubtful = try await scan(fixture, sees: [item("a", 2020), item("b", 2000), item("d", 2000)])
        #expect(try await fixture.ledger.comparison(doubtful).olderThanAllSeen == 1)
        _ = try await fixture.ledger.finish(doubtful, outcome: "suspicious", reason: "test", missing: 1)
        let next = try await scan(fixture, sees: [item("a", 2020), item("b", 2000)])
        let comparison = try await fixture.ledger.comparison(next)
        #expect(comparison.missing == 2 && comparison.olderThanAllSeen == 2)
        #expect(comparison.untold == 1 && comparison.untoldOlderThanAllSeen == 1)
        #expect(comparison.untoldOnly.missing == 1)
    }

    @Test func `pages of all processes that took part count`() async throws {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2010)])
        let first = try await scan(fixture, sees: [item("a", 2020)], next: "t")
        try await fixture.ledger.letGo(first)
        let second = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        try #require(second.resumed && second.pageToken == "t")
        #expect(second.startedAt == first.startedAt)
        _ = try await fixture.ledger.record(second, [item("b", 2010)], unreadable: 0, nextPageToken: nil)
        #expect(try await fixture.ledger.comparison(second).missing == 0)
    }

    @Test
    func `a pass that another process begins at its first page again has seen nothing, also of what it found itself`()
        async throws
    {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2010)])
        let first = try await scan(fixture, sees: [item("a", 2020), item("b", 2010), item("new", 2022)])
        #expect(try await fixture.ledger.comparison(first).missing == 0)
        try await fixture.ledger.letGo(first)
        let second = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        try #require(second.resumed && second.pageToken == nil)
        // It lists all that there is now.
        #expect(second.startedAt > first.startedAt)
        _ = try await fixture.ledger.record(second, [item("a", 2020)], unreadable: 0, nextPageToken: nil)
        #expect(
            try await fixture.ledger.comparison(second)
                == ScanComparison(
                    expected: 3,
                    missing: 2,
                    olderThanAllSeen: 1,
                    returned: 0,
                    untold: 2,
                    untoldOlderThanAllSeen: 1
                )
        )
        let ended = try await fixture.ledger.finish(second, outcome: "suspicious", reason: "x", missing: 2)
        #expect(ended.items == 1)
        #expect(try await fixture.texts(missing) == ["b", "new"])
    }

    @Test func `a pass that begins anew expects all that it found before, not only what is missing of it`() async throws
    {
        let fixture = try await fixture(knows: [])
        let all = (0..<50).map { item("i\($0)", 2020) }
        let first = try await scan(fixture, sees: all)
        try await fixture.ledger.restart(first)
        _ = try await fixture.ledger.record(first, Array(all.dropLast()), unreadable: 0, nextPageToken: nil)
        try await fixture.ledger.restart(first)
        _ = try await fixture.ledger.record(first, Array(all.dropFirst()), unreadable: 0, nextPageToken: nil)
        let comparison = try await fixture.ledger.comparison(first)
        #expect(comparison.expected == 50 && comparison.missing == 1)
    }

    @Test func `as many empty pages as the last complete scan had raise no doubt`() async throws {
        let fixture = try await fixture(knows: [item("a", 2020)])
        func hadMore(_ pages: Int, _ outcome: String) async throws -> Bool {
            let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
            for number in 0..<pages {
                _ = try await fixture.ledger.record(next, [], unreadable: 0, nextPageToken: "t\(number)")
            }
            let hadMore = try await fixture.ledger.comparison(next).hadMoreEmptyPages
            _ = try await fixture.ledger.finish(next, outcome: outcome, reason: outcome == "complete" ? nil : "x")
            return hadMore
        }
        #expect(try await hadMore(2, "complete"))
        #expect(try await !hadMore(2, "complete"))
        #expect(try await hadMore(3, "suspicious"))
        #expect(try await hadMore(3, "complete"))
        #expect(try await !hadMore(3, "complete"))
    }

    @Test func `what a complete scan did not see is not expected again, and is when it comes back`() async throws {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2010)])
        let gone = try await scan(fixture, sees: [item("a", 2020)])
        _ = try await fixture.ledger.finish(gone, outcome: "complete", reason: nil, missing: 1)
        #expect(try await fixture.texts(missing) == ["b"])
        #expect(try await fixture.ledger.expectedItems(source: fixture.source) == 1)
        #expect(try await fixture.ledger.knownItems(source: fixture.source) == 2)
        #expect(try await fixture.texts("SELECT object_name FROM coldroll.missing WHERE believed") == ["202401/b"])

        let back = try await scan(fixture, sees: [item("a", 2020), item("b", 2010)])
        #expect(
            try await fixture.ledger.comparison(back)
                == ScanComparison(expected: 1, missing: 0, olderThanAllSeen: 0, returned: 1)
        )
        _ = try await fixture.ledger.finish(back, outcome: "complete", reason: nil)
        #expect(try await fixture.texts(missing).isEmpty)
        #expect(try await fixture.ledger.expectedItems(source: fixture.source) == 2)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.sighting") == 0)
    }

    @Test func `what a suspicious scan did not see is named and still expected, until a complete one misses it too`()
        async throws
    {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2010)])
        let doubtful = try await scan(fixture, sees: [item("a", 2020)])
        _ = try await fixture.ledger.finish(doubtful, outcome: "suspicious", reason: "half", missing: 1)
        #expect(try await fixture.texts("SELECT filename FROM coldroll.missing WHERE NOT believed") == ["b"])
        let again = try await scan(fixture, sees: [item("a", 2020)])
        #expect(try await fixture.ledger.comparison(again).missing == 1)
        _ = try await fixture.ledger.finish(again, outcome: "complete", reason: nil, missing: 1, accepted: true)
        #expect(try await fixture.texts("SELECT filename FROM coldroll.missing WHERE believed") == ["b"])
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', missing, accepted) FROM coldroll.scan ORDER BY id DESC LIMIT 1"
            )
                == ["1 t"]
        )
    }

    @Test func `an end that is told twice misses nothing the second time`() async throws {
        let fixture = try await fixture(knows: [item("a", 2020)])
        let next = try await scan(fixture, sees: [item("a", 2020)])
        for _ in 0..<2 { _ = try await fixture.ledger.finish(next, outcome: "complete", reason: nil, missing: 0) }
        #expect(try await fixture.texts(missing).isEmpty)
    }

    @Test func `scans of a part and scans that failed miss nothing, and leave no sightings`() async throws {
        let fixture = try await fixture(knows: [item("a", 2020)])
        let part = try await fixture.ledger.openScan(source: fixture.source, since: "2021-01-01", until: nil)
        _ = try await fixture.ledger.finish(part, outcome: "complete", reason: nil)
        let failed = try await scan(fixture, sees: [item("b", 2020)])
        _ = try await fixture.ledger.finish(failed, outcome: "failed", reason: "x")
        let abandoned = try await scan(fixture, sees: [item("c", 2020)])
        try await fixture.ledger.letGo(abandoned)
        _ = try await fixture.ledger.openScan(source: fixture.source, since: "2021-01-01", until: nil)
        #expect(try await fixture.texts(missing).isEmpty)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.sighting") == 0)
    }

    @Test func `a pass that starts over has seen nothing, no unreadable entry and no empty page`() async throws {
        let fixture = try await fixture(knows: [item("a", 2020), item("b", 2010)])
        let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        _ = try await fixture.ledger.record(next, [item("a", 2020)], unreadable: 2, nextPageToken: "t")
        _ = try await fixture.ledger.record(next, [], unreadable: 0, nextPageToken: "u")
        #expect(try await fixture.ledger.counts(next).unreadable == 2)
        #expect(try await fixture.ledger.comparison(next).missing == 1)
        #expect(try await fixture.ledger.emptyPages(next).map(\.token) == ["t"])
        try await fixture.ledger.restart(next)
        #expect(try await fixture.ledger.counts(next).unreadable == 0)
        #expect(try await fixture.ledger.comparison(next).missing == 2)
        #expect(try await fixture.ledger.comparison(next).hadMoreEmptyPages == false)
    }
}
