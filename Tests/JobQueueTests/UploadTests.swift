import JobQueue
import Postgres
import TestSupport
import Testing

/// Half-done uploads: whose they are, and when they go away.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct UploadTests {
    private static func upload(_ session: String = "https://storage/upload?upload_id=SECRET") -> KeptUpload {
        KeptUpload(session: session, length: 5_000_000_000, archive: "gs://archive", objectName: "202401/item0")
    }

    /// A claimed job whose upload is kept.
    private func begin(_ fixture: QueueFixture) async throws -> (worker: Int64, job: ClaimedJob) {
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        #expect(!job.hasUpload)
        #expect(try await fixture.queue.keepUpload(worker: worker, job.reference, Self.upload(), offset: 0))
        return (worker, job)
    }

    /// The worker falls silent, and its jobs go back.
    private func lose(_ fixture: QueueFixture, _ worker: Int64) async throws {
        try await fixture.silence(worker)
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        try await fixture.makeDue()
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
    }

    private func rows(_ fixture: QueueFixture) async throws -> [String] {
        try await fixture.texts("SELECT lease || ' ' || stored_offset || ' ' || session_uri FROM coldroll.upload")
    }

    @Test func `the next claim is told of a half-done upload and takes it over`() async throws {
        let fixture = try await QueueFixture()
        let (silent, old) = try await begin(fixture)
        #expect(try await fixture.queue.noteUpload(worker: silent, old.reference, offset: 1 << 30))
        try await lose(fixture, silent)
        let next = try await fixture.worker()
        let job = try #require(try await fixture.claim(next, 1).first)
        #expect(job.hasUpload)
        #expect(try await fixture.queue.takeUpload(worker: next, job.reference) == Self.upload())
        #expect(try await rows(fixture) == ["\(job.reference.lease) \(1 << 30) \(Self.upload().session)"])
        #expect(try await fixture.queue.noteUpload(worker: next, job.reference, offset: 2 << 30))
        // Another session takes the place of this one.
        let other = Self.upload("https://storage/upload?upload_id=OTHER")
        #expect(try await fixture.queue.keepUpload(worker: next, job.reference, other, offset: 0))
        #expect(try await rows(fixture) == ["\(job.reference.lease) 0 \(other.session)"])
        try await fixture.queue.forgetUpload(worker: next, job.reference)
        #expect(try await rows(fixture) == [])
    }

    @Test func `a zombie can neither keep, take, note nor forget an upload that another claim has`() async throws {
        let fixture = try await QueueFixture()
        let (silent, old) = try await begin(fixture)
        try await lose(fixture, silent)
        let next = try await fixture.worker()
        let job = try #require(try await fixture.claim(next, 1).first)
        // Claimed and not taken yet; then taken; the right lease under another worker's number as well.
        for _ in 0..<2 {
            let before = try await rows(fixture)
            for reference in [old.reference, job.reference] {
                let other = Self.upload("https://storage/upload?upload_id=ZOMBIE")
                #expect(try await !fixture.queue.keepUpload(worker: silent, reference, other, offset: 9))
                #expect(try await fixture.queue.takeUpload(worker: silent, reference) == nil)
                #expect(try await !fixture.queue.noteUpload(worker: silent, reference, offset: 9))
                try await fixture.queue.forgetUpload(worker: silent, reference)
            }
            #expect(try await rows(fixture) == before)
            #expect(before.count == 1)
            _ = try await fixture.queue.takeUpload(worker: next, job.reference)
        }
    }

    @Test func `an upload that the claim has not taken is not its to note or forget`() async throws {
        let fixture = try await QueueFixture()
        let (silent, _) = try await begin(fixture)
        try await lose(fixture, silent)
        let next = try await fixture.worker()
        let job = try #require(try await fixture.claim(next, 1).first)
        #expect(try await !fixture.queue.noteUpload(worker: next, job.reference, offset: 9))
        try await fixture.queue.forgetUpload(worker: next, job.reference)
        #expect(try await rows(fixture).count == 1)
    }

    /// How a job ends.
    enum End: CaseIterable {
        case stored, storedWithClip, skipped, dead, failed, buried, skippedByHand, deleted
    }

    @Test("an upload goes away with its job, and with no other", arguments: End.allCases)
    func end(_ end: End) async throws {
        var timing = JobQueue.Timing()
        timing.attempts = 1
        timing.crashes = 1
        let fixture = try await QueueFixture(timing: timing)
        let (worker, job) = try await begin(fixture)
        try await fixture.record(1, from: 1)
        let other = try await fixture.worker()
        let neighbour = try #require(try await fixture.claim(other, 1).first)
        #expect(try await fixture.queue.keepUpload(worker: other, neighbour.reference, Self.upload("x"), offset: 0))
        func complete(_ result: Completion.Result) async throws {
            let end = Completion(job: job.reference, result: result)
            #expect(try await fixture.queue.complete(worker: worker, [end]) == [job.reference])
        }
        switch end {
        case .stored: try await complete(.stored(QueueFixture.object(), motion: nil))
        case .storedWithClip:
            try await complete(.stored(QueueFixture.object(), motion: CompletionTests.clip("clip")))
        case .skipped: try await complete(.skipped(reason: "no"))
        case .dead: try await complete(.dead(reason: "no"))
        case .failed:
            let failure = Failure(job: job.reference, reason: "x", message: "x")
            #expect(try await fixture.queue.fail(worker: worker, [failure]) == [job.reference.part])
        case .buried:
            try await fixture.start(worker, [job])
            try await fixture.silence(worker)
            #expect(try await fixture.queue.sweep(mayDeclareDeath: true).buried == 1)
        case .skippedByHand:
            try await fixture.queue.release(worker: worker, [Release(job: job.reference)])
            try await fixture.sql("SELECT coldroll.skip($1, 'no')", [.integer(job.reference.part)])
        case .deleted:
            try await fixture.sql("DELETE FROM coldroll.job WHERE part_id = $1", [.integer(job.reference.part)])
        }
        let left = try await fixture.texts("SELECT part_id::text FROM coldroll.upload")
        #expect(left == ["\(neighbour.reference.part)"])
    }

    @Test func `an upload that was begun as a photo is forgotten when its part turns out to be a video`() async throws {
        let fixture = try await QueueFixture()
        let (worker, job) = try await begin(fixture)
        #expect(try await fixture.queue.correct(worker: worker, job.reference, to: .video))
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.upload") == 0)
        #expect(try await fixture.texts("SELECT kind FROM coldroll.part WHERE kind = 'video'").count == 1)
    }

    @Test func `an upload stays while its job waits for another try`() async throws {
        let fixture = try await QueueFixture()
        var (worker, job) = try await begin(fixture)
        func again() async throws {
            try await fixture.makeDue()
            _ = try await fixture.queue.sweep(mayDeclareDeath: false)
            worker = try await fixture.worker()
            job = try #require(try await fixture.claim(worker, 1).first)
            #expect(job.hasUpload)
        }
        _ = try await fixture.queue.fail(
            worker: worker,
            [Failure(job: job.reference, reason: "cut", message: "cut")]
        )
        try await again()
        try await fixture.queue.release(worker: worker, [Release(job: job.reference)])
        try await again()
        try await fixture.queue.stop(worker: worker)
        try await again()
        #expect(try await fixture.queue.takeUpload(worker: worker, job.reference) == Self.upload())
    }

    @Test func `a kept upload never shows its secret`() {
        #expect(!"\(Self.upload())".contains("SECRET"))
        #expect(!String(reflecting: Self.upload()).contains("SECRET"))
    }
}
