import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// The connection is lost after the commit and before its answer: what happened is looked up, never guessed, and a repeat
/// does nothing twice.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct LostReplyTests {
    /// A ledger that is seen directly, and the same one behind a relay that takes answers away.
    private struct Lossy {
        let fixture: QueueFixture
        let cutter: AnswerCutter
        let queue: JobQueue
        let ledger: Ledger

        init() async throws {
            var timing = JobQueue.Timing()
            timing.beat = .zero
            timing.attempts = 2
            fixture = try await QueueFixture(timing: timing)
            cutter = try AnswerCutter()
            let pool = ConnectionPool(conninfo: cutter.conninfo, limit: 2, applicationName: "coldroll tests")
            queue = JobQueue(pool: pool, timing: fixture.queue.timing, logger: .none)
            ledger = Ledger(pool: pool)
        }

        /// Runs `body`, whose statement commits and is not answered.
        func losing(_ statement: String, _ body: () async throws -> Void) async throws {
            let before = cutter.struck
            cutter.cut(after: statement)
            let error = await #expect(throws: PostgresError.self) { try await body() }
            #expect(error?.code == .connectionLost)
            #expect(cutter.struck == before + 1, "the fault did not strike")
        }
    }

    @Test func `a claim whose answer was lost is found by the heartbeat and given back`() async throws {
        let lossy = try await Lossy()
        let fixture = lossy.fixture
        try await fixture.record(2)
        let worker = try await fixture.worker()
        try await lossy.losing("SET state = 'running'") {
            _ = try await lossy.queue.claim(worker: worker, sources: [fixture.source], limit: 2)
        }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 2)
        let answer = try await lossy.queue.beat(worker: worker, busy: 0, held: [])
        #expect(answer.orphaned.count == 2 && answer.lost.isEmpty)
        try await lossy.queue.release(worker: worker, answer.orphaned.map { Release(job: $0) })
        let again = try await lossy.queue.claim(worker: worker, sources: [fixture.source], limit: 2)
        #expect(again.count == 2 && again.allSatisfy { $0.crashes == 0 && $0.attempt == 1 })
        #expect(Set(again.map(\.reference)).isDisjoint(with: answer.orphaned))
    }

    @Test func `a start whose answer was lost is asked again`() async throws {
        let lossy = try await Lossy()
        try await lossy.fixture.record(1)
        let worker = try await lossy.fixture.worker()
        let job = try #require(try await lossy.fixture.claim(worker, 1).first)
        try await lossy.losing("INSERT INTO coldroll.job_start") {
            _ = try await lossy.queue.start(worker: worker, [job.reference])
        }
        #expect(try await lossy.queue.start(worker: worker, [job.reference]).begun == [job.reference])
    }

    @Test(arguments: ["stored", "with a clip", "skipped", "dead"])
    func `an end whose answer was lost is recognised as this worker's own`(_ kind: String) async throws {
        let lossy = try await Lossy()
        try await lossy.fixture.record(1)
        let worker = try await lossy.fixture.worker()
        let job = try #require(try await lossy.fixture.claim(worker, 1).first)
        let end =
            switch kind {
            case "stored": QueueFixture.stored(job)
            case "with a clip": QueueFixture.stored(job, motion: CompletionTests.clip("clip"))
            case "skipped": Completion(job: job.reference, result: .skipped(reason: "x"))
            default: Completion(job: job.reference, result: .dead(reason: "x"))
            }
        try await lossy.losing("DELETE FROM coldroll.job") {
            _ = try await lossy.queue.complete(worker: worker, [end])
        }
        #expect(try await lossy.queue.complete(worker: worker, [end]) == [job.reference])
        let totals = try await lossy.fixture.queue.totals(sources: [])
        #expect(totals.stored + totals.skipped + totals.dead == 1 && totals.unaccounted == 0)
        #expect(totals.found == (kind == "with a clip" ? 2 : 1))
        // Another worker's number with the same words is not that claim.
        #expect(try await lossy.queue.complete(worker: worker + 1, [end]).isEmpty)
    }

    @Test func `a failure whose answer was lost is counted once, the last one too`() async throws {
        let lossy = try await Lossy()
        let fixture = lossy.fixture
        try await fixture.record(1)
        let worker = try await fixture.worker()
        for attempt in 1...2 {
            let job = try #require(try await fixture.claim(worker, 1).first)
            let failure = Failure(job: job.reference, reason: "cut", message: "cut")
            try await lossy.losing("job_error") { _ = try await lossy.queue.fail(worker: worker, [failure]) }
            let dead = try await lossy.queue.fail(worker: worker, [failure])
            #expect(dead == (attempt == 2 ? [job.reference.part] : []))
            #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error") == Int64(attempt))
            try await fixture.makeDue()
            _ = try await fixture.queue.sweep(mayDeclareDeath: false)
        }
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', kind, attempts, crashes) FROM coldroll.outcome")
                == ["dead 2 0"]
        )
    }

    @Test func `a release whose answer was lost, repeated after somebody claimed the job, takes nothing from them`()
        async throws
    {
        let lossy = try await Lossy()
        let fixture = lossy.fixture
        try await fixture.record(1)
        let worker = try await fixture.worker(), next = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        try await lossy.losing("SET state = CASE WHEN h.delay") {
            try await lossy.queue.release(worker: worker, [Release(job: job.reference)])
        }
        let claimed = try #require(try await fixture.claim(next, 1).first)
        try await lossy.queue.release(worker: worker, [Release(job: job.reference)])
        #expect(try await fixture.start(next, [claimed]) == [claimed.reference])
    }

    @Test func `a rename whose answer was lost has taken place, and is repeated without harm`() async throws {
        let lossy = try await Lossy()
        try await lossy.fixture.record(1)
        let worker = try await lossy.fixture.worker()
        let job = try #require(try await lossy.fixture.claim(worker, 1).first)
        let name = NameCandidate(name: "202401/other", key: "202401/other")
        try await lossy.losing("SET object_name") {
            _ = try await lossy.queue.rename(worker: worker, job.reference, to: name)
        }
        #expect(try await lossy.queue.rename(worker: worker, job.reference, to: name) == .renamed)
        // Whoever gives up instead finds the name with the next claim.
        try await lossy.queue.release(worker: worker, [Release(job: job.reference)])
        #expect(try await lossy.fixture.claim(worker, 1).map(\.objectName) == ["202401/other"])
    }

    @Test func `a page whose answer was lost is recorded and counted once`() async throws {
        let lossy = try await Lossy()
        let fixture = lossy.fixture
        try await fixture.record(2)
        let page = (0..<3).map { QueueFixture.item("item\($0 + 1)") }
        let ledger = lossy.ledger
        @Sendable func record() async throws -> PageCounts {
            try await ledger.record(fixture.scan, page, unreadable: 1, nextPageToken: "3", page: 7)
        }
        try await lossy.losing("INSERT INTO coldroll.item") { _ = try await record() }
        #expect(try await record() == PageCounts(seen: 3, new: 2, known: 1))
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', pages, seen, new, known, unreadable, page_token) FROM coldroll.scan"
            )
                == ["2 5 4 1 1 3"]
        )
        #expect(try await fixture.number("SELECT sum(entries)::bigint FROM coldroll.unread") == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job") == 4)
    }

    @Test func `the opening of a scan whose answer was lost is found again by its lease`() async throws {
        let lossy = try await Lossy()
        let fixture = lossy.fixture
        try await fixture.record(1)
        try await fixture.sql("UPDATE coldroll.scan SET renewed_at = now() - interval '1 minute'")
        lossy.cutter.cut(after: "COMMIT")
        let taken = try await lossy.ledger.openScan(source: fixture.source, since: nil, until: nil)
        #expect(lossy.cutter.struck == 1, "the fault did not strike")
        #expect(taken.id == fixture.scan.id && taken.resumed && taken.pageToken == "next")
        lossy.cutter.cut(after: "SET outcome = $3")
        await #expect(throws: PostgresError.self) {
            try await lossy.ledger.finish(taken, outcome: "complete", reason: nil)
        }
        #expect(lossy.cutter.struck == 2, "the fault did not strike")
        #expect(try await lossy.ledger.finish(taken, outcome: "complete", reason: nil).pages == 1)
        lossy.cutter.cut(after: "COMMIT")
        let fresh = try await lossy.ledger.openScan(source: fixture.source, since: nil, until: nil)
        #expect(lossy.cutter.struck == 3, "the fault did not strike")
        #expect(!fresh.resumed && fresh.id != taken.id)
        try await lossy.ledger.renew(fresh)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.scan") == 2)
    }

    @Test func `a park, a registration, a beat and a stop whose answers were lost may be repeated`() async throws {
        let lossy = try await Lossy()
        let (fixture, queue) = (lossy.fixture, lossy.queue)
        try await fixture.record(1)
        let park = { try await queue.park(source: fixture.source, lane: nil, for: .seconds(60), reason: "quota") }
        try await lossy.losing("SET parked_until") { try await park() }
        try await park()
        #expect(
            try await fixture.number(
                "SELECT count(*) FROM coldroll.lane WHERE parked_until BETWEEN now() AND now() + interval '60 s'"
            )
                == 2
        )
        let register = {
            try await queue.register(
                id: 77,
                host: "host",
                processID: 1,
                version: "test",
                slots: 1,
                sources: [fixture.source]
            )
        }
        try await lossy.losing("INSERT INTO coldroll.worker") { _ = try await register() }
        #expect(try await register() == 77)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.worker") == 1)
        try await lossy.losing("SET beat_at") { _ = try await queue.beat(worker: 77, busy: 0, held: []) }
        #expect(try await queue.beat(worker: 77, busy: 0, held: []).alive)
        try await lossy.losing("'stopped'") { try await queue.stop(worker: 77) }
        try await queue.stop(worker: 77)
        #expect(try await fixture.texts("SELECT state FROM coldroll.worker") == ["stopped"])
    }

    @Test func `a sweep whose answer was lost, repeated, counts no crash twice`() async throws {
        let lossy = try await Lossy()
        let fixture = lossy.fixture
        try await fixture.record(3)
        let worker = try await fixture.worker()
        try await fixture.start(worker, fixture.claim(worker, 3))
        try await fixture.silence(worker)
        try await lossy.losing("killed its worker") { _ = try await lossy.queue.sweep(mayDeclareDeath: true) }
        _ = try await lossy.queue.sweep(mayDeclareDeath: true)
        #expect(try await fixture.texts("SELECT DISTINCT crashes::text FROM coldroll.job") == ["1"])
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error") == 3)
    }
}
