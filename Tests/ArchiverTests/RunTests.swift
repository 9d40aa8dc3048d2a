import CloudStorage
import Foundation
import GoogleSimulator
import HTTPClient
import JobQueue
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Archiver

/// Holds what `QueueFixture.stored` says, under every name; something happens while it is asked the first time.
private final class BusyArchive: ObjectStore {
    struct Unasked: Error {}

    let url = "gs://busy"
    let meanwhile = Mutex<(@Sendable () async throws -> Void)?>(nil)

    func head(_ name: String) async throws -> CloudStorage.StoredObject? {
        let happening = meanwhile.withLock { happening in
            defer { happening = nil }
            return happening
        }
        try await happening?()
        let object = QueueFixture.object()
        return CloudStorage.StoredObject(
            name: name,
            generation: object.generation,
            size: object.size,
            crc32c: object.crc32c,
            md5: nil,
            contentType: "image/jpeg",
            metadata: [:]
        )
    }

    func put(
        _ object: NewObject,
        from buffer: BodyBuffer,
        length: Int64?,
        session: UploadSession?,
        began: @Sendable (UploadSession) async throws -> Void,
        confirmed: @Sendable (Int64) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome { throw Unasked() }

    func create() async throws {}
    func check() async throws {}
    func look() async throws -> String? { nil }
    func probe() async throws {}
    func list(prefix: String, pageToken: String?) async throws -> (
        objects: [CloudStorage.StoredObject], nextPageToken: String?
    ) {
        ([], nil)
    }
    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)? { nil }
    func replace(_ name: String, with: [UInt8], contentType: String, ifGeneration: Int64?) async throws -> Bool { true }
}

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct RunTests {
    @Test func `one request to stop leaves a run its grace time`() async throws {
        let bench = try await Bench()
        let stop = StopSignal()
        stop.request()
        let error = await #expect(throws: ArchiverError.self) {
            try await runAll(
                bench.context,
                options: WorkerOptions(),
                since: nil,
                until: nil,
                stop: stop,
                scanned: { _ in },
                progress: { _ in }
            )
        }
        #expect(error?.code == .interrupted)
        #expect(stop.level == .graceful)
    }

    @Test func `a full run does not take another process's scan of a part for its own`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let part = try await ledger.openScan(source: bench.fixture.source, since: "2024-01-01", until: nil)
        let scan = bench.scan()
        async let joined = Listed(byScanningOrJoining: scan).summary
        await bench.log.wait(for: "this run joins another scan")
        _ = try await ledger.finish(part, outcome: "complete", reason: nil)
        let summary = try await joined
        #expect(summary?.isFull == true)
        #expect(summary?.new == 1)
    }

    @Test func `a full run joins another process's full scan`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let other = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        let scan = bench.scan()
        async let joined = Listed(byScanningOrJoining: scan).summary
        await bench.log.wait(for: "this run joins another scan")
        _ = try await ledger.finish(other, outcome: "complete", reason: nil)
        #expect(try await joined == nil)
    }

    @Test func `a run's marker is written before the sums are looked after, which takes long in a large ledger`()
        async throws
    {
        let bench = try await Bench()
        let holder = try await Connection.connect(MigratedDatabase.conninfo)
        // Whoever corrects sums waits for this lock.
        try await holder.script("SELECT pg_advisory_lock(7165629038451267)", name: "test.hold")
        let context = bench.context
        async let summary = runAll(
            context,
            options: WorkerOptions(),
            since: nil,
            until: nil,
            stop: StopSignal(),
            scanned: { _ in },
            progress: { _ in }
        )
        try await bench.waitUntil(
            """
            SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
            WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
            """
        )
        let marker = try #require(try await Marker.read(bench.context.state)).marker
        #expect(marker.run == 1 && marker.objects == 1)
        #expect(try await bench.context.state.read("execution/last_execution_date.txt") != nil)
        await holder.close()
        #expect(try await summary.totals.stored == 1)
    }

    @Test func `a run waits for Google no longer than its owner wants, and says that it is not finished`() async throws
    {
        let bench = try await Bench()
        var away = FaultRule(on: "list", .status)
        away.times = Int.max
        bench.simulator.setFaults([away])
        var options = WorkerOptions()
        options.maxWait = .seconds(3)
        let error = await #expect(throws: ArchiverError.self) {
            try await runAll(
                bench.context,
                options: options,
                since: nil,
                until: nil,
                stop: StopSignal(),
                scanned: { _ in },
                progress: { _ in }
            )
        }
        #expect(error?.code == .outOfTime && error?.message.hasPrefix("The library is not listed to its end") == true)
        #expect(bench.simulator.faults.map(\.struck).allSatisfy { $0 > 0 })
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
    }

    @Test func `a drain goes on as long as it can do something, and waits for the rest no longer than its owner wants`()
        async throws
    {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 12, sizes: 5000...6000, videoPercent: 0) }
        _ = try await bench.scan().run()
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 900
        bench.simulator.setFaults([slow])
        var options = WorkerOptions()
        (options.drain, options.slots, options.maxWait) = (true, .fixed(1), .seconds(8))
        func work() async throws -> WorkSummary {
            try await runWorker(bench.context, options: options, stop: StopSignal(), progress: { _ in })
        }
        let began = ContinuousClock.now
        let all = try await work()
        #expect(began.duration(to: .now) > .seconds(8), "the fault struck")
        #expect(all.progress.stored == 12 && all.left == 0 && !all.isOutOfTime)

        try bench.simulator.addPhoto(named: "late.jpg")
        _ = try await bench.scan().run()
        try await bench.fixture.sql("UPDATE coldroll.lane SET paused_at = now(), paused_by = 'somebody'")
        let rest = try await work()
        #expect(rest.progress.stored == 0 && rest.left == 1 && rest.isOutOfTime)

        try await bench.fixture.sql("UPDATE coldroll.lane SET paused_at = NULL, paused_by = NULL")
        slow.milliseconds = 20_000
        bench.simulator.setFaults([slow])
        (options.endsBy, options.grace) = (.now, .zero)
        let none = try await work()
        #expect(none.left == 1 && none.isOutOfTime, "however much there is to do")
    }

    private func slow(_ operation: String, _ milliseconds: Double) -> FaultRule {
        var rule = FaultRule(on: operation, .latency)
        rule.milliseconds = milliseconds
        return rule
    }

    private func run(_ bench: Bench, _ options: WorkerOptions) async throws -> RunSummary {
        try await runAll(
            bench.context,
            options: options,
            since: nil,
            until: nil,
            stop: StopSignal(),
            scanned: { _ in },
            progress: { _ in }
        )
    }

    /// A run that lists quickly, and looks at no front however slow the machine is.
    private func quickRun(_ bench: Bench, _ stop: StopSignal = StopSignal()) async throws -> RunSummary {
        var scan = Scan(context: bench.context, source: bench.fixture.source, since: nil, until: nil, stop: stop) { _ in
        }
        (scan.short, scan.silence) = (.seconds(600), .milliseconds(10))
        return try await runAll(scan, options: WorkerOptions(), progress: { _ in })
    }

    @Test func `a worker that has nothing to do while the listing goes on is not out of time`() async throws {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 120, sizes: 500...600, videoPercent: 0) }
        bench.simulator.setFaults([slow("list", 7000)])
        var options = WorkerOptions()
        options.maxWait = .seconds(6)
        let began = ContinuousClock.now
        let summary = try await run(bench, options)
        #expect(began.duration(to: .now) > .seconds(20))
        #expect(summary.totals.stored == 120 && summary.totals.live == 0 && !summary.work.isOutOfTime)
        #expect(!summary.mayHaveMore)
    }

    @Test
    func `a listing that had ended too early once is asked again after the next one, however short the work`()
        async throws
    {
        let bench = try await Bench.library()
        // The first page, three times in each of two listings; the work of the first takes longer than the false answers last.
        var late = slow("download", 20_000)
        late.nth = [1]
        bench.simulator.setFaults([.listing(.loseToken, nth: 1, 2, 3, 5, 6, 7), late])
        let summary = try await quickRun(bench)
        #expect(bench.simulator.faults.map(\.struck) == [6, 1])
        #expect(summary.totals.stored == 260 && !summary.mayHaveMore)
        #expect(summary.scan?.items == 260 && summary.scan?.new == 260)
        // Those whose end proved to be none are taken back.
        #expect(try await bench.outcomes() == ["failed", "failed", "complete"])
        let own = "SELECT count(*) FROM coldroll.run WHERE scan_id = (SELECT max(id) FROM coldroll.scan)"
        #expect(try await bench.fixture.number(own) == 1)
    }

    @Test func `a run that finds more behind each end says so, and the ledger too`() async throws {
        let bench = try await Bench.library()
        var late = slow("download", 20_000)
        late.nth = [1]
        // The first page, three times in each of three listings; each ends with a look at the page.
        bench.simulator.setFaults([.listing(.loseToken, nth: 1, 2, 3, 5, 6, 7, 9, 10, 11), late])
        let summary = try await quickRun(bench)
        #expect(bench.simulator.faults.map(\.struck) == [9, 1])
        #expect(summary.mayHaveMore && summary.totals.live == 0)
        #expect(try await bench.outcomes() == ["failed", "failed", "failed"])
        #expect(summary.standing?.unsettled?.state == "failed")
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
        #expect(try await bench.context.state.read("execution/last_execution_date.txt") == nil)
    }

    @Test func `a library that grows during the work is listed again, and none of its scans is taken back`()
        async throws
    {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 3, sizes: 500...600, videoPercent: 0) }
        var late = slow("download", 12_000)
        late.nth = [1]
        bench.simulator.setFaults([late])
        let (fixture, simulator) = (bench.fixture, bench.simulator)
        let upload = Task {
            let listed = "SELECT count(*) FROM coldroll.scan WHERE outcome = 'complete' AND items = 3"
            while try await fixture.number(listed) == 0 { try await Task.sleep(for: .milliseconds(2)) }
            try simulator.addPhoto(named: "new.jpg")
        }
        let summary = try await quickRun(bench)
        try await upload.value
        #expect(summary.scan?.items == 4 && summary.totals.stored == 4 && !summary.mayHaveMore)
        #expect(try await bench.outcomes() == ["complete", "complete"])
    }

    @Test(arguments: [false, true])
    func
        `a run that joined another process's scan asks whether the listing goes on, whatever else was listed meanwhile`(
            _ listsPart: Bool
        ) async throws
    {
        let bench = try await Bench.library()
        let (ledger, source) = (bench.context.ledger, bench.fixture.source)
        var late = slow("download", 20_000)
        late.nth = [1]
        bench.simulator.setFaults([.listing(.loseToken, nth: 1, 2, 3), late])
        // As 'coldroll scan' on another host: nobody asks again.
        let other = bench.quickScan()
        async let listed = other.run()
        try await bench.waitUntil("SELECT count(*) FROM coldroll.scan WHERE pages = 1 AND outcome IS NULL")
        let scan = bench.quickScan()
        async let running = runAll(scan, options: WorkerOptions(), progress: { _ in })
        if listsPart {
            await bench.log.wait(for: "the scan that this run joined has ended")
            let part = try await ledger.openScan(source: source, since: "2024-01-01", until: nil)
            _ = try await ledger.finish(part, outcome: "complete", reason: nil)
        }
        let summary = try await running
        #expect(try await listed.items == 100)
        #expect(bench.simulator.faults.map(\.struck) == [3, 1])
        #expect(bench.log.has("this run joins another scan"))
        #expect(summary.scan?.items == 260 && summary.totals.stored == 260 && !summary.mayHaveMore)
        // It does not know how full the other's last page was: the library may have grown.
        #expect(try await bench.outcomes() == Array(repeating: "complete", count: listsPart ? 3 : 2))
    }

    /// A scan that another process has begun, and has listed one photo that is slow to come.
    private func elsewhere(_ bench: Bench, _ milliseconds: Double) async throws -> ScanTicket {
        bench.simulator.setFaults([slow("download", milliseconds)])
        let ticket = try await bench.context.ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        let id = try #require(try bench.simulator.library.first).id
        _ = try await bench.context.ledger.record(ticket, [QueueFixture.item(id)], unreadable: 0, nextPageToken: nil)
        return ticket
    }

    @Test func `a run lists by itself where the scan that it joined is taken back by a process that then died`()
        async throws
    {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let other = try await elsewhere(bench, 12_000)
        let scan = bench.quickScan()
        async let running = runAll(scan, options: WorkerOptions(), progress: { _ in })
        await bench.log.wait(for: "this run joins another scan")
        _ = try await ledger.finish(other, outcome: "complete", reason: nil)
        await bench.log.wait(for: "the scan that this run joined has ended")
        try await ledger.disbelieve(other.id, reason: "It goes on.")
        let summary = try await running
        #expect(summary.scan?.items == 1 && !summary.mayHaveMore && summary.totals.stored == 1)
        #expect(try await bench.outcomes() == ["failed", "complete"])
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["complete"])
    }

    @Test func `a run that has no time left to ask where a scan ended that it joined is not complete either`()
        async throws
    {
        let bench = try await Bench()
        let other = try await elsewhere(bench, 22_000)
        var scan = bench.quickScan()
        var options = WorkerOptions()
        options.endsBy = .now + .seconds(15)
        scan.endsBy = options.endsBy
        async let running = runAll(scan, options: options, progress: { _ in })
        await bench.log.wait(for: "this run joins another scan")
        _ = try await bench.context.ledger.finish(other, outcome: "complete", reason: nil)
        let summary = try await running
        #expect(summary.totals.stored == 1 && summary.totals.live == 0 && summary.work.isOutOfTime)
        #expect(summary.scan == nil && summary.mayHaveMore)
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
    }

    @Test func `a run is unfinished, as its exit code says, where another scan was broken off meanwhile`() async throws
    {
        let bench = try await Bench()
        bench.simulator.setFaults([slow("download", 3000)])
        let ledger = bench.context.ledger
        let scan = bench.quickScan()
        async let running = runAll(scan, options: WorkerOptions(), progress: { _ in })
        try await bench.waitUntil(
            "SELECT count(*) FROM coldroll.scan WHERE id > \(bench.fixture.scan.id) AND outcome = 'complete'"
        )
        try await ledger.letGo(
            try await ledger.openScan(source: bench.fixture.source, since: "2024-01-01", until: nil)
        )
        let summary = try await running
        #expect(summary.standing?.unsettled?.state == "broken off")
        #expect(summary.totals.live == 0 && !summary.mayHaveMore)
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
    }

    @Test func `what a run's own listing missed is not accepted by the same run's word`() async throws {
        let bench = try await Bench.library()
        #expect(try await bench.quickScan().run().new == 260)
        try bench.simulator.addPhoto(named: "new.jpg")
        var late = slow("download", 20_000)
        late.nth = [1]
        // The first page seems to be all; after the work it is not; and it is all again, then too.
        bench.simulator.setFaults([.listing(.loseToken, nth: 1, 2, 3, 5, 6, 7, 8), late])
        var scan = bench.quickScan()
        scan.acceptsGaps = true
        let summary = try await runAll(scan, options: WorkerOptions(), progress: { _ in })
        #expect(bench.simulator.faults.map(\.struck) == [7, 1])
        let listed = try #require(summary.scan)
        #expect(listed.missing == 161 && listed.doubt != nil && !listed.isAccepted)
        #expect(try await bench.outcomes() == ["complete", "suspicious", "suspicious"])
        // He is told of it by this run, and may say so now.
        bench.simulator.setFaults([FaultRule(on: "list", .loseToken)])
        let accepted = try await scan.run()
        #expect(accepted.missing == 161 && accepted.doubt == nil && accepted.isAccepted)
    }

    @Test func `a run that joined another process's scan has not listed all by itself`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let other = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        async let summary = quickRun(bench)
        await bench.log.wait(for: "this run joins another scan")
        _ = try await ledger.finish(other, outcome: "complete", reason: nil)
        #expect(try await summary.scan == nil)
        let runs = "SELECT concat_ws(' ', outcome, coalesce(scan_id, 0)) FROM coldroll.run"
        #expect(try await bench.fixture.texts(runs) == ["complete 0"])
    }

    @Test
    func `a run that has no time left to ask whether the listing goes on is not complete, whatever it has stored`()
        async throws
    {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 3, sizes: 500...600, videoPercent: 0) }
        // Listed well before the run's end, and downloaded between that and the end of the grace time.
        bench.simulator.setFaults([slow("download", 22_000)])
        var options = WorkerOptions()
        options.endsBy = .now + .seconds(15)
        let summary = try await run(bench, options)
        #expect(summary.totals.stored == 3 && summary.totals.live == 0 && summary.work.isOutOfTime)
        #expect(summary.mayHaveMore)
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
        #expect(try await bench.context.state.read("execution/last_execution_date.txt") == nil)
    }

    @Test func `a run that is stopped while it asks whether the listing goes on says what it has stored`() async throws
    {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 3, sizes: 500...600, videoPercent: 0) }
        // The page, and its second answer; then the look that follows work of more than five seconds.
        var away = FaultRule(on: "list", .status)
        (away.status, away.after) = (503, 2)
        bench.simulator.setFaults([slow("download", 15_000), away])
        let (stop, simulator) = (StopSignal(), bench.simulator)
        let watch = Task {
            while simulator.faults[1].struck == 0 { try await Task.sleep(for: .milliseconds(2)) }
            stop.request()
        }
        let summary = try await quickRun(bench, stop)
        try await watch.value
        #expect(summary.scan?.items == 3 && summary.totals.stored == 3 && summary.totals.live == 0)
        #expect(summary.mayHaveMore)
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
    }

    @Test(arguments: [true, false])
    func `a stop tells the sums although the state store does not answer, and nothing else does`(_ isStopped: Bool)
        async throws
    {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 3, sizes: 500...600, videoPercent: 0) }
        bench.simulator.setFaults([slow("download", 3000)])
        let (stop, state, fixture) = (StopSignal(), bench.context.state.url, bench.fixture)
        let watch = Task {
            while try await fixture.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 0 {
                try await Task.sleep(for: .milliseconds(2))
            }
            try FileManager.default.removeItem(at: #require(URL(string: state)))
            if isStopped { stop.request() }
        }
        let run = Task { try await quickRun(bench, stop) }
        try await watch.value
        if isStopped {
            #expect(try await run.value.totals.found == 3)
            #expect(bench.log.has("the marker could not be left in the state store; the next run leaves it"))
        } else {
            await #expect(throws: (any Error).self) { try await run.value }
        }
    }

    @Test func `a run that is to end by now lists no further, and says that it is not finished`() async throws {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 450, sizes: 500...600, videoPercent: 0) }
        bench.simulator.setFaults([slow("list", 2500)])
        var options = WorkerOptions()
        (options.maxWait, options.endsBy) = (.seconds(600), .now + .seconds(6))
        let error = await #expect(throws: ArchiverError.self) { try await run(bench, options) }
        #expect(error?.code == .outOfTime)
        let items = try await bench.fixture.number("SELECT count(*) FROM coldroll.item")
        #expect(items > 0 && items < 450)
        #expect(try await bench.fixture.texts("SELECT outcome FROM coldroll.run") == ["unfinished"])
    }

    @Test func `a run that waits for another process's listing for too long archives what there is before it says so`()
        async throws
    {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 12, sizes: 5000...6000, videoPercent: 0) }
        _ = try await bench.scan().run()
        _ = try await bench.context.ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        bench.simulator.setFaults([slow("download", 900)])
        var options = WorkerOptions()
        (options.slots, options.maxWait, options.grace) = (.fixed(1), .seconds(8), .zero)
        let error = await #expect(throws: ArchiverError.self) { try await run(bench, options) }
        #expect(error?.code == .outOfTime)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.object") == 12)
    }

    @Test func `a run that joined another process's scan waits for it no longer than its owner wants`() async throws {
        let bench = try await Bench()
        _ = try await bench.context.ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        var scan = bench.scan()
        scan.maxWait = .seconds(1)
        let limited = scan
        let error = await #expect(throws: ArchiverError.self) { try await Listed(byScanningOrJoining: limited) }
        #expect(error?.code == .outOfTime)
    }

    @Test func `a run with dead parts leaves no date of a run that ended well`() async throws {
        let bench = try await Bench(library: ["a.failed.mp4": Array("\0\0\0\u{10}ftypisom\0\0\0\0".utf8)])
        let summary = try await runAll(
            bench.context,
            options: WorkerOptions(),
            since: nil,
            until: nil,
            stop: StopSignal(),
            scanned: { _ in },
            progress: { _ in }
        )
        #expect(summary.totals.dead == 1)
        #expect(try await bench.context.state.read("execution/last_execution_date.txt") == nil)
    }

    @Test func `a worker that starts while others store and end is not taken for one with an old ledger`() async throws
    {
        let archive = BusyArchive()
        let bench = try await Bench(archive: archive) {
            $0.synthesis = SynthesisOptions(count: 3, sizes: 5000...9000, videoPercent: 0)
        }
        _ = try await bench.scan().run()
        let (fixture, context) = (bench.fixture, bench.context)
        let worker = try await fixture.worker()
        let store: @Sendable () async throws -> Void = {
            let job = try await fixture.claim(worker, 1)[0]
            _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(job)])
            try await Marker.leave(context)
        }
        try await store()
        archive.meanwhile.withLock { $0 = store }
        try await Marker.check(context)
        #expect(archive.meanwhile.withLock { $0 == nil })
        #expect(try await Marker.read(context.state)?.marker.objects == 2)
    }
}
