import CloudStorage
import JobQueue
import TestSupport
import Testing

@testable import Archiver

/// Which upload sessions the queue is told of, and when an upload stops because of what the queue says.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct SessionKeeperTests {
    private func session(_ length: Int64?) -> UploadSession {
        UploadSession(uri: "https://storage/upload?upload_id=SECRET", length: length)
    }

    /// A claimed job and its keeper.
    private func claim(_ bench: Bench) async throws -> (worker: Int64, job: ClaimedJob, keeper: SessionKeeper) {
        let worker = try await bench.fixture.worker()
        let job = try #require(try await bench.fixture.claim(worker, 1).first)
        return (worker, job, SessionKeeper(bench.context, worker: worker, job: job.reference))
    }

    private func bench() async throws -> Bench {
        let bench = try await Bench()
        let scan = try await bench.fixture.ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        _ = try await bench.fixture.ledger.record(scan, [QueueFixture.item("a")], unreadable: 0, nextPageToken: nil)
        return bench
    }

    private func offsets(_ bench: Bench) async throws -> [String] {
        try await bench.fixture.texts("SELECT stored_offset::text FROM coldroll.upload")
    }

    @Test func `only an upload that is worth it is kept, and its offset is written rarely`() async throws {
        let bench = try await bench()
        let (_, job, keeper) = try await claim(bench)
        try await keeper.began(session(SessionKeeper.worthwhile - 1), as: job.objectName)
        #expect(try await offsets(bench) == [])
        try await keeper.began(session(nil), as: job.objectName)
        try await keeper.confirmed(SessionKeeper.worthwhile - 1, as: job.objectName)
        #expect(try await offsets(bench) == [])
        let first = SessionKeeper.worthwhile
        try await keeper.confirmed(first, as: job.objectName)
        try await keeper.confirmed(first + SessionKeeper.step - 1, as: job.objectName)
        #expect(try await offsets(bench) == ["\(first)"])
        try await keeper.confirmed(first + SessionKeeper.step, as: job.objectName)
        #expect(try await offsets(bench) == ["\(first + SessionKeeper.step)"])
        // One that is not worth it takes its place.
        try await keeper.began(session(1), as: job.objectName)
        #expect(try await offsets(bench) == [])
        #expect(keeper.session == session(1))
    }

    @Test func `an upload stops when its claim is lost, and leaves the session to who has it now`() async throws {
        let bench = try await bench()
        let (worker, job, keeper) = try await claim(bench)
        try await keeper.began(session(1 << 30), as: job.objectName)
        try await bench.fixture.queue.stop(worker: worker)
        let (_, again, next) = try await claim(bench)
        try await next.take(for: again)
        #expect(next.session == session(1 << 30))
        await #expect(throws: CancellationError.self) {
            try await keeper.confirmed(1 << 29, as: job.objectName)
        }
        await #expect(throws: CancellationError.self) {
            try await keeper.began(session(1 << 31), as: job.objectName)
        }
        await keeper.drop()
        #expect(try await offsets(bench) == ["0"])
    }

    @Test func `a session of another name or another archive is forgotten`() async throws {
        let bench = try await bench()
        var (worker, job, keeper) = try await claim(bench)
        for change in ["object_name", "archive_url"] {
            try await keeper.began(session(1 << 30), as: job.objectName)
            try await bench.fixture.sql("UPDATE coldroll.upload SET \(change) = 'another'")
            try await bench.fixture.queue.stop(worker: worker)
            (worker, job, keeper) = try await claim(bench)
            #expect(job.hasUpload)
            try await keeper.take(for: job)
            #expect(keeper.session == nil)
            #expect(try await offsets(bench) == [])
        }
    }

    @Test func `a database that cannot keep a session holds no upload up`() async throws {
        let bench = try await bench()
        let (_, job, keeper) = try await claim(bench)
        try await bench.fixture.sql("ALTER TABLE coldroll.upload RENAME TO away")
        try await keeper.began(session(1 << 30), as: job.objectName)
        #expect(keeper.session == session(1 << 30))
        await bench.log.wait(for: "could not keep an upload session")
    }
}
