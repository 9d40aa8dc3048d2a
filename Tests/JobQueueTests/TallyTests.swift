import JobQueue
import Postgres
import TestSupport
import Testing

/// Sums that are kept equal those that are counted, whatever happened.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct TallyTests {
    /// That kept and counted sums are the same, and what they are.
    @discardableResult
    private func agree(_ fixture: QueueFixture) async throws -> Totals {
        var counted = try await fixture.queue.totals(sources: [])
        var kept = try await fixture.queue.tallies(sources: [])
        var ofSource = try await fixture.queue.tallies(sources: [fixture.source])
        #expect((counted.nextDue == nil) == (kept.nextDue == nil))
        counted.nextDue = nil
        kept.nextDue = nil
        ofSource.nextDue = nil
        #expect(kept == counted)
        #expect(ofSource == counted)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
        return counted
    }

    @Test func `every statement that moves a part keeps the sums`() async throws {
        let fixture = try await QueueFixture()
        #expect(try await agree(fixture).found == 0)
        try await fixture.record(12)
        try await fixture.record(3, from: 100, isVideo: true)
        #expect(try await agree(fixture).ready == 15)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 10)
        #expect(try await agree(fixture).running == 10)
        let motion = QueueFixture.item("clip").parts[0]
        _ = try await fixture.queue.complete(
            worker: worker,
            [
                QueueFixture.stored(jobs[0]),
                QueueFixture.stored(
                    jobs[1],
                    motion: NewPart(kind: .motion, folderMonth: "202401", names: motion.names)
                ),
                Completion(job: jobs[2].reference, result: .dead(reason: "reduced")),
                Completion(job: jobs[3].reference, result: .skipped(reason: "left out")),
            ]
        )
        let ended = try await agree(fixture)
        #expect(ended.stored == 2 && ended.dead == 1 && ended.skipped == 1 && ended.found == 16)
        #expect(ended.storedBytes == 20)
        _ = try await fixture.queue.fail(
            worker: worker,
            [Failure(job: jobs[4].reference, reason: "cut", message: "It was cut.")]
        )
        try await fixture.queue.release(worker: worker, [Release(job: jobs[5].reference, delay: .seconds(60))])
        #expect(try await agree(fixture).scheduled == 2)
        let dead = jobs[2].reference.part
        try await fixture.sql("SELECT coldroll.accept($1)", [.integer(dead)])
        #expect(try await agree(fixture).dead == 0)
        try await fixture.sql("SELECT coldroll.skip($1, 'no')", [.integer(dead)])
        try await fixture.sql("SELECT coldroll.retry($1)", [.integer(dead)])
        try await fixture.silence(worker)
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        try await agree(fixture)
        // By hand, too.
        try await fixture.sql("DELETE FROM coldroll.object WHERE part_id = $1", [.integer(jobs[0].reference.part)])
        #expect(try await fixture.queue.tallies(sources: []).stored == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }

    @Test func `a batch that meets an object recorded by hand is counted once`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        try await fixture.record(2, from: 100, isVideo: true)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 5)
        try await fixture.sql(
            """
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            VALUES ($1, 1, 7, 1, 1, 1, false, 'original', 'jpeg')
            """,
            [.integer(jobs[0].reference.part)]
        )
        let done = try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
        #expect(done == Set(jobs.dropFirst().map(\.reference)))
        let totals = try await agree(fixture)
        #expect(totals.stored == 5 && totals.originals == 1 && totals.storedBytes == 47 && totals.live == 0)
    }

    @Test func `a statement that counts what it moves leaves the next one to the triggers`() async throws {
        let fixture = try await QueueFixture(connections: 1)
        try await fixture.record(2)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 1)
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(jobs[0])])
        // On the same connection.
        try await fixture.sql("DELETE FROM coldroll.object")
        try await fixture.sql("DELETE FROM coldroll.job")
        let kept = try await fixture.queue.tallies(sources: [])
        #expect(kept.stored == 0 && kept.ready == 0 && kept.unaccounted == 2)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }

    @Test func `an aborted transaction leaves no trace in the sums`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("BEGIN; DELETE FROM coldroll.job; ROLLBACK", name: "test.abort")
        await connection.close()
        #expect(try await agree(fixture).ready == 3)
    }

    @Test func `a wrong sum is found, told and corrected`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 1)
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(jobs[0])])
        #expect(try await fixture.queue.recount() == [])
        try await fixture.sql("DELETE FROM coldroll.tally WHERE place = 'rendition'")
        try await fixture.sql("UPDATE coldroll.tally SET parts = parts + 7 WHERE place = 'found'")
        try await fixture.sql("ALTER TABLE coldroll.job DISABLE TRIGGER USER")
        try await fixture.sql("DELETE FROM coldroll.job WHERE part_id = (SELECT max(part_id) FROM coldroll.job)")
        try await fixture.sql("ALTER TABLE coldroll.job ENABLE TRIGGER USER")
        let errors = try await fixture.queue.recount().sorted { $0.place < $1.place }
        #expect(errors.map(\.place) == ["found", "live", "rendition"])
        #expect(errors.map(\.counted) == [5, 3, 1])
        #expect(errors.map(\.tallied) == [12, 4, 0])
        #expect(errors.allSatisfy { $0.source == "library default" })
        #expect(try await fixture.queue.recount() == [])
        let totals = try await fixture.queue.tallies(sources: [])
        #expect(totals.found == 5 && totals.ready == 3 && totals.stored == 1 && totals.storedBytes == 10)
        // A part that is nowhere shows in the kept sums as well.
        #expect(totals.unaccounted == 1)
    }

    @Test func `recounts while workers and folds go on correct nothing that is right`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        try await fixture.record(1000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let worker = try await fixture.worker()
                    while true {
                        let jobs = try await fixture.claim(worker, 5)
                        if jobs.isEmpty { return }
                        _ = try await fixture.queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
                    }
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<10 {
                        #expect(try await fixture.queue.recount() == [])
                        try await fixture.queue.tidy()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await agree(fixture).stored == 1000)
    }

    @Test func `two that correct the same sum at once correct it once`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(5)
        try await fixture.sql("DELETE FROM coldroll.tally WHERE place = 'found'")
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("BEGIN; SELECT coldroll.recount()", name: "test.first")
        async let second = fixture.queue.recount()
        // The second one waits for the first; if it did not, it would be done long before.
        for _ in 0..<100 {
            let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            if try await fixture.number(waiting) > 0 { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        try await connection.script("COMMIT", name: "test.commit")
        #expect(try await second == [])
        try await agree(fixture)
        let refused = await #expect(throws: PostgresError.self) {
            try await connection.script(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT coldroll.recount()",
                name: "test.isolation"
            )
        }
        #expect(refused?.code == .server(sqlState: "CRF05"))
        await connection.close()
    }

    @Test func `folding leaves a row for each sum`() async throws {
        let fixture = try await QueueFixture()
        for page in 0..<150 { try await fixture.record(1, from: page) }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally") == 300)
        try await fixture.queue.tidy()
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.tally") == 2)
        #expect(try await agree(fixture).ready == 150)
    }
}
