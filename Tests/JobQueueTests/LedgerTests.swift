import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct LedgerTests {
    @Test func `a ledger belongs to the first archive that it is bound to`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.bind(archive: "gs://mine", id: nil)
        try await fixture.ledger.bind(archive: "gs://mine", id: nil)
        let error = await #expect(throws: LedgerError.self) {
            try await fixture.ledger.bind(archive: "gs://other", id: nil)
        }
        #expect(error?.code == .foreignArchive)
        #expect(error?.message.contains("gs://mine") == true)
    }

    @Test func `a ledger belongs to the first of two directories that have the same path`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.ledger.bind(archive: "file:///photos", id: "one")
        try await fixture.ledger.refuseForeign(archive: "file:///photos", id: "one")
        let error = await #expect(throws: LedgerError.self) {
            try await fixture.ledger.bind(archive: "file:///photos", id: "two")
        }
        #expect(error?.code == .foreignArchive)
        #expect(error?.message.contains("write one into .coldroll/id") == true)
        // One from before directories had a mark learns it.
        try await fixture.sql("UPDATE coldroll.ledger SET archive_id = NULL")
        try await fixture.ledger.bind(archive: "file:///photos", id: "three")
        #expect(try await fixture.texts("SELECT archive_id FROM coldroll.ledger") == ["three"])
    }

    @Test func `a source is made once, with its two lanes`() async throws {
        let fixture = try await QueueFixture()
        #expect(
            try await fixture.ledger.source(kind: "library", account: "default", clientID: "client") == fixture.source
        )
        let other = try await fixture.ledger.source(kind: "library", account: "second", clientID: nil)
        #expect(other != fixture.source)
        #expect(try await fixture.ledger.sources().map(\.account) == ["default", "second"])
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.lane") == 4)
    }

    @Test func `a source is refused to another client, and learns its client once`() async throws {
        let fixture = try await QueueFixture()
        let error = await #expect(throws: LedgerError.self) {
            try await fixture.ledger.source(kind: "library", account: "default", clientID: "other")
        }
        #expect(error?.code == .foreignClient)
        #expect(
            error?.message.contains("with this login, 'coldroll forget library'.") == true,
            "\(error?.message ?? "")"
        )
        try await fixture.record(1)
        let late = await #expect(throws: LedgerError.self) {
            try await fixture.ledger.refuseForeign(client: "other", kind: "library", account: "default")
        }
        #expect(late?.message.contains("coldroll forget") == false, "\(late?.message ?? "")")
        let learner = try await fixture.ledger.source(kind: "picker", account: "p", clientID: nil)
        #expect(try await fixture.ledger.source(kind: "picker", account: "p", clientID: "first") == learner)
        #expect(try await fixture.ledger.source(kind: "picker", account: "p", clientID: nil) == learner)
        await #expect(throws: LedgerError.self) {
            try await fixture.ledger.source(kind: "picker", account: "p", clientID: "second")
        }
    }

    @Test func `the identity counts runs and objects`() async throws {
        let fixture = try await QueueFixture()
        let before = try await fixture.ledger.identity()
        #expect(before.id.count == 36 && before.runs == 0 && before.objects == 0)
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(job)])
        let run = try await fixture.ledger.beginRun(source: fixture.source, host: "host")
        let after = try await fixture.ledger.identity()
        #expect(after.id == before.id && after.runs == run.number && after.objects == 1)
    }

    @Test func `a run keeps what it ended with`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let run = try await fixture.ledger.beginRun(source: fixture.source, host: "host")
        #expect(run.startedAt.hasSuffix("Z"))
        let totals = try await fixture.queue.totals(sources: [])
        try await fixture.ledger.finishRun(run.number, outcome: "unfinished", totals: totals, unreadable: 0)
        try await fixture.ledger.finishRun(run.number, outcome: "again", totals: Totals(), unreadable: 0)
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', outcome, found, live, unaccounted) FROM coldroll.run")
                == ["unfinished 2 2 0"]
        )
    }
}
