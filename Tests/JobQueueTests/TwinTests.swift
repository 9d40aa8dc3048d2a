import JobQueue
import Postgres
import TestSupport
import Testing

/// Stored parts whose bytes another item has too.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct TwinTests {
    /// Stores this many parts, all with the same bytes.
    private func stored(_ count: Int) async throws -> (fixture: QueueFixture, worker: Int64) {
        let fixture = try await QueueFixture()
        try await fixture.record(count)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, count)
        _ = try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
        return (fixture, worker)
    }

    private func doubt(_ fixture: QueueFixture) async throws -> Int64 {
        try await fixture.ledger.doubtTwins(sources: [fixture.source])
    }

    private func confirm(_ fixture: QueueFixture, _ worker: Int64, _ jobs: [ClaimedJob]) async throws -> Int {
        let ends = jobs.map { Completion(job: $0.reference, result: .confirmed) }
        let once = try await fixture.queue.complete(worker: worker, ends)
        // The answer may be lost.
        #expect(try await fixture.queue.complete(worker: worker, ends) == once)
        return once.count
    }

    @Test func `equal parts are doubted once each, and never again after a second download`() async throws {
        let (fixture, worker) = try await stored(3)
        #expect(try await fixture.ledger.isComparisonDue(sources: []))
        let known = try await fixture.ledger.identity().objects
        #expect(try await doubt(fixture) == 3)
        #expect(try await doubt(fixture) == 0)
        #expect(try await !fixture.ledger.isComparisonDue(sources: []))
        let between = try await fixture.queue.totals(sources: [])
        #expect(between.stored == 0 && between.ready == 3 && between.unaccounted == 0)
        #expect(try await fixture.queue.tallies(sources: []) == between)
        #expect(try await fixture.ledger.identity().objects == known, "the marker would take it for an older ledger")
        let jobs = try await fixture.claim(worker, 10)
        #expect(jobs.count == 3 && jobs.allSatisfy(\.isDoubted))
        let first = try #require(try await fixture.queue.doubt(of: jobs[0].reference.part))
        #expect(first == Doubt(size: 10, crc32c: 7, twin: jobs[2].reference.part))
        #expect(try await confirm(fixture, worker, jobs) == 3)
        #expect(try await doubt(fixture) == 0)
        let after = try await fixture.queue.totals(sources: [])
        #expect(after.stored == 3 && after.live == 0 && after.unaccounted == 0 && after.storedBytes == 30)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
        #expect(try await fixture.queue.doubt(of: jobs[0].reference.part) == nil)
        // What comes later is compared with them, and is the only one that is asked for.
        try await fixture.record(1, from: 3)
        let later = try #require(try await fixture.claim(worker, 1).first)
        #expect(!later.isDoubted)
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(later)])
        #expect(try await doubt(fixture) == 1)
        #expect(try await fixture.claim(worker, 9).map(\.reference.part) == [later.reference.part])
    }

    @Test func `what was stored just now is compared a while later, what was stored long ago at once`() async throws {
        let (fixture, worker) = try await stored(2)
        try await fixture.sql(
            "UPDATE coldroll.object SET stored_at = now() - interval '1 hour' WHERE part_id = (SELECT min(id) FROM coldroll.part)"
        )
        let ledger = Ledger(pool: fixture.pool, secondLook: .seconds(60))
        #expect(try await ledger.doubtTwins(sources: [fixture.source]) == 2)
        #expect(
            try await fixture.texts(
                "SELECT concat_ws(' ', j.state, extract(epoch FROM j.due - now()) BETWEEN 40 AND 60) FROM coldroll.job AS j ORDER BY j.part_id"
            ) == ["ready", "scheduled t"]
        )
        #expect(try await fixture.claim(worker, 2).count == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }

    @Test func `parts of one item, of other sources, or of another size or checksum are no twins`() async throws {
        let (fixture, _) = try await stored(3)
        try await fixture.sql(
            "UPDATE coldroll.object SET size = 11 WHERE part_id = (SELECT min(id) FROM coldroll.part)"
        )
        try await fixture.sql(
            "UPDATE coldroll.object SET crc32c = 8 WHERE part_id = (SELECT max(id) FROM coldroll.part)"
        )
        #expect(try await doubt(fixture) == 0)
        try await fixture.sql("UPDATE coldroll.object SET size = 10, crc32c = 7")
        try await fixture.sql(
            "UPDATE coldroll.part SET kind = 'motion', item_id = (SELECT min(item_id) FROM coldroll.part) WHERE id = (SELECT max(id) FROM coldroll.part)"
        )
        try await fixture.sql(
            "UPDATE coldroll.part SET source_id = source_id + 100 WHERE item_id <> (SELECT min(item_id) FROM coldroll.part)"
        )
        #expect(try await doubt(fixture) == 0)
    }

    @Test func `a part whose bytes turn out to be another's gets a name and loses its doubt, once`() async throws {
        let (fixture, worker) = try await stored(2)
        _ = try await doubt(fixture)
        let jobs = try await fixture.claim(worker, 2)
        let (held, other) = (jobs[0].reference, jobs[1].reference)
        let stale = JobReference(part: held.part, lease: held.lease + 1)
        let name = NameCandidate(name: "202401/own.jpg", key: "202401/own.jpg")
        #expect(try await fixture.queue.replace(worker: worker, stale, under: name) == .leaseLost)
        #expect(try await fixture.queue.replace(worker: worker, held, under: name) == .renamed)
        #expect(try await fixture.queue.replace(worker: worker, other, under: name) == .taken)
        #expect(try await fixture.queue.replace(worker: worker, held, under: name) == .leaseLost)
        // There is nothing any more that it would be stored as.
        #expect(try await confirm(fixture, worker, [jobs[0]]) == 0)
        _ = try await fixture.queue.complete(
            worker: worker,
            [Completion(job: held, result: .stored(QueueFixture.object(20), motion: nil))]
        )
        #expect(try await confirm(fixture, worker, [jobs[1]]) == 1)
        #expect(
            try await fixture.texts("SELECT state FROM coldroll.doubts ORDER BY part") == ["replaced", "confirmed"]
        )
        #expect(try await fixture.ledger.identity().objects == 3)
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
    }

    @Test func `a person keeps what is doubted, whether it waits or is dead`() async throws {
        let (fixture, worker) = try await stored(3)
        _ = try await doubt(fixture)
        let jobs = try await fixture.claim(worker, 2)
        let running = jobs[0].reference.part, dead = jobs[1].reference.part
        let end = Completion(job: jobs[1].reference, result: .dead(reason: "gone: x"))
        _ = try await fixture.queue.complete(worker: worker, [end])
        let waiting = try await fixture.number("SELECT part_id FROM coldroll.job WHERE state = 'ready'")
        #expect(try await fixture.call("accept", waiting).contains("stays stored as it is"))
        #expect(try await fixture.call("accept", dead).contains("stays stored as it is"))
        #expect(try await fixture.refusal("accept", running).contains("being transferred"))
        let totals = try await fixture.queue.totals(sources: [])
        #expect(totals.stored == 2 && totals.running == 1 && totals.dead == 0 && totals.unaccounted == 0)
        #expect(try await fixture.queue.tallies(sources: []) == totals)
        #expect(try await doubt(fixture) == 0)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.doubt WHERE verdict = 'accepted'") == 2)
    }

    @Test func `what is in doubt already is a twin of what comes later, also when it is dead or was kept`() async throws
    {
        let (fixture, worker) = try await stored(2)
        _ = try await doubt(fixture)
        let jobs = try await fixture.claim(worker, 2)
        _ = try await fixture.queue.complete(
            worker: worker,
            jobs.map { Completion(job: $0.reference, result: .dead(reason: "gone")) }
        )
        try await fixture.record(1, from: 2)
        let later = try #require(try await fixture.claim(worker, 1).first)
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(later)])
        #expect(try await doubt(fixture) == 1)
        #expect(try await fixture.claim(worker, 9).map(\.reference.part) == [later.reference.part])
        #expect(try await !fixture.ledger.isComparisonDue(sources: []))
        // What a person keeps comes back with its old time: it is compared all the same.
        for job in jobs { _ = try await fixture.call("accept", job.reference.part) }
        #expect(try await fixture.ledger.isComparisonDue(sources: []))
    }

    @Test func `a doubted part that an older worker stored again is doubted again, and counts once`() async throws {
        let (fixture, worker) = try await stored(2)
        let known = try await fixture.ledger.identity().objects
        _ = try await doubt(fixture)
        let job = try await fixture.claim(worker, 1)[0]
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(job)])
        #expect(try await fixture.ledger.identity().objects == known)
        #expect(try await fixture.ledger.isComparisonDue(sources: []))
        #expect(try await doubt(fixture) == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.doubt WHERE ended_at IS NULL") == 2)
        let again = try await fixture.claim(worker, 2)
        let doubted = again.filter(\.isDoubted)
        #expect(again.count == 2 && doubted.count == 2)
        #expect(try await confirm(fixture, worker, again) == 2)
        #expect(try await fixture.ledger.identity().objects == known)
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }

    /// Whoever names connections otherwise in the database's URL has them counted too.
    @Test(arguments: [(false, "coldroll"), (true, "coldroll"), (true, "other")])
    func `what is recorded while a comparison looks, and seen by nobody yet, is compared by the next`(
        _ isWrittenBefore: Bool,
        _ name: String
    ) async throws {
        let (fixture, _) = try await stored(1)
        try await fixture.record(1, from: 1)
        let slow = try await Connection.connect(MigratedDatabase.conninfo)
        let record = """
            WITH gone AS (DELETE FROM coldroll.job RETURNING part_id)
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            SELECT g.part_id, 1, o.size, o.crc32c, o.lease, o.worker_id, false, o.fidelity, o.media_kind
            FROM gone AS g CROSS JOIN coldroll.object AS o;
            """
        try await slow.script("SET application_name = '\(name)'", name: "test.name")
        try await slow.script("BEGIN; SELECT now();" + (isWrittenBefore ? record : ""), name: "test.slow")
        #expect(try await doubt(fixture) == 0)
        try await slow.script((isWrittenBefore ? "" : record) + "COMMIT", name: "test.commit")
        #expect(try await fixture.ledger.isComparisonDue(sources: []))
        #expect(try await doubt(fixture) == 2)
        #expect(try await !fixture.ledger.isComparisonDue(sources: []))
        await slow.close()
    }

    @Test func `a comparison that the clock says is to come has not been`() async throws {
        let (fixture, _) = try await stored(2)
        _ = try await doubt(fixture)
        #expect(try await !fixture.ledger.isComparisonDue(sources: []))
        try await fixture.sql("UPDATE coldroll.source SET compared_at = now() + interval '1 day'")
        // What was stored by that clock is compared once, not until its time comes.
        try await fixture.record(1, from: 2)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 10).filter { !$0.isDoubted }
        #expect(jobs.count == 1)
        _ = try await fixture.queue.complete(
            worker: worker,
            jobs.map { Completion(job: $0.reference, result: .stored(QueueFixture.object(99), motion: nil)) }
        )
        try await fixture.sql("UPDATE coldroll.object SET stored_at = now() + interval '1 day'")
        #expect(try await fixture.ledger.isComparisonDue(sources: []))
        _ = try await doubt(fixture)
        #expect(try await !fixture.ledger.isComparisonDue(sources: []))
    }

    @Test func `a part that is queued again while somebody accepts it has one place`() async throws {
        let (fixture, worker) = try await stored(2)
        _ = try await doubt(fixture)
        let jobs = try await fixture.claim(worker, 2)
        _ = try await fixture.queue.complete(
            worker: worker,
            jobs.map { Completion(job: $0.reference, result: .dead(reason: "gone")) }
        )
        let part = jobs[0].reference.part
        let other = try await Connection.connect(MigratedDatabase.conninfo)
        try await other.script("BEGIN; SELECT coldroll.retry(\(part))", name: "test.retry")
        async let accepted = fixture.call("accept", part)
        let waits = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        while try await fixture.number(waits) == 0 { try await Task.sleep(for: .milliseconds(2)) }
        try await other.script("COMMIT", name: "test.commit")
        _ = try await accepted
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.object WHERE part_id = \(part)") == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job WHERE part_id = \(part)") == 0)
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
        await other.close()
    }

    @Test func `ten thousand copies of one picture, and workers that look at once, are doubted once each`() async throws
    {
        let (fixture, _) = try await stored(2)
        try await fixture.sql(
            """
            WITH i AS (INSERT INTO coldroll.item (source_id, scan_id, is_video, source_item, capture_from)
                       SELECT $1::bigint, 1, false, 'copy' || n, 'file' FROM generate_series(1, 10000) AS n RETURNING id),
                 p AS (INSERT INTO coldroll.part (item_id, source_id, kind, folder_month, object_name, name_key)
                       SELECT i.id, $1::bigint, 'still', 'undated', 'c' || i.id, 'c' || i.id FROM i RETURNING id)
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            SELECT p.id, 1, 10, 7, 1, 1, false, 'rendition', 'jpeg' FROM p
            """,
            [.integer(fixture.source)]
        )
        let (ledger, source) = (fixture.ledger, fixture.source)
        let doubted = try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<3 { group.addTask { try await ledger.doubtTwins(sources: [source]) } }
            return try await group.reduce(0, +)
        }
        #expect(doubted == 10_002)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job") == 10_002)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }
}
