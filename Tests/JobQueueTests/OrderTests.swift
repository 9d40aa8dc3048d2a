import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct OrderTests {
    private func item(_ id: String, _ time: String?) -> FoundItem {
        let item = QueueFixture.item(id)
        return FoundItem(
            sourceItem: item.sourceItem,
            filename: item.filename,
            mimeType: item.mimeType,
            captureTime: time,
            captureFrom: time == nil ? "none" : "api",
            width: item.width,
            height: item.height,
            isVideo: false,
            parts: item.parts
        )
    }

    @Test(arguments: [
        (WorkOrder.newest, ["new", "middle", "old", "ancient", "undated"]),
        (.oldest, ["ancient", "old", "middle", "new", "undated"]),
    ])
    func `parts are fetched in the order of their capture times, those of unknown time last`(
        _ order: WorkOrder,
        _ expected: [String]
    ) async throws {
        let fixture = try await QueueFixture()
        let items = [
            item("old", "2001-01-01T00:00:00Z"), item("undated", nil), item("new", "2024-05-05T00:00:00Z"),
            item("ancient", "1912-01-01T00:00:00Z"), item("middle", "2010-01-01T00:00:00Z"),
        ]
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil, order: order)
        let worker = try await fixture.worker()
        var claimed: [String] = []
        for _ in items { claimed += try await fixture.claim(worker, 1).map(\.sourceItem) }
        #expect(claimed == expected)
    }

    @Test func `a part that failed comes after all that did not, and keeps its place among those that did`()
        async throws
    {
        let fixture = try await QueueFixture()
        let items = (1...6).map { item("item\($0)", $0 == 6 ? nil : "200\($0)-01-01T00:00:00Z") }
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil, order: .newest)
        let worker = try await fixture.worker()
        // The newest two fail, the first of them twice.
        for failing in [2, 1] {
            let jobs = try await fixture.claim(worker, 6).filter { job in
                ["item5", "item4"].prefix(failing).contains(job.sourceItem)
            }
            _ = try await fixture.queue.fail(
                worker: worker,
                jobs.map { Failure(job: $0.reference, reason: "cut", message: "cut") }
            )
            try await fixture.makeDue()
            _ = try await fixture.queue.sweep(mayDeclareDeath: false)
            try await fixture.sql("UPDATE coldroll.job SET state = 'ready'")
        }
        var claimed: [String] = []
        for _ in items { claimed += try await fixture.claim(worker, 1).map(\.sourceItem) }
        #expect(claimed == ["item3", "item2", "item1", "item6", "item5", "item4"])
    }

    @Test(arguments: WorkOrder.allCases, ["retry", "accept", "retry_failed"])
    func `a dead part that a person puts back comes after all that did not fail`(
        _ order: WorkOrder,
        _ function: String
    ) async throws {
        let fixture = try await QueueFixture()
        let items = [
            item("ancient", "1912-01-01T00:00:00Z"), item("new", "2024-05-05T00:00:00Z"), item("undated", nil),
            item("middle", "2010-01-01T00:00:00Z"),
        ]
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil, order: order)
        let worker = try await fixture.worker()
        let dying = try #require(try await fixture.claim(worker, 1).first)
        _ = try await fixture.queue.complete(
            worker: worker,
            [Completion(job: dying.reference, result: .dead(reason: "reduced"))]
        )
        let argument = function == "retry_failed" ? "'reduced'" : "\(dying.reference.part)"
        try await fixture.sql("SELECT coldroll.\(function)(\(argument))")
        var claimed: [String] = []
        for _ in items { claimed += try await fixture.claim(worker, 1).map(\.sourceItem) }
        #expect(claimed.count == 4 && claimed.last == dying.sourceItem)
    }

    @Test func `a lane that is left out of a claim gives nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        try await fixture.record(5, from: 100, isVideo: true)
        let video = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'video'")
        let worker = try await fixture.worker()
        let jobs = try await fixture.queue.claim(
            worker: worker,
            sources: [fixture.source],
            limit: 10,
            excluding: [video]
        )
        #expect(jobs.count == 5 && jobs.allSatisfy { $0.kind == .still })
    }
}
