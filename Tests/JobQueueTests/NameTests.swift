import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct NameTests {
    private func names(_ fixture: QueueFixture) async throws -> [String] {
        try await fixture.texts("SELECT object_name FROM coldroll.part ORDER BY id")
    }

    @Test func `of two items of a page that want one name the first gets it, case ignored`() async throws {
        let fixture = try await QueueFixture()
        let items = [
            QueueFixture.item("a", name: "IMG.JPG"), QueueFixture.item("b", name: "img.jpg"),
            QueueFixture.item("c", name: "IMG.JPG"),
        ]
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        #expect(try await names(fixture) == ["202401/IMG.JPG", "202401/img.jpg~b", "202401/IMG.JPG~c"])
    }

    @Test func `a name that an earlier page took stays taken, case ignored`() async throws {
        let fixture = try await QueueFixture()
        for id in ["a", "b"] {
            let item = QueueFixture.item(id, name: id == "a" ? "X.png" : "x.PNG")
            _ = try await fixture.ledger.record(fixture.scan, [item], unreadable: 0, nextPageToken: nil)
        }
        #expect(try await names(fixture) == ["202401/X.png", "202401/x.PNG~b"])
    }

    @Test func `a suffixed name that is taken too gives way to the longer one`() async throws {
        let fixture = try await QueueFixture()
        for item in [
            QueueFixture.item("p", name: "X"), QueueFixture.item("q", name: "X~b"), QueueFixture.item("b", name: "X"),
        ] {
            _ = try await fixture.ledger.record(fixture.scan, [item], unreadable: 0, nextPageToken: nil)
        }
        #expect(try await names(fixture) == ["202401/X", "202401/X~b", "202401/X~b~b"])
    }

    @Test func `a suffixed name never takes another's plain name within the page`() async throws {
        let fixture = try await QueueFixture()
        let items = [
            QueueFixture.item("p", name: "X"), QueueFixture.item("b", name: "X"), QueueFixture.item("q", name: "X~b"),
        ]
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        #expect(try await names(fixture) == ["202401/X", "202401/X~b~b", "202401/X~b"])
    }

    @Test func `two that would share a suffixed name get different ones`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        func item(_ id: String) -> FoundItem {
            FoundItem(
                sourceItem: id,
                filename: nil,
                mimeType: nil,
                captureTime: nil,
                captureFrom: "none",
                width: nil,
                height: nil,
                isVideo: false,
                parts: [
                    NewPart(kind: .still, folderMonth: "202401", names: CompletionTests.names("item0", "shared", id))
                ]
            )
        }
        _ = try await fixture.ledger.record(fixture.scan, [item("a"), item("b")], unreadable: 0, nextPageToken: nil)
        #expect(try await names(fixture) == ["202401/item0", "202401/shared", "202401/b"])
    }

    @Test func `a thousand items of one name all get their own`() async throws {
        let fixture = try await QueueFixture()
        let items = (0..<1000).map { QueueFixture.item("id\($0)", name: "same") }
        let counts = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        #expect(counts.new == 1000)
        #expect(try await fixture.number("SELECT count(DISTINCT name_key) FROM coldroll.part") == 1000)
    }

    @Test func `pages of two sources that race for the same names both come through`() async throws {
        let fixture = try await QueueFixture()
        let other = try await fixture.ledger.source(kind: "picker", account: "default", clientID: nil)
        let scans = [fixture.scan, try await fixture.ledger.openScan(source: other, since: nil, until: nil)]
        for round in 0..<10 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for scan in scans {
                    group.addTask {
                        let items = (0..<50).map {
                            QueueFixture.item("s\(scan.id)-\(round)-\($0)", name: "r\(round)-\($0)")
                        }
                        let counts = try await fixture.ledger.record(scan, items, unreadable: 0, nextPageToken: nil)
                        #expect(counts.new == 50)
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.part") == 1000)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job") == 1000)
    }

    @Test func `a name committed while the page is being recorded costs a retry, not the page`() async throws {
        let fixture = try await QueueFixture()
        let rival = try await Connection.connect(MigratedDatabase.conninfo)
        // An uncommitted part holds the name: the page does not see it, and waits for it at the unique index.
        try await rival.script(
            """
            BEGIN;
            INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
            VALUES (1000001, 1000001, 1, 'still', '202401', '202401/item0', '202401/item0');
            """,
            name: "test.rival"
        )
        async let recorded = fixture.record(1)
        try await fixture.waitUntil(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        try await rival.script("COMMIT", name: "test.commit")
        #expect(try await recorded == PageCounts(seen: 1, new: 1, known: 0))
        #expect(
            try await fixture.texts("SELECT object_name FROM coldroll.part WHERE item_id < 1000000")
                == ["202401/item0~item0"]
        )
    }

    @Test func `a part is renamed while nothing is stored, unless the new name is taken`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let worker = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        let taken = NameCandidate(name: "202401/ITEM1", key: "202401/item1")
        #expect(try await fixture.queue.rename(worker: worker, job.reference, to: taken) == .taken)
        let free = NameCandidate(name: "202401/new", key: "202401/new")
        #expect(try await fixture.queue.rename(worker: worker, job.reference, to: free) == .renamed)
        #expect(try await fixture.queue.rename(worker: worker, job.reference, to: free) == .renamed)
        #expect(try await names(fixture) == ["202401/new", "202401/item1"])
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(job)])
        #expect(try await fixture.queue.rename(worker: worker, job.reference, to: taken) == .leaseLost)
    }
}
