import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// A ledger carried to a second database of the same server.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct MoveTests {
    /// Runs a test with a second, empty database.
    private func withTarget(_ body: (String) async throws -> Void) async throws {
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

    private func script(_ sql: String, _ conninfo: String) async throws {
        let connection = try await Connection.connect(conninfo)
        try await connection.script(sql, name: "test")
        await connection.close()
    }

    private func texts(_ sql: String, _ conninfo: String) async throws -> [String] {
        let connection = try await Connection.connect(conninfo)
        let texts = try await connection.run(Statement("test", sql)).map { $0.textOrNil(0) ?? "NULL" }
        await connection.close()
        return texts
    }

    private func sums(_ conninfo: String) async throws -> LedgerSums {
        let connection = try await Connection.connect(conninfo)
        let sums = try await LedgerSums.read(connection)
        await connection.close()
        return sums
    }

    private func move(to target: String) -> LedgerMove {
        LedgerMove(
            from: LedgerMove.Side(conninfo: MigratedDatabase.conninfo, place: nil),
            to: LedgerMove.Side(conninfo: target, place: nil),
            silence: .seconds(30),
            tell: { _ in }
        )
    }

    /// A ledger in which every table has rows; nobody works on it any more.
    private func filled() async throws -> QueueFixture {
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
            "INSERT INTO coldroll.job_start (worker_id, parts, leases) VALUES (1, '{1,2}', '{3,3}')",
            "SELECT coldroll.skip(max(part_id), 'not wanted') FROM coldroll.job WHERE state = 'ready'",
            "INSERT INTO coldroll.budget (day_limit, drawn, day, project, kind) VALUES (10, 3, current_date, 'p', 'api')",
            "INSERT INTO coldroll.breaker (service, place) VALUES ('media', 'p')",
            "INSERT INTO coldroll.absence (item_id, source_id, scan_id, believed) VALUES (1, 1, 1, true)",
            "UPDATE coldroll.worker SET beat_at = now() - interval '31 s'",
            "UPDATE coldroll.scan SET renewed_at = now() - interval '31 s'",
        ] {
            try await fixture.sql(sql)
        }
        return fixture
    }

    @Test func `every table and sequence arrives, with roles and triggers as setup makes them`() async throws {
        let fixture = try await filled()
        let empty = try await sums(MigratedDatabase.conninfo).rows.filter { $0.value == 0 }.keys
        #expect(Set(empty) == [], "a table without rows shows nothing: fill it above")
        try await withTarget { target in
            let before = try await sums(MigratedDatabase.conninfo)
            guard case .moved(let rows) = try await move(to: target).run() else {
                Issue.record("not moved")
                return
            }
            #expect(rows["part"] == 20)
            #expect(try await sums(target) == before)
            #expect(try await texts("SELECT count(*)::text FROM coldroll.tally_error", target) == ["0"])
            let pool = ConnectionPool(conninfo: target, limit: 1)
            let ledger = Ledger(pool: pool)
            try await ledger.checkSchema()
            #expect(
                try await texts(
                    "SELECT has_table_privilege('coldroll_reader', 'coldroll.part', 'SELECT')::text",
                    target
                )
                    == ["true"]
            )
            #expect(
                try await texts(
                    "SELECT has_table_privilege('coldroll_reader', 'coldroll.upload', 'SELECT')::text",
                    target
                )
                    == ["false"]
            )
            // The copy is the queue: what was claimed is found, what is new gets new numbers, sums are kept.
            let queue = JobQueue(pool: pool, logger: .none)
            let worker = try await queue.register(
                host: "host",
                processID: 2,
                version: "test",
                slots: 4,
                sources: [fixture.source]
            )
            let jobs = try await queue.claim(worker: worker, sources: [fixture.source], limit: 3)
            let leases = try await texts("SELECT max(lease)::text FROM coldroll.object", target)
            #expect(jobs.allSatisfy { $0.reference.lease > Int64(leases[0])! })
            _ = try await queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
            #expect(try await texts("SELECT count(*)::text FROM coldroll.tally_error", target) == ["0"])
            await pool.close()

            let refusal = await #expect(throws: LedgerError.self) { try await fixture.ledger.checkSchema() }
            #expect(refusal?.code == .elsewhere)
            for table in before.rows.keys where table != "ledger" {
                let write = await #expect(throws: PostgresError.self, "\(table)") {
                    try await fixture.sql("DELETE FROM coldroll.\(table)")
                }
                #expect(write?.code == .server(sqlState: "CRL01"), "\(table)")
            }
        }
    }

    @Test func `of two moves at once one is made, with all that was written while they waited`() async throws {
        let fixture = try await filled()
        try await withTarget { one in
            try await withTarget { other in
                // Snapshots of whole transactions would be older than the lock.
                try await fixture.sql(
                    """
                    DO $$ BEGIN
                        EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', current_database(),
                                       'repeatable read');
                    END $$
                    """
                )
                let writer = try await Connection.connect(MigratedDatabase.conninfo)
                try await writer.begin()
                try await writer.script(
                    "INSERT INTO coldroll.run (source_id, host) SELECT id, 'late' FROM coldroll.source",
                    name: "test"
                )
                let moves = [one, other].map { target in
                    let move = move(to: target)
                    return Task { try await move.run() }
                }
                while try await fixture.number(
                    """
                    SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
                    WHERE d.datname = current_database() AND l.locktype = 'relation' AND NOT l.granted
                    """
                ) < 2 { try await Task.sleep(for: .milliseconds(20)) }
                try await writer.commit()
                await writer.close()
                var errors: [LedgerError] = []
                for move in moves {
                    do { _ = try await move.value } catch { errors.append(try #require(error as? LedgerError)) }
                }
                #expect(errors.map(\.code) == [.elsewhere], "\(errors)")
                var copies = 0
                for target in [one, other] {
                    guard try await texts("SELECT to_regclass('coldroll.ledger')::text", target) != ["NULL"] else {
                        continue
                    }
                    let runs = "SELECT count(*)::text FROM coldroll.run WHERE host = 'late'"
                    if try await texts(runs, target) == ["1"] { copies += 1 }
                }
                #expect(copies == 1)
            }
        }
    }

    @Test func `where the new place is lost, the way that README tells brings the old one back`() async throws {
        let fixture = try await filled()
        try await withTarget { target in
            _ = try await move(to: target).run()
            try await script("DROP SCHEMA coldroll CASCADE", target)
            let error = await #expect(throws: LedgerError.self) { _ = try await move(to: target).run() }
            #expect(error?.message.contains("README.md says how to bring this one back") == true, "\(error as Any)")
            let readme = try String(contentsOfFile: "README.md", encoding: .utf8)
            let command = try #require(readme.firstMatch(of: /psql "\$COLDROLL_DATABASE_URL" -c "(BEGIN; [^"]+)"/))
            try await script(String(command.1), MigratedDatabase.conninfo)
            try await fixture.ledger.checkSchema()
            try await fixture.sql("UPDATE coldroll.lane SET park_reason = NULL")
            guard case .moved = try await move(to: target).run() else {
                Issue.record("not moved again")
                return
            }
        }
    }

    @Test func `a copy that differs is not kept, and the source goes on`() async throws {
        let fixture = try await filled()
        try await withTarget { target in
            _ = try await Migrator(conninfo: target).migrate()
            // Pads what it is given.
            try await script("ALTER TABLE coldroll.run ALTER host TYPE char(9)", target)
            let error = await #expect(throws: LedgerError.self) { _ = try await move(to: target).run() }
            #expect(
                error?.message.contains("The copy is not what was sent (run: 1 rows, sum ") == true,
                "\(error as Any)"
            )
            #expect(try await texts("SELECT count(*)::text FROM coldroll.part", target) == ["0"])
            #expect(try await texts("SELECT standing FROM coldroll.ledger", target) == ["here"])
            try await fixture.ledger.checkSchema()
            try await fixture.sql("UPDATE coldroll.lane SET park_reason = NULL")
        }
    }

    @Test func `what an older schema left behind is brought to this version before the ledger comes back`() async throws
    {
        let fixture = try await filled()
        try await withTarget { target in
            _ = try await move(to: target).run()
            // As if a step had been added since: the seal must not keep it from being applied.
            try await fixture.sql(
                "DELETE FROM coldroll.migration WHERE version = (SELECT max(version) FROM coldroll.migration)"
            )
            let back = LedgerMove(
                from: LedgerMove.Side(conninfo: target, place: nil),
                to: LedgerMove.Side(conninfo: MigratedDatabase.conninfo, place: nil),
                silence: .seconds(30),
                tell: { _ in }
            )
            // The last step cannot be repeated, which is what fails, not the seal; and the seal is there again.
            let error = await #expect(throws: (any Error).self) { _ = try await back.run() }
            #expect(!"\(error as Any)".contains("CRL0"), "\(error as Any)")
            #expect(try await fixture.number("SELECT count(*) FROM pg_trigger WHERE tgname = 'refuse_moved'") > 0)
        }
    }
}
