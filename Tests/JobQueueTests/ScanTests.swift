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
