import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// Two databases, and what is asked of either.
enum MoveBench {
    /// Runs a test with a second, empty database.
    static func withTarget(_ body: (String) async throws -> Void) async throws {
        let name = "t_" + UUID().uuidString.replacing("-", with: "").lowercased()
        try await script("CREATE DATABASE \(name)", MigratedDatabase.conninfo)
        // The last one counts.
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(MigratedDatabase.conninfo + " dbname=\(name)"))
        } catch {
            result = .failure(error)
        }
        try await script("DROP DATABASE \(name) WITH (FORCE)", MigratedDatabase.conninfo)
        try result.get()
    }

    static func script(_ sql: String, _ conninfo: String) async throws {
        let connection = try await Connection.connect(conninfo)
        try await connection.script(sql, name: "test")
        await connection.close()
    }

    static func texts(_ sql: String, _ conninfo: String) async throws -> [String] {
        let connection = try await Connection.connect(conninfo)
        let texts = try await connection.run(Statement("test", sql)).map { $0.textOrNil(0) ?? "NULL" }
        await connection.close()
        return texts
    }

    static func sums(_ conninfo: String) async throws -> LedgerSums {
        let connection = try await Connection.connect(conninfo)
        let sums = try await LedgerSums.read(connection)
        await connection.close()
        return sums
    }

    static func move(from source: String = MigratedDatabase.conninfo, to target: String) -> LedgerMove {
        LedgerMove(
            from: LedgerMove.Side(conninfo: source, place: nil),
            to: LedgerMove.Side(conninfo: target, place: nil),
            silence: .seconds(30),
            tell: { _ in }
        )
    }

    /// Waits until `condition` holds, looking every 20 ms.
    static func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(90)
        while try await !condition() {
            try #require(ContinuousClock.now < end, "\(what) did not happen")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until so many sessions of moves wait for a lock in a database.
    static func untilBlocked(_ conninfo: String, sessions count: Int = 1) async throws {
        try await until("the wait for a lock") { try await blocked(conninfo) == count }
    }

    static func blocked(_ conninfo: String) async throws -> Int {
        try await texts(
            """
            SELECT pid::text FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'coldroll move' AND wait_event_type = 'Lock'
            """,
            conninfo
        ).count
    }

    /// A ledger in which every table has rows; nobody works on it any more.
    static func filled() async throws -> QueueFixture {
        let fixture = try await QueueFixture()
        try await fixture.record(20)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 6)
        _ = try await fixture.queue.complete(worker: worker, jobs.prefix(3).map { QueueFixture.stored($0) })
        _ = try await fixture.queue.fail(
            worker: worker,
            [Failure(job: jobs[3].reference, reason: "cut", message: "tab\there, a \\ and an ü", retryAfter: nil)]
        )
        for sql in [
            "INSERT INTO coldroll.upload (part_id, lease, session_uri, archive_url, object_name) SELECT part_id, 1, 'https://x', 'gs://a', 'n' FROM coldroll.job LIMIT 1",
            "INSERT INTO coldroll.run (source_id, host) SELECT id, 'nas' FROM coldroll.source",
            "SELECT coldroll.skip(max(part_id), 'not wanted') FROM coldroll.job WHERE state = 'ready'",
            "INSERT INTO coldroll.budget (day_limit, drawn, day, project, kind) VALUES (10, 3, current_date, 'p', 'api')",
            "INSERT INTO coldroll.breaker (service, place) VALUES ('media', 'p')",
            "INSERT INTO coldroll.job_start (worker_id, parts, leases) VALUES (1, '{1}', '{1}')",
            "INSERT INTO coldroll.pick_session (source_id, scan_id, session, link) VALUES (1, 1, 's', 'https://l')",
            "INSERT INTO coldroll.pick_page (session_id, page_token) VALUES (1, 't')",
            "INSERT INTO coldroll.pick (item_id, page_id) VALUES (1, 1)",
            "INSERT INTO coldroll.login (source_id, id, scopes) VALUES (1, gen_random_uuid(), '{openid}')",
            "INSERT INTO coldroll.turn (source_id, why) VALUES (1, 'call')",
            "INSERT INTO coldroll.schedule (source_id, expression, zone) VALUES (1, '0 3 1 * *', 'UTC')",
            "INSERT INTO coldroll.notice (source_id, event, subject, words) VALUES (1, 'failed', 'x', 'It failed.')",
            "INSERT INTO coldroll.doubt (part_id, twin_id, generation, size, crc32c, lease, worker_id, stored_at, adopted, fidelity, media_kind, object_name) SELECT part_id, 0, 1, size, crc32c, lease, worker_id, stored_at, adopted, fidelity, media_kind, 'n' FROM coldroll.object LIMIT 1",
            "INSERT INTO coldroll.unread (scan_id, entries, identity, filename, capture_time) VALUES (1, 2, 'x', 'a.jpg', now())",
            "INSERT INTO coldroll.empty_page (scan_id, page, token) VALUES (1, 1, 't')",
            "INSERT INTO coldroll.absence (item_id, source_id, scan_id, believed) VALUES (1, 1, 1, true)",
            "UPDATE coldroll.worker SET beat_at = now() - interval '31 s'",
            "UPDATE coldroll.scan SET renewed_at = now() - interval '31 s'",
        ] {
            try await fixture.sql(sql)
        }
        return fixture
    }
}
