import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import coldroll

/// `coldroll forget`, run as a person runs it.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ForgetTests {
    private func run(_ words: String...) async throws -> Program.Answer {
        try await Program.run(words, environment: ["COLDROLL_DATABASE_URL": MigratedDatabase.conninfo])
    }

    /// A library that is listed, and a picker of whose page nobody has picked, all of whose processes are gone.
    private func mistake() async throws -> (fixture: QueueFixture, picker: Int64, scan: ScanTicket) {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        let picker = try await fixture.ledger.source(kind: "picker", account: "default", clientID: "client")
        _ = try await fixture.ledger.beginRun(source: picker, host: "nas")
        let scan = try await fixture.ledger.openScan(source: picker, since: nil, until: nil)
        _ = try await fixture.ledger.beginPick(scan, session: "S", link: "https://l", expiresAt: nil)
        try await fixture.ledger.letGo(scan)
        return (fixture, picker, scan)
    }

    @Test func `a source of which nothing was found is forgotten, and no status speaks of it any more`() async throws {
        let (fixture, picker, _) = try await mistake()
        try await fixture.sql(
            """
            INSERT INTO coldroll.breaker (service, place, since, next_probe_at, reason)
            SELECT v.service, v.prefix || coldroll.project(s.client_id), now(), now(), 'no such host'
            FROM coldroll.source AS s
            JOIN (VALUES ('library', '', 'library'), ('media', '', 'library'), ('library', 'picker of ', 'picker'),
                         ('media', '', 'picker')) AS v (service, prefix, kind) USING (kind)
            ON CONFLICT DO NOTHING
            """,
            []
        )
        #expect(try await run("status").output.contains("the Picker API of project client has been away"))
        let before = try await run("status")
        #expect(
            before.output.contains("If that source was chosen by mistake: 'coldroll forget picker'."),
            "\(before.output)"
        )
        #expect(
            before.output.contains("'coldroll scan --source picker' or 'coldroll run --source picker' goes on with it"),
            "\(before.output)"
        )
        let runs = try await fixture.number("SELECT max(number) FROM coldroll.run")
        let answer = try await run("forget", "picker")
        #expect(answer.code == 0, "\(answer.error)")
        #expect(
            answer.output
                == "the source picker of account default is forgotten; its page of Google's Picker is not looked at any "
                + "more, so what is picked there is not archived\n"
        )
        let after = try await run("status")
        #expect(!after.output.contains("picker"), "\(after.output)")
        // What it was waiting for is nobody's any more; what the library waits for stays.
        #expect(!after.output.contains("the Picker API"), "\(after.output)")
        #expect(after.output.contains("the Library API of project"), "\(after.output)")
        #expect(after.output.contains("Google's media service"), "\(after.output)")
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 1)
        // The marker in the state store knows how many runs there were.
        #expect(try await fixture.number("SELECT max(number) FROM coldroll.run") == runs)
        let again = try await run("forget", "picker")
        #expect(again.code == 1)
        #expect(again.error == "coldroll: the source picker of account default is not in the ledger\n")
        // It may be chosen again, on purpose then.
        #expect(try await fixture.ledger.source(kind: "picker", account: "default", clientID: "client") != picker)
    }

    @Test func `a pick that was broken off is not to be forgotten once there are items of an earlier one`() async throws
    {
        let (fixture, picker, _) = try await mistake()
        try await fixture.sql(
            "INSERT INTO coldroll.item (source_id, scan_id, source_item, is_video, capture_from) VALUES ($1, 1, 'i', false, 'api')",
            [.integer(picker)]
        )
        let status = try await run("status")
        #expect(status.output.contains("was broken off"), "\(status.output)")
        #expect(!status.output.contains("coldroll forget"), "\(status.output)")
    }

    @Test(arguments: [
        (
            "INSERT INTO coldroll.item (source_id, scan_id, source_item, is_video, capture_from) VALUES ($1, 1, 'i', false, 'api')",
            "has items in the ledger"
        ),
        ("UPDATE coldroll.scan SET renewed_at = now() WHERE source_id = $1", "is in use by a scan: stop it first"),
        (
            """
            INSERT INTO coldroll.worker (id, host, process_id, version, slots, sources)
            VALUES (7, 'nas', 12, 'test', 4, ARRAY[$1::bigint])
            """, "is in use by a worker on nas, process 12"
        ),
        (
            """
            INSERT INTO coldroll.turn (source_id, holder, beat_at, why, tries, begun_at, host)
            VALUES ($1, 1, now(), 'call', 1, now(), 'nas')
            """, "is in use by a run on nas"
        ),
        ("UPDATE coldroll.pick_session SET picked_at = now() WHERE source_id = $1", "is not listed yet"),
        ("UPDATE coldroll.scan SET unreadable = 1 WHERE source_id = $1", "which may be photos"),
    ])
    func `what has something, or is in use, is not forgotten`(change: (sql: String, words: String)) async throws {
        let (fixture, picker, _) = try await mistake()
        try await fixture.sql(change.sql, [.integer(picker)])
        let answer = try await run("forget", "picker")
        #expect(answer.code == 1)
        #expect(answer.error.contains(change.words), "\(answer.error)")
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.source WHERE kind = 'picker'") == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.pick_session") == 1)
    }

    @Test func `a scan of a forgotten source records nothing any more`() async throws {
        let (fixture, picker, _) = try await mistake()
        // One process holds it still, as after a sleep of its host.
        let held = try await fixture.ledger.openScan(source: picker, since: nil, until: nil)
        try await fixture.sql(
            "UPDATE coldroll.scan SET renewed_at = now() - interval '1 hour' WHERE source_id = $1",
            [.integer(picker)]
        )
        #expect(try await run("forget", "picker").code == 0)
        await #expect(throws: (any Error).self) {
            try await fixture.ledger.record(held, [QueueFixture.item("late")], unreadable: 0, nextPageToken: nil)
        }
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.item") == 1)
    }

    @Test func `a page that is being recorded is waited for, and what it brings is not forgotten`() async throws {
        let (fixture, picker, scan) = try await mistake()
        let page = try await Connection.connect(MigratedDatabase.conninfo)
        try await page.script(
            """
            BEGIN;
            UPDATE coldroll.scan SET pages = pages + 1 WHERE id = \(scan.id);
            INSERT INTO coldroll.item (source_id, scan_id, source_item, is_video, capture_from)
            VALUES (\(picker), \(scan.id), 'i', false, 'api');
            """,
            name: "test.page"
        )
        async let answer = run("forget", "picker")
        let waiting = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%coldroll.forget%'
            """
        while try await fixture.number(waiting) == 0 { try await Task.sleep(for: .milliseconds(20)) }
        try await page.script("COMMIT", name: "test.commit")
        await page.close()
        let refusal = try await answer
        #expect(refusal.code == 1 && refusal.error.contains("has items in the ledger"), "\(refusal.error)")
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.source WHERE kind = 'picker'") == 1)
    }

    @Test func `forget wants to know which source`() async throws {
        for words in [[], ["album"], ["library", "picker"]] {
            let answer = try await Program.run(
                ["forget"] + words,
                environment: ["COLDROLL_DATABASE_URL": MigratedDatabase.conninfo]
            )
            #expect(answer.code == 1)
            #expect(answer.error.contains("expected one source: library or picker"), "\(answer.error)")
        }
    }
}
