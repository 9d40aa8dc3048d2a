import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ScanTests {
    /// Makes the process that scans look gone.
    private func silence(_ fixture: QueueFixture) async throws {
        try await fixture.sql("UPDATE coldroll.scan SET renewed_at = now() - interval '31 seconds'")
    }

    @Test func `a second scan of a source is refused while the first shows signs of life`() async throws {
        let fixture = try await QueueFixture()
        let error = await #expect(throws: LedgerError.self) {
            try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        }
        #expect(error?.code == .scanBusy)
        try await silence(fixture)
        try await fixture.ledger.renew(fixture.scan)
        await #expect(throws: LedgerError.self) {
            try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        }
    }

    @Test func `a scan whose process is gone goes on at its page, and the first process is fenced off`() async throws {
        let fixture = try await QueueFixture()
        #expect(!fixture.scan.resumed && fixture.scan.isFull && fixture.scan.pageToken == nil)
        try await fixture.record(1)
        try await silence(fixture)
        let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        #expect(next.id == fixture.scan.id)
        #expect(next.resumed)
        #expect(next.pageToken == "next")
        #expect(next.lease != fixture.scan.lease)
        #expect(next.startedAt == fixture.scan.startedAt)
        for attempt in [fixture.ledger.renew, fixture.ledger.restart, fixture.ledger.letGo] {
            let error = await #expect(throws: LedgerError.self) { try await attempt(fixture.scan) }
            #expect(error?.code == .scanLost)
        }
        let error = await #expect(throws: LedgerError.self) {
            try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        }
        #expect(error?.code == .scanLost)
    }

    @Test func `a page behind one that a failover lost is refused, and so is the scan's end, until it is listed again`()
        async throws
    {
        let fixture = try await QueueFixture()
        let (ledger, scan) = (fixture.ledger, fixture.scan)
        func record(_ name: String, next: String?) async throws -> PageCounts {
            try await ledger.record(scan, [QueueFixture.item(name)], unreadable: 0, nextPageToken: next)
        }
        _ = try await record("one", next: "2")
        let replica = "pages = 1, page_token = '2', seen = 1, new = 1, parts = 1, jobs = 1, last_page = 7, last_new = 1"
        _ = try await record("two", next: "3")
        // What a replica that was behind knows.
        try await fixture.sql("DELETE FROM coldroll.job WHERE part_id = (SELECT max(part_id) FROM coldroll.job)")
        try await fixture.sql("DELETE FROM coldroll.part WHERE id = (SELECT max(id) FROM coldroll.part)")
        try await fixture.sql("DELETE FROM coldroll.item WHERE id = (SELECT max(id) FROM coldroll.item)")
        try await fixture.sql("UPDATE coldroll.scan SET \(replica)")
        for attempt in [
            { _ = try await record("three", next: nil) },
            { _ = try await ledger.finish(scan, outcome: "complete", reason: nil) },
            { _ = try await ledger.finish(scan, outcome: "suspicious", reason: "x") },
        ] {
            let error = await #expect(throws: LedgerError.self) { try await attempt() }
            #expect(error?.code == .scanRewound)
            #expect(error?.message.contains("knows 1 pages") == true, "\(error?.message ?? "")")
        }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 1)
        #expect(try await ledger.rewind(scan) == "2")
        #expect(try await record("two", next: "3").new == 1)
        #expect(try await record("three", next: nil).new == 1)
        #expect(try await ledger.finish(scan, outcome: "complete", reason: nil).new == 3)
    }

    @Test func `a failed scan ends wherever it stands`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        try await fixture.sql("UPDATE coldroll.scan SET pages = 0")
        #expect(try await fixture.ledger.finish(fixture.scan, outcome: "failed", reason: "x").pages == 0)
    }

    @Test func `an abandoned scan of another range is ended as failed`() async throws {
        let fixture = try await QueueFixture()
        try await silence(fixture)
        let next = try await fixture.ledger.openScan(source: fixture.source, since: "2024-01-01", until: nil)
        #expect(next.id != fixture.scan.id)
        #expect(!next.resumed && !next.isFull)
        #expect(try await fixture.texts("SELECT outcome FROM coldroll.scan WHERE outcome IS NOT NULL") == ["failed"])
        await #expect(throws: LedgerError.self) { try await fixture.ledger.renew(fixture.scan) }
    }

    @Test func `two processes that open at once: one scans, the other is told so`() async throws {
        let fixture = try await QueueFixture()
        try await silence(fixture)
        let won = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (try? await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(won == 1)
    }

    @Test func `a finished scan says what it saw, also when asked again, and the next one is new`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        try await fixture.record(3)
        for _ in 0..<2 {
            let counts = try await fixture.ledger.finish(fixture.scan, outcome: "suspicious", reason: "half")
            #expect(counts.pages == 2 && counts.seen == 6 && counts.new == 3)
        }
        await #expect(throws: LedgerError.self) {
            try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        }
        let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        #expect(!next.resumed && next.pageToken == nil && next.id != fixture.scan.id)
        #expect(try await fixture.ledger.knownItems(source: fixture.source) == 3)
        _ = try await fixture.ledger.record(next, [QueueFixture.item("new")], unreadable: 0, nextPageToken: nil)
        #expect(try await fixture.ledger.knownItems(source: fixture.source) == 3)
    }

    @Test func `an expired token starts the pass over without making anything new`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        try await fixture.ledger.restart(fixture.scan)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.scan WHERE page_token IS NULL") == 1)
        #expect(try await fixture.record(3) == PageCounts(seen: 3, new: 0, known: 3))
    }
}
