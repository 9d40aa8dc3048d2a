import GoogleSimulator
import JobQueue
import TestSupport
import Testing

@testable import Archiver

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct WorkerLoopTests {
    @Test(arguments: [StopSignal.Level.graceful, .immediate])
    func `a stop gives back what a claim under way brings, however slow Google is`(
        _ level: StopSignal.Level
    ) async throws {
        // Longer than the time limit: a stop that waits for the base URLs, or forgets the jobs, does not end in time.
        let bench = try await Bench(isLoggedIn: false) { $0.photosLatency = 3600 }
        let (fixture, context) = (bench.fixture, bench.context)
        let scan = try await fixture.ledger.openScan(source: fixture.source, since: nil, until: nil)
        _ = try await fixture.ledger.record(scan, [QueueFixture.item("a")], unreadable: 0, nextPageToken: nil)
        var options = WorkerOptions()
        options.grace = .seconds(3600)
        let loop = WorkerLoop(
            context: context,
            options: options,
            sources: [fixture.source],
            worker: try await fixture.worker(),
            deadline: nil,
            progress: WorkerProgress(),
            isFed: { false }
        )
        let (outbox, post) = (loop.outbox, loop.post)
        let delivery = Task { try await outbox.run() }
        let stop = Task {
            while try await fixture.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 0 {
                await Task.yield()
            }
            post.yield(.stop(level))
        }
        #expect(try await loop.run { _ in } == .done)
        outbox.close()
        try await delivery.value
        try await stop.value
        #expect(try await fixture.texts("SELECT state::text FROM coldroll.job") == ["ready"])
    }
}
