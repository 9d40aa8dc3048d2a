import JobQueue
import Postgres
import TestSupport
import Testing

/// What the ledger keeps of sessions of Google's Picker.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct PickTests {
    private struct Picker {
        let fixture: QueueFixture
        let source: Int64
        var ledger: Ledger { fixture.ledger }

        init() async throws {
            fixture = try await QueueFixture()
            source = try await fixture.ledger.source(kind: "picker", account: "default", clientID: "client")
        }

        func openScan() async throws -> ScanTicket {
            try await ledger.openScan(source: source, since: nil, until: nil)
        }

        /// A scan with a session of this name, and items on its first page.
        func pick(_ name: String, _ items: [String]) async throws -> (scan: ScanTicket, session: PickSession) {
            let scan = try await openScan()
            let session = try await ledger.beginPick(scan, session: name, link: "https://l", expiresAt: nil)
            try await ledger.notePicked(session.id)
            try await record(scan, items, on: nil, of: session)
            return (scan, session)
        }

        @discardableResult
        func record(
            _ scan: ScanTicket,
            _ items: [String],
            on token: String?,
            of session: PickSession,
            page: Int64 = .random(in: 1...Int64.max)
        ) async throws -> PageCounts {
            try await ledger.record(
                scan,
                items.map { QueueFixture.item($0) },
                unreadable: 0,
                nextPageToken: "next",
                page: page,
                picked: PickPlace(session: session.id, pageToken: token)
            )
        }

        func worker() async throws -> Int64 {
            try await fixture.queue.register(host: "h", processID: 1, version: "t", slots: 4, sources: [source])
        }

        /// Ends every job as dead for this reason.
        func bury(_ reason: String) async throws {
            let worker = try await worker()
            let jobs = try await fixture.queue.claim(worker: worker, sources: [source], limit: 100)
            let dead = jobs.map { Completion(job: $0.reference, result: .dead(reason: reason)) }
            #expect(try await fixture.queue.complete(worker: worker, dead).count == jobs.count)
        }

        func places(_ items: String...) async throws -> [String] {
            try await ledger.pickPlaces(source: source, items).map {
                "\($0.sourceItem) \($0.session) \($0.place.pageToken ?? "first")"
            }.sorted()
        }
    }

    @Test func `an item is looked for on the page that it was picked on last`() async throws {
        let picker = try await Picker()
        let (first, one) = try await picker.pick("S1", ["a", "b"])
        #expect(try await picker.record(first, ["c"], on: "t2", of: one) == PageCounts(seen: 1, new: 1, known: 0))
        #expect(try await picker.places("a", "c", "x") == ["a S1 first", "c S1 t2"])
        _ = try await picker.ledger.finish(first, outcome: "complete", reason: nil)
        let (second, two) = try await picker.pick("S2", ["b"])
        #expect(try await picker.places("a", "b") == ["a S1 first", "b S2 first"])
        _ = try await picker.ledger.finish(second, outcome: "complete", reason: nil)
        try await picker.ledger.endPick(two.id, .done)
        #expect(try await picker.places("a", "b") == ["a S1 first"])
        // The session has it no more; what is known of another item stays.
        try await picker.ledger.forgetPick(source: picker.source, "a", session: one.id)
        #expect(try await picker.places("a", "c") == ["c S1 t2"])
        let states = "SELECT concat_ws(' ', session, outcome, link) FROM coldroll.pick_session ORDER BY id"
        #expect(try await picker.fixture.texts(states) == ["S1", "S2 done"])
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.pick_page") == 2)
    }

    @Test func `a page whose answer was lost is recorded once, its place too`() async throws {
        let picker = try await Picker()
        let (scan, session) = try await picker.pick("S", ["a"])
        let first = try await picker.record(scan, ["b", "c"], on: "t", of: session, page: 7)
        #expect(try await picker.record(scan, ["b", "c"], on: "t", of: session, page: 7) == first)
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.pick_page") == 2)
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.pick") == 3)
    }

    @Test func `names that clash on a page leave no second place behind`() async throws {
        let picker = try await Picker()
        let (scan, session) = try await picker.pick("S", [])
        let items = [QueueFixture.item("a", name: "x"), QueueFixture.item("b", name: "x")]
        let place = PickPlace(session: session.id, pageToken: "t")
        let counts = try await picker.ledger.record(scan, items, unreadable: 0, nextPageToken: nil, picked: place)
        #expect(counts == PageCounts(seen: 2, new: 2, known: 0))
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.pick_page WHERE page_token = 't'") == 1)
    }

    @Test func `a session belongs to the scan that holds the lease, and a repeat finds it`() async throws {
        let picker = try await Picker()
        let scan = try await picker.openScan()
        #expect(try await picker.ledger.openPick(scan) == nil)
        let session = try await picker.ledger.beginPick(
            scan,
            session: "S",
            link: "https://l",
            expiresAt: "2100-01-01T00:00:00Z"
        )
        #expect(session.link == "https://l" && !session.isPicked && session.secondsLeft ?? 0 > 0)
        let again = try await picker.ledger.beginPick(
            scan,
            session: "S",
            link: "https://l",
            expiresAt: "2100-01-01T00:00:00Z"
        )
        #expect(again.id == session.id)
        try await picker.ledger.letGo(scan)
        let next = try await picker.openScan()
        #expect(next.id == scan.id)
        #expect(try await picker.ledger.openPick(next)?.id == session.id)
        await #expect(throws: LedgerError.self) {
            try await picker.ledger.beginPick(scan, session: "S2", link: "https://l", expiresAt: nil)
        }
        try await picker.ledger.notePicked(session.id)
        let picked = try #require(try await picker.ledger.openPick(next))
        #expect(picked.isPicked && picked.link == nil)
    }

    @Test func `what was picked is never taken for a listing of everything`() async throws {
        let picker = try await Picker()
        let (first, _) = try await picker.pick("S1", (0..<200).map { "a\($0)" })
        #expect(!first.isFull)
        let ended = try await picker.ledger.finish(first, outcome: "complete", reason: nil)
        #expect(ended.items == 200)
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.sighting") == 0)
        let (second, _) = try await picker.pick("S2", ["b"])
        _ = try await picker.ledger.finish(second, outcome: "complete", reason: nil)
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.absence") == 0)
        let standing = try #require(try await picker.ledger.standings(sources: [picker.source]).first)
        #expect(standing.newest?.state == "complete" && standing.newest?.missing == nil)
        #expect(standing.secondsSinceFull == nil && standing.unsettled == nil)
        // The library beside it is compared as ever.
        _ = try await picker.fixture.record(3)
        #expect(try await picker.fixture.number("SELECT count(*) FROM coldroll.sighting") == 1)
    }

    @Test func `a pick that failed is settled by the next one, and so are entries without an id`() async throws {
        let picker = try await Picker()
        func standing() async throws -> ScanStanding {
            try #require(try await picker.ledger.standings(sources: [picker.source]).first)
        }
        let first = try await picker.openScan()
        _ = try await picker.ledger.record(first, [], unreadable: 2, nextPageToken: nil)
        _ = try await picker.ledger.finish(first, outcome: "failed", reason: "expired")
        #expect(try await standing().unsettled?.state == "failed")
        #expect(try await standing().unreadable == 2)
        let (second, _) = try await picker.pick("S", ["a"])
        _ = try await picker.ledger.finish(second, outcome: "complete", reason: nil)
        #expect(try await standing().unsettled == nil)
        #expect(try await standing().unreadable == 0)
    }

    @Test func `what is missing from a pick is told by the next one: why it failed, or what had no id`() async throws {
        let picker = try await Picker()
        func told(by scan: ScanTicket) async throws -> String? { try await picker.ledger.failureBefore(scan) }
        let first = try await picker.openScan()
        #expect(try await told(by: first) == nil)
        _ = try await picker.ledger.record(first, [QueueFixture.item("a")], unreadable: 2, nextPageToken: nil)
        _ = try await picker.ledger.finish(first, outcome: "complete", reason: nil)
        let second = try await picker.openScan()
        let sentence = try await told(by: second)
        #expect(
            sentence?.contains("had no id: 2. Nothing of them is archived; pick them again") == true,
            "\(sentence ?? "")"
        )
        _ = try await picker.ledger.finish(second, outcome: "suspicious", reason: "nothing was listed")
        let third = try await picker.openScan()
        #expect(try await told(by: third) == "nothing was listed")
        _ = try await picker.ledger.record(third, [QueueFixture.item("b")], unreadable: 0, nextPageToken: nil)
        _ = try await picker.ledger.finish(third, outcome: "complete", reason: nil)
        #expect(try await told(by: try await picker.openScan()) == nil)
    }

    @Test func `a session is finished once it is listed and no part of it has a job`() async throws {
        let picker = try await Picker()
        let (scan, session) = try await picker.pick("S", ["a", "b"])
        func finished() async throws -> [Int64] {
            try await picker.ledger.finishedPicks(source: picker.source).map(\.id)
        }
        let worker = try await picker.worker()
        let jobs = try await picker.fixture.queue.claim(worker: worker, sources: [picker.source], limit: 10)
        try #require(jobs.count == 2)
        _ = try await picker.fixture.queue.complete(worker: worker, [QueueFixture.stored(jobs[0])])
        _ = try await picker.ledger.finish(scan, outcome: "complete", reason: nil)
        #expect(try await finished() == [])
        _ = try await picker.fixture.queue.complete(worker: worker, [QueueFixture.stored(jobs[1])])
        #expect(try await finished() == [session.id])
        // One that goes on at Google's waits for the scan that lists the rest.
        try await picker.ledger.noteUnlisted(session.id)
        #expect(try await finished() == [])
        let standing = try await picker.ledger.standings(sources: [picker.source]).first
        #expect(standing?.unsettled?.state == "broken off")
        let next = try await picker.openScan()
        #expect(try await picker.ledger.openPick(next)?.id == session.id)
        #expect(try await finished() == [])
        _ = try await picker.ledger.finish(next, outcome: "complete", reason: nil)
        #expect(try await finished() == [session.id])
        try await picker.ledger.endPick(session.id, .done)
        #expect(try await finished() == [])
        #expect(try await picker.ledger.standings(sources: [picker.source]).first?.unsettled == nil)
    }

    @Test func `a session with a dead part is kept for whoever decides, until its time is over`() async throws {
        let picker = try await Picker()
        let (scan, session) = try await picker.pick("S", ["a"])
        _ = try await picker.ledger.finish(scan, outcome: "complete", reason: nil)
        try await picker.bury("reduced: smaller than Google says")
        #expect(try await picker.ledger.finishedPicks(source: picker.source).isEmpty)
        try await picker.fixture.sql("SELECT coldroll.accept(min(id)) FROM coldroll.part")
        #expect(try await picker.places("a") == ["a S first"])
        try await picker.bury("reduced: smaller than Google says")
        #expect(try await picker.ledger.expiredPicks(source: picker.source) == [])
        try await picker.fixture.sql("UPDATE coldroll.pick_session SET expires_at = now() - interval '2 hours'")
        #expect(try await picker.ledger.expiredPicks(source: picker.source).map(\.id) == [session.id])
        try await picker.ledger.endPick(session.id, .expired)
        #expect(try await picker.places("a") == [])
        let state = "SELECT concat_ws(' ', outcome) FROM coldroll.pick_session WHERE id = \(session.id)"
        #expect(try await picker.fixture.texts(state) == ["expired"])
    }

    @Test(arguments: [PickOutcome.expired, .done])
    func `an open scan knows that what it lists was ended by another process`(_ outcome: PickOutcome) async throws {
        let picker = try await Picker()
        let (scan, session) = try await picker.pick("S", ["a"])
        #expect(try await !picker.ledger.hasLostPick(scan))
        try await picker.ledger.endPick(session.id, outcome)
        #expect(try await picker.ledger.hasLostPick(scan))
    }

    @Test func `an open scan keeps its session although nothing waits`() async throws {
        let picker = try await Picker()
        _ = try await picker.pick("S", [])
        #expect(try await picker.ledger.finishedPicks(source: picker.source).isEmpty)
    }

    @Test func `what was given up with its session is tried again when it is picked again, nothing else`() async throws
    {
        let picker = try await Picker()
        let (first, one) = try await picker.pick("S1", ["a", "b"])
        _ = try await picker.ledger.finish(first, outcome: "complete", reason: nil)
        try await picker.bury("\(Ledger.pickAgain): the session is over")
        try await picker.ledger.endPick(one.id, .expired)
        #expect(try await picker.ledger.revivePicked(source: picker.source) == 0)
        let (second, _) = try await picker.pick("S2", ["a", "c"])
        #expect(try await picker.ledger.revivePicked(source: picker.source) == 1)
        #expect(try await picker.ledger.revivePicked(source: picker.source) == 0)
        _ = try await picker.ledger.finish(second, outcome: "complete", reason: nil)
        let jobs = """
            SELECT i.source_item FROM coldroll.job AS j JOIN coldroll.part AS p ON p.id = j.part_id
            JOIN coldroll.item AS i ON i.id = p.item_id ORDER BY 1
            """
        #expect(try await picker.fixture.texts(jobs) == ["a", "c"])
        try await picker.bury("no-clip: another reason")
        #expect(try await picker.ledger.revivePicked(source: picker.source) == 0)
        #expect(try await picker.fixture.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0)
    }

    @Test func `ids that no page of a session has brought are told from those that one has, or that are stored`()
        async throws
    {
        let picker = try await Picker()
        let (first, one) = try await picker.pick("S1", ["a", "b"])
        func unlisted(_ items: [String], _ session: PickSession) async throws -> [String] {
            try await picker.ledger.unlistedItems(source: picker.source, items, session: session.id).sorted()
        }
        #expect(try await unlisted(["a", "x", "b", "y"], one) == ["x", "y"])
        _ = try await picker.ledger.finish(first, outcome: "complete", reason: nil)
        // What waits, or was given up, is known; but nothing leads to it before this session has brought it.
        let (second, two) = try await picker.pick("S2", ["b", "c"])
        #expect(try await unlisted(["a", "b", "c"], two) == ["a"])
        #expect(try await unlisted(["a", "b", "c"], one) == [])
        try await picker.bury("\(Ledger.pickAgain): the session is over")
        #expect(try await unlisted(["a", "b", "c"], two) == ["a"])
        try await picker.fixture.sql("SELECT coldroll.skip(id, 'not wanted') FROM coldroll.part")
        #expect(try await unlisted(["a", "b", "c"], two) == [])
        _ = try await picker.ledger.finish(second, outcome: "complete", reason: nil)
        #expect(try await picker.ledger.isFinishedPick(two.id))
    }

    @Test(
        arguments: [
            "it expires", "another process deletes it", "somebody looks through it when it is over",
            "after another pick",
        ]
    )
    func `a session that is over though its listing was known to go on fails its scan, until something is picked`(
        _ when: String
    ) async throws {
        let picker = try await Picker()
        func unsettled() async throws -> String? {
            try await picker.ledger.standings(sources: [picker.source]).first?.unsettled?.state
        }
        let (scan, session) = try await picker.pick("S", ["a"])
        _ = try await picker.ledger.finish(scan, outcome: "complete", reason: nil)
        if when == "after another pick" {
            let (other, _) = try await picker.pick("S1", ["c"])
            _ = try await picker.ledger.finish(other, outcome: "complete", reason: nil)
        }
        #expect(try await unsettled() == nil)
        if when == "somebody looks through it when it is over" {
            try await picker.ledger.endPick(session.id, .done)
            #expect(try await unsettled() == nil)
            try await picker.ledger.noteUnlisted(session.id)
        } else {
            try await picker.ledger.noteUnlisted(session.id)
            #expect(try await unsettled() == "broken off")
            try await picker.ledger.endPick(session.id, when == "another process deletes it" ? .done : .expired)
        }
        #expect(try await unsettled() == "failed")
        #expect(try await !picker.ledger.isFinishedPick(session.id))
        let (next, _) = try await picker.pick("S2", ["b"])
        let told = try await picker.ledger.failureBefore(next)
        #expect(told?.contains("over before all that was picked was listed") == true)
        _ = try await picker.ledger.finish(next, outcome: "complete", reason: nil)
        #expect(try await unsettled() == nil)
    }

    /// Statements that look a few items up among a hundred thousand.
    @Test(arguments: ["fresh", "of empty tables", "none"])
    func `what was picked is found by index under any statistics`(_ statistics: String) async throws {
        let picker = try await Picker()
        let tables = "coldroll.job, coldroll.part, coldroll.item, coldroll.outcome, coldroll.pick, coldroll.pick_page"
        for table in ["job", "part", "item", "outcome", "pick"] {
            try await picker.fixture.sql("ALTER TABLE coldroll.\(table) SET (autovacuum_enabled = off)")
        }
        if statistics == "of empty tables" { try await picker.fixture.sql("ANALYZE \(tables)") }
        _ = try await picker.pick("S", (0..<100).map { "picked\($0)" })
        try await picker.fixture.fill(100_000)
        try await picker.fixture.sql(
            """
            INSERT INTO coldroll.outcome (part_id, kind, reason, decided_by)
            SELECT 10000000 + n, 'dead', 'cut: x', 'worker' FROM generate_series(1, 50000) AS n
            """
        )
        if statistics == "fresh" { try await picker.fixture.sql("ANALYZE \(tables)") }
        let source = PostgresValue.integer(picker.source)
        let items = PostgresValue.texts((0..<100).map { "picked\($0)" })
        let calls = [
            Plan.Call(name: "pick.places", values: [source, items]),
            Plan.Call(name: "pick.unknown", values: [source, items, .integer(1)]),
            Plan.Call(name: "pick.is_finished", values: [.integer(1)]),
            Plan.Call(name: "pick.finished", values: [source]),
            Plan.Call(name: "pick.over", values: [source]),
            Plan.Call(name: "pick.revive", values: [source, .text(Ledger.pickAgain)]),
        ]
        for call in calls {
            let plan = try await Plan(picker.fixture, call)
            for table in ["item", "part", "job", "outcome"] {
                #expect(
                    plan.access(table).allSatisfy { !$0.hasPrefix("Seq Scan") },
                    "\(call.name): \(plan.access(table))"
                )
            }
        }
    }
}
