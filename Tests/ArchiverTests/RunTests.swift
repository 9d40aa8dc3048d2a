import CloudStorage
import JobQueue
import TestSupport
import Testing

@testable import Archiver

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
        async let joined = scanOrJoin(scan)
        await bench.log.wait(for: "another process scans this source: this run joins it")
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
        async let joined = scanOrJoin(scan)
        await bench.log.wait(for: "another process scans this source: this run joins it")
        _ = try await ledger.finish(other, outcome: "complete", reason: nil)
        #expect(try await joined == nil)
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
}
