import JobQueue
import Postgres
import TestSupport
import Testing

/// Pages of a first import, which are recorded without looking anything up.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct NewPageTests {
    /// How often the statement that looks nothing up was run on the only connection.
    private func tries(_ fixture: QueueFixture) async throws -> Int64 {
        try await fixture.number(
            """
            SELECT coalesce(sum(generic_plans + custom_plans), 0)::bigint
            FROM pg_prepared_statements WHERE name = 'page.record_new'
            """
        )
    }

    /// Five pages of new items.
    private func begun() async throws -> QueueFixture {
        let fixture = try await QueueFixture(connections: 1)
        for page in 0..<5 { try await fixture.record(3, from: page * 3) }
        #expect(try await tries(fixture) == 0)
        return fixture
    }

    @Test func `behind pages of new items nothing is looked up until something is known`() async throws {
        let fixture = try await begun()
        #expect(try await fixture.record(3, from: 15) == PageCounts(seen: 3, new: 3, known: 0))
        #expect(try await tries(fixture) == 1)
        // One that is known, and one whose name is taken.
        let mixed = [
            QueueFixture.item("item4"), QueueFixture.item("x"), QueueFixture.item("y", name: "item5"),
        ]
        let counts = try await fixture.ledger.record(fixture.scan, mixed, unreadable: 0, nextPageToken: "mixed")
        #expect(counts == PageCounts(seen: 3, new: 2, known: 1))
        #expect(try await tries(fixture) == 2)
        #expect(
            try await fixture.texts("SELECT object_name FROM coldroll.part ORDER BY id DESC LIMIT 2")
                == ["202401/item5~y", "202401/x"]
        )
        // Ten in a row are needed now.
        for page in 0..<10 { try await fixture.record(2, from: 100 + page * 2) }
        #expect(try await tries(fixture) == 2)
        try await fixture.record(2, from: 200)
        #expect(try await tries(fixture) == 3)
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', pages, seen, new, known, parts, jobs) FROM coldroll.scan")
                == ["18 43 42 1 42 42"]
        )
        #expect(try await fixture.number("SELECT sum(cardinality(items)) FROM coldroll.sighting") == 43)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job") == 42)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }

    @Test func `names that several want are given out, and a taken one ends the tries`() async throws {
        let fixture = try await begun()
        let shared = [QueueFixture.item("a", name: "same"), QueueFixture.item("b", name: "SAME")]
        let counts = try await fixture.ledger.record(fixture.scan, shared, unreadable: 0, nextPageToken: "shared")
        #expect(counts == PageCounts(seen: 2, new: 2, known: 0))
        // What the statement cannot do is not tried.
        #expect(try await tries(fixture) == 0)
        #expect(
            try await fixture.texts("SELECT object_name FROM coldroll.part ORDER BY id DESC LIMIT 2")
                == ["202401/SAME~b", "202401/same"]
        )
        for page in 0..<5 { try await fixture.record(2, from: 100 + page * 2) }
        // All new, and a name is taken: the next page is not tried.
        for (id, name) in [("c", "item1"), ("d", "item2")] {
            let taken = [QueueFixture.item(id, name: name)]
            let counts = try await fixture.ledger.record(fixture.scan, taken, unreadable: 0, nextPageToken: id)
            #expect(counts == PageCounts(seen: 1, new: 1, known: 0))
            #expect(try await tries(fixture) == 1)
        }
        #expect(
            try await fixture.texts("SELECT object_name FROM coldroll.part ORDER BY id DESC LIMIT 2")
                == ["202401/item2~d", "202401/item1~c"]
        )
    }

    @Test func `an item that another scan of its source commits meanwhile is known, not lost`() async throws {
        let fixture = try await begun()
        let rival = try await Connection.connect(MigratedDatabase.conninfo)
        try await rival.script(
            """
            BEGIN;
            INSERT INTO coldroll.item (id, source_id, scan_id, source_item, capture_from, is_video)
            VALUES (1000001, \(fixture.source), 1, 'item15', 'api', false);
            INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
            VALUES (1000001, 1000001, \(fixture.source), 'still', '202401', '202401/rival', '202401/rival');
            """,
            name: "test.rival"
        )
        let watcher = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        async let recorded = fixture.record(3, from: 15)
        let waiting = Statement(
            "test.waiting",
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while try await watcher.run(waiting)[0].integer(0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        try await rival.script("COMMIT", name: "test.commit")
        #expect(try await recorded == PageCounts(seen: 3, new: 2, known: 1))
        #expect(try await tries(fixture) == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item WHERE source_item = 'item15'") == 1)
        await watcher.close()
    }

    @Test func `an item without parts refuses its page`() async throws {
        let fixture = try await begun()
        let bare = FoundItem(
            sourceItem: "bare",
            filename: nil,
            mimeType: nil,
            captureTime: nil,
            captureFrom: "none",
            width: nil,
            height: nil,
            isVideo: false,
            parts: []
        )
        let error = await #expect(throws: PostgresError.self) {
            _ = try await fixture.ledger.record(
                fixture.scan,
                [QueueFixture.item("whole"), bare],
                unreadable: 0,
                nextPageToken: nil
            )
        }
        #expect(error?.constraint == "scan_counts_agree")
        #expect(try await tries(fixture) == 0)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 15)
    }
}
