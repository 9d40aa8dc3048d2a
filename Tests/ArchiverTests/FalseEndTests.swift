import GooglePhotos
import GoogleSimulator
import JobQueue
import Synchronization
import TestSupport
import Testing

@testable import Archiver

/// Ends of a listing that are none, and broken-off scans that had come to one.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct FalseEndTests {
    @Test(arguments: [FaultRule.Action.falseEnd, .loseToken], [0, 460])
    func `an end that looks cut off is asked for a third time, and all behind it is listed, known or not`(
        _ action: FaultRule.Action,
        _ known: Int
    ) async throws {
        let bench = try await Bench.library(count: 460)
        if known > 0 { #expect(try await bench.quickScan().run().new == 460) }
        bench.simulator.setFaults([.listing(action, nth: 2, 3)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [2])
        #expect(summary.items == 460 && summary.new == 460 - known && summary.missing == 0 && summary.emptyPages == 0)
    }

    @Test func `a listing that seems to end with an empty page again and again loses none of them`() async throws {
        let bench = try await Bench.library(count: 560)
        // The second page twice; then the third, and the fourth.
        bench.simulator.setFaults([.listing(.falseEnd, nth: 2, 3, 5, 6, 8, 9)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [6])
        #expect(summary.items == 560 && summary.emptyPages == 0 && summary.doubt == nil && !summary.goesOn)
        // What an empty end had when it was asked for again was taken, and not asked for once more.
        #expect(bench.simulator.counters.requests("list") == 13)
    }

    @Test func `one that does so each time is not believed, and the next scan goes on behind what was found`()
        async throws
    {
        let bench = try await Bench.library(count: 560)
        bench.simulator.setFaults([.listing(.falseEnd, nth: 2, 3, 5, 6, 8, 9, 11, 12)])
        let error = await #expect(throws: PhotosError.self) { try await bench.quickScan().run() }
        #expect(error?.code == .malformed)
        #expect(bench.simulator.faults.map(\.struck) == [8])
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item") == 500)
        let before = bench.simulator.counters.requests("list")
        let summary = try await bench.quickScan().run()
        #expect(summary.items == 560 && summary.new == 560 && summary.goesOn)
        // The last page, its end, and the front.
        #expect(bench.simulator.counters.requests("list") == before + 3)
    }

    @Test(arguments: [0, 460]) func `an empty page behind an end that was none is asked for again like any other`(
        _ known: Int
    ) async throws {
        let bench = try await Bench.library(count: 460)
        if known > 0 { #expect(try await bench.quickScan().run().new == 460) }
        // The second page seems to be the last one, and the third one has nothing, which is noted by what it was asked for with.
        bench.simulator.setFaults([.listing(.falseEnd, nth: 2, 3), .listing(.noItems, nth: 5, 6)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [2, 2])
        #expect(summary.items == 460 && summary.missing == 0 && summary.emptyPages == 0)
    }

    @Test func `an empty page that had lost its token too is gone on behind, and stays an empty page`() async throws {
        // Each second page is empty, and has a token; that of the first of them is lost twice.
        let bench = try await Bench.library([.emptyPages], count: 460)
        bench.simulator.setFaults([.listing(.loseToken, nth: 2, 3)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [2])
        #expect(summary.items == 460 && summary.doubt == nil)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.job") == 460)
        let clean = try await bench.quickScan().run()
        #expect(clean.emptyPages == summary.emptyPages && clean.missing == 0)
    }

    @Test func `a full page on which an entry has no id is as odd an end as any full page`() async throws {
        let bench = try await Bench.library()
        // The first page, asked for twice; its first entry has no id in either answer.
        bench.simulator.setFaults([.listing(.loseToken, nth: 1, 2), .listing(.noID, nth: 1, 2, 3)])
        let summary = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [2, 3])
        #expect(summary.items + summary.unreadable == 260)
    }

    /// A scan that has listed three pages when 250 photos come to the front, at which it looks then.
    private func scanWithUploads(_ bench: Bench, _ stop: StopSignal) -> Scan {
        let (context, source, simulator) = (bench.context, bench.fixture.source, bench.simulator)
        let added = Mutex(false)
        var scan = Scan(context: context, source: source, since: nil, until: nil, stop: stop) {
            guard $0.pages == 3, !added.withLock({ ($0, $0 = true).0 }) else { return }
            for number in 0..<250 { _ = try? simulator.addPhoto(named: "new\(number).jpg") }
        }
        (scan.short, scan.silence) = (.zero, .milliseconds(10))
        return scan
    }

    @Test func `a look at the front that is broken off behind its first page is not over`() async throws {
        let bench = try await Bench.library()
        let stop = StopSignal()
        // As soon as something of the front is recorded.
        let watch = Task { [fixture = bench.fixture] in
            while try await fixture.number("SELECT count(*) FROM coldroll.item") < 300 {
                try await Task.sleep(for: .milliseconds(2))
            }
            stop.request()
        }
        // Three pages and the end, and the front's first page; its second one comes when the scan is told to stop.
        var slow = FaultRule.listing(.latency, nth: 6)
        slow.milliseconds = 3000
        bench.simulator.setFaults([slow])
        await #expect(throws: ArchiverError.self) { try await scanWithUploads(bench, stop).run() }
        try await watch.value
        let items = try await bench.fixture.number("SELECT count(*) FROM coldroll.item")
        #expect(items > 260 && items < 510, "it was to be broken off in the look")
        bench.simulator.setFaults([])
        #expect(try await bench.quickScan().run().items == 510)
    }

    /// What Google answers to a page token that it does not know, as the simulator does.
    private static let badToken =
        #"{"error":{"code":400,"message":"Invalid page token.","status":"INVALID_ARGUMENT"}}"#

    @Test func `where Google forgets in the look at the front where it was, all is listed again`() async throws {
        let bench = try await Bench.library()
        // Three pages and the end, and the front's first page; then its second.
        var forgotten = FaultRule.listing(.status, nth: 6)
        (forgotten.status, forgotten.body) = (400, Self.badToken)
        bench.simulator.setFaults([forgotten])
        let summary = try await scanWithUploads(bench, StopSignal()).run()
        #expect(bench.simulator.faults.map(\.struck) == [1])
        let told = "the look at what was uploaded meanwhile came to no end: listing again from the first page"
        #expect(bench.log.has(told))
        #expect(summary.items == 510 && summary.new == 510 && summary.doubt == nil)
    }

    @Test(arguments: [FaultRule.Action.falseEnd, .loseToken])
    func `a front that ends before anything known has lost its items or its token`(_ action: FaultRule.Action)
        async throws
    {
        let bench = try await Bench.library()
        // Three pages and the end; then the front, each time that it is asked for.
        bench.simulator.setFaults([.listing(action, nth: 5, 6, 7)])
        let summary = try await scanWithUploads(bench, StopSignal()).run()
        #expect(bench.simulator.faults.map(\.struck) == [3])
        #expect(summary.items == 510 && summary.new == 510 && summary.doubt == nil)
    }

    @Test func `a listing of one page that had lost its token is listed again where the front shows more`() async throws
    {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(.loseToken, nth: 1, 2, 3)])
        var scan = bench.quickScan()
        scan.short = .zero
        #expect(try await scan.run().items == 260)
        #expect(bench.simulator.faults.map(\.struck) == [3])
    }

    @Test(arguments: [FaultRule.Action.falseEnd, .noItems])
    func `a library that has become empty since a scan was broken off is doubted, and no scan goes on for ever`(
        _ action: FaultRule.Action
    ) async throws {
        let bench = try await Bench.library()
        let stop = StopSignal()
        let first = Scan(context: bench.context, source: bench.fixture.source, since: nil, until: nil, stop: stop) {
            _ in
            stop.request()
        }
        await #expect(throws: ArchiverError.self) { try await first.run() }
        bench.simulator.setFaults([FaultRule(on: "list", action)])
        let summary = try await bench.quickScan().run()
        #expect(summary.missing == 100 && summary.doubt != nil)
    }

    @Test func `a library of entries without an id alone comes to an end, whoever goes on with its scan`() async throws
    {
        let bench = try await Bench.library()
        var nameless = FaultRule(on: "list", .noID)
        nameless.at = 1
        bench.simulator.setFaults([nameless])
        var scan = bench.quickScan()
        scan.short = .zero
        let error = await #expect(throws: ArchiverError.self) { try await scan.run() }
        #expect(error?.code == .nothingFound)
        #expect(error?.message.contains("260 entries had no id") == true)
    }

    @Test func `after its look at the front a scan that is broken off goes on at its last page again`() async throws {
        let bench = try await Bench.library()
        // The second page twice: then the third, its end, the front, and a silence before the second one is asked for again.
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3)])
        let (stop, simulator) = (StopSignal(), bench.simulator)
        let watch = Task {
            while simulator.counters.requests("list") < 6 { try await Task.sleep(for: .milliseconds(5)) }
            stop.request()
        }
        var scan = Scan(context: bench.context, source: bench.fixture.source, since: nil, until: nil, stop: stop) { _ in
        }
        (scan.short, scan.silence) = (.zero, .seconds(60))
        await #expect(throws: ArchiverError.self) { try await scan.run() }
        try await watch.value
        let place = try await bench.fixture.texts(
            "SELECT concat_ws(' ', pages, page_token IS NULL) FROM coldroll.scan ORDER BY id DESC LIMIT 1"
        )
        #expect(place == ["4 f"])
        #expect(try await bench.quickScan().run().items == 260)
    }

    @Test func `a first page that had been empty is looked at as the front is, by whoever goes on`() async throws {
        // Pages follow the one at which the second scan begins: it asks for the first one among them, or behind them.
        let bench = try await Bench.library(count: 460)
        let (fixture, simulator) = (bench.fixture, bench.simulator)
        simulator.setFaults([.listing(.noItems, nth: 1, 2)])
        let stop = StopSignal()
        let first = Scan(context: bench.context, source: fixture.source, since: nil, until: nil, stop: stop) {
            if $0.pages == 2 { stop.request() }
        }
        await #expect(throws: ArchiverError.self) { try await first.run() }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 100)
        for number in 0..<250 { _ = try simulator.addPhoto(named: "new\(number).jpg") }
        // Three pages and the end, and the front's first page; its second one comes when the scan is told to stop. Where it
        // is looked at in the middle of the listing, that is the third request.
        var slow = FaultRule.listing(.latency, nth: 3, 6)
        slow.milliseconds = 3000
        simulator.setFaults([slow])
        let again = StopSignal()
        // As soon as something of the front is recorded.
        let watch = Task {
            while try await fixture.number("SELECT count(*) FROM coldroll.item WHERE filename LIKE 'new%'") == 0 {
                try await Task.sleep(for: .milliseconds(2))
            }
            again.request()
        }
        var second = Scan(context: bench.context, source: fixture.source, since: nil, until: nil, stop: again) { _ in }
        second.silence = .milliseconds(10)
        await #expect(throws: ArchiverError.self) { try await second.run() }
        try await watch.value
        simulator.setFaults([])
        #expect(try await bench.quickScan().run().items == 710)
    }

    @Test func `an empty last page, which is a legal end, does not hide an empty page before it`() async throws {
        let bench = try await Bench.library(count: 1310)
        // The last page: twice, and when all is listed.
        bench.simulator.setFaults([.listing(.falseEnd, nth: 14, 15, 16)])
        let first = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [3])
        #expect(first.items == 1300 && first.emptyPages == 1 && first.doubt == nil)
        let count = "SELECT concat_ws(' ', empty_pages, empty_end) FROM coldroll.scan ORDER BY id DESC LIMIT 1"
        #expect(try await bench.fixture.texts(count) == ["1 t"])
        // The fifth page: twice, and when all is listed.
        bench.simulator.setFaults([.listing(.noItems, nth: 5, 6, 17)])
        let second = try await bench.quickScan().run()
        #expect(bench.simulator.faults.map(\.struck) == [3])
        #expect(second.new == 10 && second.missing == 100)
        #expect(second.doubt?.contains("pages of it came without any item, more") == true)
        #expect(try await bench.fixture.texts(count) == ["1 f"])
    }

    @Test func `what is on the last page waits for nobody to believe that it is the last, where a broken scan goes on`()
        async throws
    {
        let bench = try await Bench.library()
        let stop = StopSignal()
        let (context, source) = (bench.context, bench.fixture.source)
        let scan = Scan(context: context, source: source, since: nil, until: nil, stop: stop) {
            if $0.pages == 3 { stop.request() }
        }
        // Stopped while it waits to ask again.
        await #expect(throws: ArchiverError.self) { try await scan.run() }
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.job") == 260)
        #expect(bench.simulator.counters.requests("list") == 3)
        let summary = try await bench.quickScan().run()
        #expect(summary.items == 260 && summary.new == 260 && summary.missing == 0 && summary.goesOn)
        // The last page, its end, and the front.
        #expect(bench.simulator.counters.requests("list") == 6)
    }
}
