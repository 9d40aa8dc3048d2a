import GoogleSimulator
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Archiver

/// What is asked for when the media servers are in doubt, against the simulated Google.
@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct NeutralRequestTests {
    /// A library of photos and videos, of which the first claimed are stored.
    private func bench(_ items: Int, stored: Int) async throws -> (Bench, NeutralRequest) {
        let bench = try await Bench {
            $0.synthesis = SynthesisOptions(count: items, sizes: 5000...9000, videoPercent: 40)
        }
        _ = try await bench.scan().run()
        let worker = try await bench.fixture.worker()
        if stored > 0 {
            let jobs = try await bench.fixture.queue.claim(
                worker: worker,
                sources: [bench.fixture.source],
                limit: stored
            )
            try #require(jobs.count == stored)
            _ = try await bench.fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
        }
        let request = NeutralRequest(
            photos: bench.context.photos,
            items: bench.context.items,
            archive: bench.context.archive,
            ledger: bench.context.ledger,
            account: "default",
            baseURLs: BaseURLCache()
        )
        return (bench, request)
    }

    private static let away = FaultRule(on: "download,downloadVideo", .status)

    private func isSilent(_ answer: Breaker.Answer) -> Bool { if case .silent = answer { true } else { false } }

    @Test(arguments: [0, 12])
    func `servers that answer for nobody are away, whether anything is stored yet or not`(_ stored: Int) async throws {
        let (bench, request) = try await bench(24, stored: stored)
        #expect(await request(.media) == .answers)
        bench.simulator.setFaults([Self.away])
        #expect(isSilent(await request(.media)))
        #expect(bench.simulator.faults[0].struck >= 2)
        bench.simulator.setFaults([])
        #expect(await request(.media) == .answers)
    }

    @Test func `what was stored may all be gone from Google: then the queue's items tell`() async throws {
        let (bench, request) = try await bench(24, stored: 12)
        try await bench.fixture.sql(
            """
            UPDATE coldroll.item AS i SET source_item = 'gone-' || i.id
            WHERE EXISTS (SELECT FROM coldroll.part AS p JOIN coldroll.object AS o ON o.part_id = p.id WHERE p.item_id = i.id)
            """
        )
        #expect(await request(.media) == .answers)
        bench.simulator.setFaults([Self.away])
        #expect(isSilent(await request(.media)))
        #expect(bench.simulator.faults[0].struck >= 2)
    }

    @Test func `one stored item that never works is no outage`() async throws {
        let (bench, request) = try await bench(24, stored: 12)
        let bad = try await bench.fixture.texts(
            """
            SELECT i.source_item FROM coldroll.object AS o JOIN coldroll.part AS p ON p.id = o.part_id
            JOIN coldroll.item AS i ON i.id = p.item_id ORDER BY o.part_id DESC LIMIT 1
            """
        )[0]
        var rule = Self.away
        rule.match = bad
        bench.simulator.setFaults([rule])
        // Which items are asked is chance: until the bad one was among them.
        repeat { #expect(await request(.media) == .answers) } while bench.simulator.faults[0].struck < 3
    }

    @Test func `servers that send videos fail without the others`() async throws {
        let (bench, request) = try await bench(24, stored: 16)
        bench.simulator.setFaults([FaultRule(on: "downloadVideo", .status)])
        #expect(isSilent(await request(.media)))
    }

    @Test func `an outage of the media servers costs hardly any request to the API`() async throws {
        let (bench, request) = try await bench(24, stored: 12)
        bench.simulator.setFaults([Self.away])
        for _ in 0..<40 { #expect(isSilent(await request(.media))) }
        #expect(bench.simulator.faults[0].struck >= 80)
        #expect(bench.simulator.counters.requests("get") <= 24)
    }

    @Test func `an account is asked about by its own items, however many of another one are younger`() async throws {
        let (bench, request) = try await bench(24, stored: 12)
        let other = try await bench.context.ledger.source(kind: "library", account: "another", clientID: "client")
        try await bench.fixture.sql(
            """
            WITH item AS (
                INSERT INTO coldroll.item (source_id, scan_id, is_video, source_item, capture_from)
                SELECT $1, 1, false, 'other-' || n, 'none' FROM generate_series(1, 700) AS n
                RETURNING id
            )
            INSERT INTO coldroll.part (item_id, source_id, kind, folder_month, object_name, name_key)
            SELECT i.id, $1, 'still', 'undated', 'undated/' || i.id, 'undated/' || i.id FROM item AS i
            """,
            [.integer(other)]
        )
        try await bench.fixture.sql(
            """
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            SELECT p.id, 1, 1, 1, 1, 1, false, 'rendition', 'jpeg' FROM coldroll.part AS p WHERE p.source_id = $1
            """,
            [.integer(other)]
        )
        let items = try await bench.context.ledger.neutralItems(kind: "library", account: "default")
        #expect(items.count { $0.isStored } >= 4 && items.count { !$0.isStored } >= 4, "\(items)")
        #expect(!items.contains { $0.sourceItem.hasPrefix("other-") })
        bench.simulator.setFaults([Self.away])
        #expect(isSilent(await request(.media)))
    }
}
