import CloudStorage
import GooglePhotos
import GoogleSimulator
import JobQueue
import Synchronization
import TestSupport
import Testing

@testable import Archiver

/// Listings that are false or partial: what they leave out is found, or somebody is told.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct FalseListingTests {
    private func outcome(_ bench: Bench) async throws -> String {
        try await bench.fixture.texts("SELECT outcome FROM coldroll.scan ORDER BY id DESC LIMIT 1")[0]
    }

    @Test(arguments: [FaultRule.Action.falseEnd, .loseToken, .errorObject, .empty, .html], [1, 2, 3])
    func `one false answer on any page costs no item`(_ action: FaultRule.Action, _ page: Int) async throws {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(action, nth: page)])
        let summary = try await bench.scan().run()
        #expect(bench.simulator.faults.map(\.struck) == [1])
        // A page that lost its token is recorded before it is asked for again, and once more then.
        #expect(summary.new == 260 && summary.items == 260 && summary.doubt == nil)
        #expect(summary.pages == (action == .loseToken && page < 3 ? 4 : 3))
        #expect(try await outcome(bench) == "complete")
        // Three pages, the end again, and the answer that was no page once more.
        #expect(bench.simulator.counters.requests("list") <= 5)
    }

    @Test func `a scan of a part asks for its end again too`() async throws {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(.falseEnd, nth: 1), .listing(.loseToken, nth: 3)])
        let scan = Scan(
            context: bench.context,
            source: bench.fixture.source,
            since: "1990-01-01",
            until: nil,
            stop: StopSignal(),
            progress: { _ in }
        )
        #expect(try await scan.run().new == 260)
        #expect(bench.simulator.faults.map(\.struck) == [1, 1])
        #expect(bench.simulator.counters.requests("search") > 0)
    }

    @Test func `one request more a scan is what that costs`() async throws {
        let bench = try await Bench.library()
        #expect(try await bench.scan().run().new == 260)
        #expect(bench.simulator.counters.requests("list") == 4)
    }

    @Test func `a listing that ends too early three times over is suspicious, keeps what it found, and heals`()
        async throws
    {
        let bench = try await Bench.library()
        #expect(try await bench.scan().run().doubt == nil)
        bench.simulator.setFaults([.listing(.falseEnd, nth: 2, 3, 4)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [3])
        #expect(summary.items == 100 && summary.missing == 160)
        #expect(summary.doubt?.contains("160 of the 260") == true)
        #expect(try await outcome(bench) == "suspicious")
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.missing WHERE NOT believed") == 160)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.job") == 260)

        bench.simulator.setFaults([])
        let healed = try await bench.scan().run()
        #expect(healed.doubt == nil && healed.missing == 0 && healed.returned == 0)
        #expect(try await outcome(bench) == "complete")
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.absence") == 0)
    }

    @Test func `a lost tail is doubted where its share is small`() async throws {
        let bench = try await Bench.library(count: 1300)
        #expect(try await bench.scan().run().new == 1300)
        bench.simulator.setFaults([.listing(.falseEnd, nth: 13, 14, 15)])
        #expect(try await bench.quickScan().run().doubt?.contains("100 of these no younger than the oldest") == true)
        #expect(bench.simulator.faults.map(\.struck) == [3])
    }

    @Test func `a page that is empty whenever it is asked for is doubted where known items are missing`() async throws {
        let bench = try await Bench.library(count: 1300)
        #expect(try await bench.scan().run().new == 1300)
        // Twice at once, and when the other pages are listed, the last of which is full and so asked for three times.
        bench.simulator.setFaults([.listing(.noItems, nth: 5, 6, 17)])
        #expect(try await bench.quickScan().run().doubt?.contains("pages of it came without any item, more") == true)
        #expect(bench.simulator.faults.map(\.struck) == [3])
        bench.simulator.setFaults([])
        #expect(try await bench.quickScan().run().doubt == nil)
    }

    @Test(arguments: [0, 1300]) func `a page that is empty twice, and has items later, costs none of them`(_ known: Int)
        async throws
    {
        let bench = try await Bench.library(count: 1300)
        if known > 0 { #expect(try await bench.scan().run().new == 1300) }
        // The first page and two that follow each other.
        bench.simulator.setFaults([.listing(.noItems, nth: 1, 2, 6, 7, 8, 9)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [6])
        #expect(summary.items == 1300 && summary.new == 1300 - known)
        #expect(summary.missing == 0 && summary.doubt == nil && summary.emptyPages == 0)
        #expect(try await bench.fixture.number("SELECT max(empty_pages) FROM coldroll.scan") == 0)
    }

    @Test func `a page that stays empty is told, and asked for once more after the work`() async throws {
        let bench = try await Bench.library()
        // The second of three: twice, and behind the third and the end.
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3, 6)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [3])
        #expect(summary.new == 160 && summary.doubt == nil && summary.emptyPages == 1)
        #expect(try await bench.fixture.number("SELECT empty_pages FROM coldroll.scan ORDER BY id DESC LIMIT 1") == 1)
        let scan = bench.scan()
        let again = try #require(bench.context.items.again(scan))
        let filled =
            "A page of Google's listing had come without any item of its own each time, and had some when it was asked for again after the work"
        #expect(try await scan.sequel(of: again, to: summary.end) == .more(filled))
        bench.simulator.setFaults([.listing(.noItems, nth: 1)])
        #expect(try await scan.sequel(of: again, to: summary.end) == .none)
        // What had been on the last page is not there: an answer that seems empty says nothing.
        bench.simulator.setFaults([FaultRule(on: "list", .noItems)])
        #expect(try await scan.sequel(of: again, to: summary.end) == .unknown)
    }

    @Test func `an empty page is asked for again by whoever goes on with the scan`() async throws {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3)])
        let stop = StopSignal()
        let first = Scan(context: bench.context, source: bench.fixture.source, since: nil, until: nil, stop: stop) {
            if $0.pages == 2 { stop.request() }
        }
        await #expect(throws: ArchiverError.self) { try await first.run() }
        #expect(bench.simulator.faults.map(\.struck) == [2])
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item") == 100)
        let summary = try await bench.quickScan().run()
        #expect(summary.items == 260 && summary.new == 260 && summary.emptyPages == 0)
    }

    @Test func `an empty page is asked for again in the middle of the listing once it is old enough`() async throws {
        let bench = try await Bench.library(count: 550)
        // Twice; the third and the fourth page come next, and then it is asked for again, before the fifth.
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3)])
        let stop = StopSignal()
        var first = Scan(context: bench.context, source: bench.fixture.source, since: nil, until: nil, stop: stop) {
            if $0.pages == 5 { stop.request() }
        }
        first.emptyPageAge = .zero
        await #expect(throws: ArchiverError.self) { try await first.run() }
        #expect(bench.simulator.faults.map(\.struck) == [2])
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item") == 500)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.empty_page") == 0)
        let summary = try await bench.quickScan().run()
        #expect(summary.items == 550 && summary.emptyPages == 0)
    }

    @Test func `where Google has forgotten an empty page before anybody asked again, all is listed again, once`()
        async throws
    {
        let bench = try await Bench.library()
        // The second page twice, and both times in the second listing, whose tokens die too.
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3, 8, 9)])
        let simulator = bench.simulator
        var scan = bench.scan()
        scan.silence = .seconds(3)
        // While the silence lasts behind the last page, which is the third, and its end.
        let forgetting = Task {
            for requests in [5, 11] {
                while simulator.counters.requests("list") < requests { try await Task.sleep(for: .milliseconds(5)) }
                simulator.expirePageTokens()
            }
        }
        defer { forgetting.cancel() }
        let summary = try await scan.run()
        #expect(bench.simulator.faults.map(\.struck) == [4])
        #expect(summary.items == 160 && summary.emptyPages == 1 && summary.forgottenPages == 1)
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3)])
        let healed = try await scan.run()
        #expect(bench.simulator.faults.map(\.struck) == [2])
        #expect(healed.items == 260 && healed.emptyPages == 0 && healed.forgottenPages == 0)
    }

    @Test func `an empty page at the front that is looked at again is asked for later too`() async throws {
        let bench = try await Bench.library()
        // Three pages and the end; then the front, twice empty, so that its second page is looked at.
        bench.simulator.setFaults([.listing(.noItems, nth: 5, 6)])
        let added = Mutex(false)
        let (context, source, simulator) = (bench.context, bench.fixture.source, bench.simulator)
        var watched = Scan(context: context, source: source, since: nil, until: nil, stop: StopSignal()) {
            guard $0.pages == 3, !added.withLock({ ($0, $0 = true).0 }) else { return }
            _ = try? simulator.addPhoto(named: "new.jpg")
        }
        (watched.short, watched.silence) = (.zero, .milliseconds(10))
        let summary = try await watched.run()
        #expect(bench.simulator.faults.map(\.struck) == [2])
        #expect(summary.items == 261 && summary.emptyPages == 0)
    }

    /// One page, whatever is asked for.
    private struct OnePage: Listing {
        let page: MediaPage
        var growsAtFront: Bool { true }
        var isShownOnce: Bool { false }
        func place(_ token: String?) -> PickPlace? { nil }
        func page(_ token: String?) -> MediaPage { page }
    }

    @Test func `an entry without an id of a page that was empty before is not taken for one that looks the same`()
        async throws
    {
        let bench = try await Bench.library(count: 1)
        let (ledger, fixture) = (bench.context.ledger, bench.fixture)
        let ticket = try await ledger.openScan(source: fixture.source, since: nil, until: nil)
        let bare = UnreadEntry(MediaPage.Unreadable())
        _ = try await ledger.record(ticket, [QueueFixture.item("a")], unreadable: [bare], nextPageToken: "t")
        _ = try await ledger.record(ticket, [], unreadable: [], nextPageToken: "u")
        let empty = try #require(try await ledger.emptyPages(ticket).first)
        let page = OnePage(page: MediaPage(items: [], unreadable: [MediaPage.Unreadable()], nextPageToken: nil))
        // It has no token any more, and nothing known is on it: it was cut off.
        let scan = bench.quickScan()
        await #expect(throws: Scan.CutOff.self) { try await scan.askAgain(empty, ticket, of: page, keeping: "u") }
        #expect(try await ledger.counts(ticket).unreadable == 2)
        // Whoever goes on begins anew.
        #expect(
            try await fixture.number("SELECT count(*) FROM coldroll.scan WHERE outcome IS NULL AND page_token IS NULL")
                == 1
        )
        #expect(try await ledger.emptyPages(ticket).count == 1)
    }

    @Test func `deletions are told once, and a great one is doubted until the owner says so`() async throws {
        let bench = try await Bench.library()
        // Known to the ledger, and not in the library.
        func know(_ ids: Range<Int>) async throws {
            let ledger = bench.context.ledger
            let part = try await ledger.openScan(source: bench.fixture.source, since: "2024-01-01", until: nil)
            let items = ids.map { QueueFixture.item("gone\($0)") }
            _ = try await ledger.record(part, items, unreadable: 0, nextPageToken: nil)
            _ = try await ledger.finish(part, outcome: "complete", reason: nil)
        }
        #expect(try await bench.scan().run().new == 260)
        try await know(0..<20)
        var summary = try await bench.scan().run()
        #expect(summary.missing == 20 && summary.doubt == nil)
        summary = try await bench.scan().run()
        #expect(summary.missing == 0 && summary.doubt == nil)

        try await know(20..<150)
        for _ in 0..<2 {
            summary = try await bench.scan().run()
            #expect(summary.missing == 130 && summary.doubt != nil)
        }
        var accepting = bench.scan()
        accepting.acceptsGaps = true
        summary = try await accepting.run()
        #expect(summary.missing == 130 && summary.doubt == nil)
        summary = try await bench.scan().run()
        #expect(summary.missing == 0 && summary.doubt == nil)
        // What was stored or queued of them stays.
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.part") == 410)
    }

    @Test func `a library that shows nothing at all is an error, and says so in the ledger`() async throws {
        let bench = try await Bench.library()
        bench.simulator.setFaults([FaultRule(on: "list", .falseEnd)])
        let error = await #expect(throws: ArchiverError.self) { try await bench.quickScan().run() }
        #expect(error?.code == .nothingFound)
        #expect(error?.message.contains("COLDROLL_SOURCE=picker), or ask Google Takeout.") == true)
        #expect(bench.simulator.faults.map(\.struck) == [3])
        #expect(try await outcome(bench) == "suspicious")
    }

    @Test func `an entry without an id is asked for again, and found if it has one then`() async throws {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(.noID, nth: 1, at: 0.3)])
        let summary = try await bench.scan().run()
        #expect(bench.simulator.faults.map(\.struck) == [1])
        #expect(summary.new == 260 && summary.unreadable == 0)
    }

    @Test func `entries that have no id are counted in the ledger, whoever goes on with the scan`() async throws {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(.noID, nth: 1, 2, 4, 5)])
        let summary = try await bench.scan().run()
        #expect(bench.simulator.faults.map(\.struck) == [4])
        #expect(summary.new == 258 && summary.unreadable == 2)
        await bench.log.wait(for: "entries of a page have no id and cannot be fetched")
        #expect(try await bench.fixture.number("SELECT unreadable FROM coldroll.scan ORDER BY id DESC LIMIT 1") == 2)
        #expect(try await bench.context.ledger.standings(sources: []).map(\.unreadable) == [2])
    }

    @Test(
        arguments: [
            [Quirk.emptyPages], [.repeatAcrossPages], [.missingFields],
            [.emptyPages, .repeatAcrossPages, .missingFields],
        ] as [Set<Quirk>]
    )
    func `the API's odd ways cost no item and raise no doubt`(_ quirks: Set<Quirk>) async throws {
        let bench = try await Bench.library(quirks)
        for new in [260, 0] as [Int64] {
            let summary = try await bench.scan().run()
            #expect(summary.new == new && summary.missing == 0 && summary.unreadable == 0 && summary.doubt == nil)
            #expect(summary.items >= 260)
        }
        let listed = Set(try bench.simulator.library.map(\.id))
        #expect(Set(try await bench.fixture.texts("SELECT source_item FROM coldroll.item")) == listed)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.job") == 260)
        // The simulator's own fields: one item in seven lacks one of five.
        let lacking = try await bench.fixture.number(
            "SELECT count(*) FROM coldroll.item WHERE num_nulls(filename, mime_type, capture_time, width) > 0"
        )
        #expect(quirks.contains(.missingFields) ? lacking > 20 : lacking == 0)
    }

    @Test func `what a listing will cost is said before it begins, as far as the ledger knows`() async throws {
        let bench = try await Bench.library()
        let told = Mutex<[ScanForecast]>([])
        func scan() -> Scan {
            var scan = bench.scan()
            scan.forecast = { forecast in told.withLock { $0.append(forecast) } }
            return scan
        }
        _ = try await scan().run()
        #expect(told.withLock { $0 }.isEmpty, "nothing is known of a library that was never listed")
        _ = try await scan().run()
        #expect(told.withLock { $0 } == [ScanForecast(items: 260, listed: 0)])
        #expect(ScanForecast(items: 260, listed: 0).requests == 4)
        #expect(ScanForecast(items: 1_000_000, listed: 0).requests == 10_001)
        #expect(ScanForecast(items: 1_000_000, listed: 999_950).requests == 2)
    }

    @Test func `a run stores what a doubtful scan found, and is not recorded as complete`() async throws {
        let bench = try await Bench.library(count: 12)
        let ledger = bench.context.ledger
        let part = try await ledger.openScan(source: bench.fixture.source, since: "2024-01-01", until: nil)
        let items = (0..<20).map { QueueFixture.item("gone\($0)") }
        _ = try await ledger.record(part, items, unreadable: 0, nextPageToken: nil)
        _ = try await ledger.finish(part, outcome: "complete", reason: nil)
        try await bench.fixture.sql("DELETE FROM coldroll.job")
        let summary = try await runAll(
            bench.context,
            options: WorkerOptions(),
            since: nil,
            until: nil,
            stop: StopSignal(),
            scanned: { _ in },
            progress: { _ in }
        )
        #expect(summary.scan?.doubt != nil && summary.totals.stored == 12)
        #expect(summary.standing?.unsettled?.state == "suspicious")
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["incomplete"])
        #expect(try await bench.context.state.read("execution/last_execution_date.txt") == nil)
    }

    @Test func `a run with entries without an id is not complete, and its record counts them`() async throws {
        let bench = try await Bench.library(count: 5)
        bench.simulator.setFaults([FaultRule(on: "list", .noID)])
        let summary = try await runAll(
            bench.context,
            options: WorkerOptions(),
            since: nil,
            until: nil,
            stop: StopSignal(),
            scanned: { _ in },
            progress: { _ in }
        )
        #expect(summary.totals.stored == 4 && summary.totals.live == 0 && summary.standing?.unreadable == 1)
        #expect(
            try await bench.fixture.texts("SELECT concat_ws(' ', outcome, unreadable) FROM coldroll.run")
                == ["incomplete 1"]
        )
        #expect(try await bench.context.state.read("execution/last_execution_date.txt") == nil)
    }

    @Test func `an entry without an id is counted once, although a scan that goes on looks at its page again`()
        async throws
    {
        let bench = try await Bench.library()
        bench.simulator.setFaults([FaultRule(on: "list", .noID)])
        let stop = StopSignal()
        let first = Scan(context: bench.context, source: bench.fixture.source, since: nil, until: nil, stop: stop) {
            _ in
            stop.request()
        }
        await #expect(throws: ArchiverError.self) { try await first.run() }
        #expect(try await bench.fixture.number("SELECT unreadable FROM coldroll.scan ORDER BY id DESC LIMIT 1") == 1)
        let summary = try await bench.scan().run()
        // One on each of three pages, and the first page again; each page twice, since one of the answers may have the id.
        #expect(summary.unreadable == 3 && summary.new == 257)
        #expect(bench.simulator.counters.requests("list") == 8)
    }
}
