import GooglePhotos
import GoogleSimulator
import JobQueue
import Synchronization
import TestSupport
import Testing

@testable import Archiver

/// First pages that move while they are asked for: what is behind them is known by a token that may be another answer's.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct TornPageTests {
    /// Photos of the library that were there before the test's uploads and are not in the ledger.
    private func lost(_ bench: Bench, uploaded prefix: String = "new") async throws -> Int {
        let known = Set(try await bench.fixture.texts("SELECT source_item FROM coldroll.item"))
        return try bench.simulator.library.filter { !$0.filename.hasPrefix(prefix) && !known.contains($0.id) }.count
    }

    @Test(arguments: [1, 100])
    func `a token is not believed to lead on behind the items of another answer`(_ uploads: Int) async throws {
        let bench = try await Bench.library()
        let simulator = bench.simulator
        simulator.setFaults([.listing(.noItems, nth: 1), .listing(.loseToken, nth: 2)])
        // In the second between the two answers.
        let watch = Task {
            while simulator.counters.requests("list") < 1 { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(200))
            for number in 0..<uploads { _ = try simulator.addPhoto(named: "new\(number).jpg") }
            return simulator.counters.requests("list")
        }
        let summary = try await bench.quickScan().run()
        #expect(try await watch.value == 1, "the uploads were to come between the two answers")
        #expect(simulator.faults.map(\.struck) == [1, 1])
        #expect(try await lost(bench) == 0 && summary.doubt == nil)
    }

    @Test(arguments: [1, 100])
    func `nor is it behind a later page, on which uploads of an older date come`(_ uploads: Int) async throws {
        let bench = try await Bench.library(count: 460)
        let simulator = bench.simulator
        simulator.setFaults([.listing(.noItems, nth: 2), .listing(.loseToken, nth: 3)])
        let taken = try simulator.library[150].creationTime
        let watch = Task {
            while simulator.counters.requests("list") < 2 { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(200))
            for number in 0..<uploads { _ = try simulator.addPhoto(named: "new\(number).jpg", at: taken) }
            return simulator.counters.requests("list")
        }
        let summary = try await bench.quickScan().run()
        #expect(try await watch.value == 2, "the uploads were to come between the two answers")
        #expect(simulator.faults.map(\.struck) == [1, 1])
        #expect(try await lost(bench) == 0 && summary.doubt == nil)
    }

    @Test func `a first page whose entries and token come apart each time ends the scan, and it can go on later`()
        async throws
    {
        let bench = try await Bench.library()
        bench.simulator.setFaults([.listing(.noItems, nth: 1, 3, 5), .listing(.loseToken, nth: 2, 4, 6)])
        let error = await #expect(throws: PhotosError.self) { try await bench.quickScan().run() }
        #expect(error?.message.contains("never with both") == true)
        #expect(bench.simulator.faults.map(\.struck) == [3, 2])
        bench.simulator.setFaults([])
        #expect(try await bench.quickScan().run().items == 260)
    }

    @Test(arguments: [1, 100], [1, 3])
    func `a first page that had been empty and has lost its token when it is asked for again is no front that is over`(
        _ uploads: Int,
        _ times: Int
    ) async throws {
        let bench = try await Bench.library(count: 460)
        let (context, source, simulator) = (bench.context, bench.fixture.source, bench.simulator)
        // The first page twice; then the second to the fifth and the end; then the first one again.
        var cut = FaultRule.listing(.loseToken)
        cut.nth = Array(8..<8 + times)
        simulator.setFaults([.listing(.noItems, nth: 1, 2), cut])
        var scan = Scan(context: context, source: source, since: nil, until: nil, stop: StopSignal()) {
            guard $0.pages == 2 else { return }
            for number in 0..<uploads { _ = try? simulator.addPhoto(named: "new\(number).jpg") }
        }
        (scan.short, scan.silence) = (.seconds(600), .milliseconds(10))
        let summary = try await scan.run()
        #expect(simulator.faults.map(\.struck) == [2, times])
        #expect(try await lost(bench) == 0 && summary.doubt == nil)
    }

    @Test func `a page that had been empty and leads nowhere is met again by a pass that begins anew, not as known`()
        async throws
    {
        let bench = try await Bench.library(count: 460)
        // The second page, twice; then, a minute of age being none, that page behind the fourth, without its token, and again.
        bench.simulator.setFaults([.listing(.noItems, nth: 2, 3), .listing(.loseToken, nth: 6, 7, 8)])
        var scan = bench.quickScan()
        scan.emptyPageAge = .zero
        let summary = try await scan.run()
        #expect(bench.simulator.faults.map(\.struck) == [2, 3])
        let told =
            "what follows a page that had shown nothing of its own could not be listed: listing again from the first page"
        #expect(bench.log.has(told))
        #expect(summary.items == 460 && summary.doubt == nil && summary.emptyPages == 0)
    }

    @Test(arguments: [1, 3])
    func `a page of the look at the front with something new is no end, whatever is known on it`(_ times: Int)
        async throws
    {
        let bench = try await Bench.library(count: 460)
        let (context, source, simulator) = (bench.context, bench.fixture.source, bench.simulator)
        // Five pages and the end, the front, and twice its second page; then that page again.
        var cut = FaultRule.listing(.loseToken)
        cut.nth = Array(10..<10 + times)
        simulator.setFaults([.listing(.falseEnd, nth: 8, 9), cut])
        let all = try simulator.library
        let added = Mutex(false)
        var scan = Scan(context: context, source: source, since: nil, until: nil, stop: StopSignal()) {
            guard $0.pages == 4, !added.withLock({ ($0, $0 = true).0 }) else { return }
            // With every second one of the first three hundred that are known.
            for number in stride(from: 0, to: 300, by: 2) {
                try? simulator.addPhoto(named: "mid\(number).jpg", at: all[number].creationTime)
            }
        }
        (scan.short, scan.silence) = (.zero, .milliseconds(10))
        let summary = try await scan.run()
        #expect(simulator.faults.map(\.struck) == [2, times])
        #expect(try await lost(bench, uploaded: "none") == 0 && summary.doubt == nil && summary.items == 610)
    }
}
