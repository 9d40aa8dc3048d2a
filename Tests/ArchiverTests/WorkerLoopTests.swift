import GoogleSimulator
import JobQueue
import TestSupport
import Testing

@testable import Archiver

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct WorkerLoopTests {
    @Test func `a worker with a credentials file goes on where the login of other hosts is refused`() async throws {
        let bench = try await Bench()
        let fixture = bench.fixture
        _ = try await bench.scan().run()
        let login = "00000000-0000-4000-8000-000000000001"
        try await fixture.ledger.signIn(
            source: fixture.source,
            id: login,
            subject: "104",
            scopes: [],
            lifetime: nil,
            replacing: nil
        )
        try await fixture.ledger.refuseLogin(source: fixture.source, login: login, reason: "gone")
        let worker = try await fixture.worker()
        #expect(try await fixture.claim(worker, 1).isEmpty)
        let loop = WorkerLoop(
            context: bench.context,
            options: WorkerOptions(),
            sources: [fixture.source],
            worker: worker,
            progress: WorkerProgress(),
            isFed: { false }
        )
        let (outbox, post) = (loop.outbox, loop.post)
        let delivery = Task { try await outbox.run() }
        let stop = Task {
            try await bench.waitUntil("SELECT min((paused_at IS NULL)::integer)::bigint FROM coldroll.lane")
            post.yield(.doorbell)
            try await bench.waitUntil("SELECT count(*) FROM coldroll.object")
            post.yield(.stop(.graceful))
        }
        #expect(try await loop.run { _ in } == .done)
        outbox.close()
        try await delivery.value
        try await stop.value
    }

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
            progress: WorkerProgress(),
            isFed: { false }
        )
        let (outbox, post) = (loop.outbox, loop.post)
        let delivery = Task { try await outbox.run() }
        let stop = Task {
            while try await fixture.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 0 {
                try await Task.sleep(for: .milliseconds(2))
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
