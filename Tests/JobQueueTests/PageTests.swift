import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct PageTests {
    @Test func `a page records items, parts and jobs, and the token to go on with`() async throws {
        let fixture = try await QueueFixture()
        let items = [QueueFixture.item("a"), QueueFixture.item("b", isVideo: true)]
        let counts = try await fixture.ledger.record(fixture.scan, items, unreadable: 3, nextPageToken: "token2")
        #expect(counts == PageCounts(seen: 2, new: 2, known: 0))
        #expect(
            try await fixture.texts(
                """
                SELECT concat_ws(' ', i.source_item, i.filename, i.mime_type, i.capture_from, i.width, i.height, p.kind,
                                 p.folder_month, p.object_name, l.kind, j.state)
                FROM coldroll.item AS i JOIN coldroll.part AS p ON p.item_id = i.id
                JOIN coldroll.job AS j ON j.part_id = p.id JOIN coldroll.lane AS l ON l.id = j.lane_id ORDER BY p.id
                """
            ) == [
                "a a image/jpeg api 4000 3000 still 202401 202401/a photo ready",
                "b b video/mp4 api 4000 3000 video 202401 202401/b video ready",
            ]
        )
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', page_token, pages, seen, new, known, unreadable) FROM coldroll.scan"
            )
                == ["token2 1 2 2 0 3"]
        )
    }

    @Test func `recording the same page again writes no item, part or job`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(50)
        let sum = "SELECT string_agg(xmin::text || ctid::text, ' ' ORDER BY id) FROM coldroll."
        let before = try await fixture.texts(sum + "item") + fixture.texts(sum + "part")
        #expect(try await fixture.record(50) == PageCounts(seen: 50, new: 0, known: 50))
        #expect(try await fixture.texts(sum + "item") + fixture.texts(sum + "part") == before)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job") == 50)
    }

    @Test func `a repeated id in a page counts once as new, then as known`() async throws {
        let fixture = try await QueueFixture()
        let items = ["a", "b", "a", "a", "c"].map { QueueFixture.item($0) }
        let counts = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        #expect(counts == PageCounts(seen: 5, new: 3, known: 2))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.part") == 3)
    }

    @Test func `ids that Swift takes for the same text are two items`() async throws {
        let fixture = try await QueueFixture()
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        try #require(composed == decomposed)
        let items = [QueueFixture.item(composed, name: "a"), QueueFixture.item(decomposed, name: "b")]
        let counts = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        #expect(counts == PageCounts(seen: 2, new: 2, known: 0))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.part") == 2)
    }

    @Test func `a page that needs other names is recorded once, and one that needs none sends none`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let items = [QueueFixture.item("x", name: "item0"), QueueFixture.item("y")]
        let counts = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: "after")
        #expect(counts == PageCounts(seen: 2, new: 2, known: 0))
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', pages, seen, new, parts, jobs, page_token) FROM coldroll.scan"
            )
                == ["2 4 4 4 4 after"]
        )
        #expect(
            try await fixture.texts("SELECT name_key FROM coldroll.part ORDER BY id DESC LIMIT 2")
                == ["202401/y", "202401/item0~x"]
        )
        #expect(try await fixture.number("SELECT sum(cardinality(items)) FROM coldroll.sighting") == 4)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 4)
    }

    @Test func `an empty page moves the token`() async throws {
        let fixture = try await QueueFixture()
        let counts = try await fixture.ledger.record(fixture.scan, [], unreadable: 0, nextPageToken: "t")
        #expect(counts == PageCounts(seen: 0, new: 0, known: 0))
        #expect(try await fixture.texts("SELECT page_token FROM coldroll.scan") == ["t"])
    }

    @Test func `a page without items is remembered by whoever goes on with the scan, one that is all there is is not`()
        async throws
    {
        let fixture = try await QueueFixture()
        func isRemembered() async throws -> Bool {
            try await fixture.ledger.comparison(fixture.scan).hadMoreEmptyPages
        }
        _ = try await fixture.ledger.record(fixture.scan, [], unreadable: 0, nextPageToken: nil)
        #expect(try await !isRemembered())
        _ = try await fixture.ledger.record(fixture.scan, [], unreadable: 0, nextPageToken: "t")
        try await fixture.ledger.letGo(fixture.scan)
        let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        #expect(next.id == fixture.scan.id)
        #expect(try await isRemembered())
    }

    @Test
    func
        `a page without items is remembered with what it was asked for with until it has some, and counted at the end`()
        async throws
    {
        let fixture = try await QueueFixture()
        let ledger = fixture.ledger
        for token in ["t1", "t2", "t3"] {
            let items = token == "t2" ? [QueueFixture.item("a")] : []
            _ = try await ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: token)
        }
        // One with entries that have no id is told of by these.
        _ = try await ledger.record(fixture.scan, [], unreadable: 1, nextPageToken: "t4")
        let pages = try await ledger.emptyPages(fixture.scan)
        #expect(pages.map(\.token) == [nil, "t2"] && pages.allSatisfy { !$0.isBelieved })
        try await ledger.believe(pages[0], of: fixture.scan)
        #expect(try await ledger.emptyPages(fixture.scan).map(\.isBelieved) == [true, false])
        try await ledger.filled(pages[1], of: fixture.scan)
        #expect(try await ledger.emptyPages(fixture.scan).map(\.id) == [pages[0].id])
        try await ledger.filled(pages[1], of: fixture.scan)
        // The last one, too, looks as if it had lost something.
        _ = try await ledger.record(fixture.scan, [], unreadable: 0, nextPageToken: nil)
        #expect(try await ledger.emptyPages(fixture.scan).map(\.token) == [nil, "t4"])
        for _ in 0..<2 { _ = try await ledger.finish(fixture.scan, outcome: "complete", reason: nil, end: "t4") }
        #expect(try await fixture.texts("SELECT concat_ws(' ', empty_pages, empty_end) FROM coldroll.scan") == ["2 t"])
        #expect(try await ledger.standings(sources: []).first?.newest?.emptyPages == 2)
        #expect(try await ledger.emptyPages(fixture.scan).isEmpty)
        // Whoever lost the scan forgets nothing of it.
        await #expect(throws: LedgerError.self) { try await ledger.filled(pages[0], of: fixture.scan) }
    }

    @Test func `an empty last page, which is how a listing may end, is no empty page more`() async throws {
        let fixture = try await QueueFixture()
        let (ledger, scan) = (fixture.ledger, fixture.scan)
        _ = try await ledger.record(scan, [QueueFixture.item("a")], unreadable: 0, nextPageToken: "t")
        _ = try await ledger.record(scan, [], unreadable: 0, nextPageToken: nil)
        #expect(try await !ledger.comparison(scan, end: "t").hadMoreEmptyPages)
        #expect(try await ledger.comparison(scan, end: "u").hadMoreEmptyPages)
    }

    @Test func `an empty page that is looked at again is remembered once, and none is forgotten where pages were lost`()
        async throws
    {
        let fixture = try await QueueFixture()
        let ledger = fixture.ledger
        _ = try await ledger.record(fixture.scan, [QueueFixture.item("a")], unreadable: 0, nextPageToken: "t")
        for token in ["u", nil, "u", nil] as [String?] { try await ledger.noteEmptyPage(token, of: fixture.scan) }
        let pages = try await ledger.emptyPages(fixture.scan)
        #expect(pages.map(\.token) == ["u", nil])
        // As a failover to a standby that was behind leaves it.
        try await fixture.sql("UPDATE coldroll.scan SET pages = 0")
        for attempt in [
            { try await ledger.filled(pages[0], of: fixture.scan) },
            { try await ledger.noteEmptyPage("w", of: fixture.scan) },
            { try await ledger.believe(pages[0], of: fixture.scan) },
        ] {
            let error = await #expect(throws: LedgerError.self) { try await attempt() }
            #expect(error?.code == .scanRewound)
        }
        #expect(try await ledger.emptyPages(fixture.scan) == pages)
    }

    @Test func `what is reported differently updates the item and nothing else`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let changed = FoundItem(
            sourceItem: "item0",
            filename: "renamed.jpg",
            mimeType: nil,
            captureTime: "1998-05-06T07:08:09Z",
            captureFrom: "owner",
            width: nil,
            height: 9,
            isVideo: false,
            parts: QueueFixture.item("x", month: "199805").parts
        )
        let counts = try await fixture.ledger.record(fixture.scan, [changed], unreadable: 0, nextPageToken: nil)
        #expect(counts == PageCounts(seen: 1, new: 0, known: 1))
        #expect(
            try await fixture.texts(
                """
                SELECT concat_ws(' ', filename, mime_type, capture_time AT TIME ZONE 'UTC', capture_from, width, height)
                FROM coldroll.item
                """
            ) == ["renamed.jpg image/jpeg 1998-05-06 07:08:09 owner 4000 9"]
        )
        #expect(try await fixture.texts("SELECT object_name FROM coldroll.part") == ["202401/item0"])
    }

    @Test func `an item without parts refuses its page`() async throws {
        let fixture = try await QueueFixture()
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
            try await fixture.ledger.record(
                fixture.scan,
                [QueueFixture.item("a"), bare],
                unreadable: 0,
                nextPageToken: "t"
            )
        }
        #expect(error?.constraint == "scan_counts_agree")
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 0)
    }

    @Test func `a part without a free name refuses its page`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let clash = FoundItem(
            sourceItem: "clash",
            filename: nil,
            mimeType: nil,
            captureTime: nil,
            captureFrom: "none",
            width: nil,
            height: nil,
            isVideo: false,
            parts: [
                NewPart(
                    kind: .still,
                    folderMonth: "202401",
                    names: [NameCandidate(name: "202401/item0", key: "202401/item0")]
                )
            ]
        )
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.ledger.record(fixture.scan, [clash], unreadable: 0, nextPageToken: "t")
        }
        #expect(error?.constraint == "scan_counts_agree" || error?.constraint == "scan_parts_have_jobs")
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 1)
    }

    @Test func `who lost the scan's lease writes nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.letGo(fixture.scan)
        let next = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        let error = await #expect(throws: LedgerError.self) { try await fixture.record(1) }
        #expect(error?.code == .scanLost)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 0)
        let counts = try await fixture.ledger.record(
            next,
            [QueueFixture.item("a")],
            unreadable: 0,
            nextPageToken: nil
        )
        #expect(counts.new == 1)
    }

    @Test func `an item of several parts gets a job for each`() async throws {
        let fixture = try await QueueFixture()
        let item = FoundItem(
            sourceItem: "m",
            filename: nil,
            mimeType: nil,
            captureTime: nil,
            captureFrom: "none",
            width: nil,
            height: nil,
            isVideo: false,
            parts: [QueueFixture.item("m").parts[0], CompletionTests.clip("m.mov")]
        )
        let counts = try await fixture.ledger.record(fixture.scan, [item], unreadable: 0, nextPageToken: nil)
        #expect(counts == PageCounts(seen: 1, new: 1, known: 0))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job") == 2)
    }

    @Test func `text with quotes, backslashes, braces, newlines and NUL comes back as it was, NUL replaced`()
        async throws
    {
        let fixture = try await QueueFixture()
        let name = "a\"b\\c{d},NULL\n\u{202E}👩‍👩‍👧 e\u{301}"
        let items = [
            QueueFixture.item("x", name: name), QueueFixture.item("y", name: "n\0l"), QueueFixture.item("NULL"),
        ]
        _ = try await fixture.ledger.record(fixture.scan, items, unreadable: 0, nextPageToken: nil)
        #expect(
            try await fixture.texts("SELECT filename FROM coldroll.item ORDER BY id") == [name, "n\u{FFFD}l", "NULL"]
        )
    }
}
