import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// A ledger carried to a second database of the same server.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct MoveTests {
    @Test func `every table and sequence arrives, with roles and triggers as setup makes them`() async throws {
        let fixture = try await MoveBench.filled()
        let empty = try await MoveBench.sums(MigratedDatabase.conninfo).rows.filter { $0.value == 0 }.keys
        #expect(Set(empty) == [], "a table without rows shows nothing: fill it above")
        try await MoveBench.withTarget { target in
            let before = try await MoveBench.sums(MigratedDatabase.conninfo)
            guard case .moved(let rows) = try await MoveBench.move(to: target).run() else {
                Issue.record("not moved")
                return
            }
            #expect(rows["part"] == 20)
            #expect(try await MoveBench.sums(target) == before)
            #expect(try await MoveBench.texts("SELECT count(*)::text FROM coldroll.tally_error", target) == ["0"])
            let pool = ConnectionPool(conninfo: target, limit: 1)
            let ledger = Ledger(pool: pool)
            try await ledger.checkSchema()
            #expect(
                try await MoveBench.texts(
                    "SELECT has_table_privilege('coldroll_reader', 'coldroll.part', 'SELECT')::text",
                    target
                )
                    == ["true"]
            )
            #expect(
                try await MoveBench.texts(
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
            let leases = try await MoveBench.texts("SELECT max(lease)::text FROM coldroll.object", target)
            #expect(jobs.allSatisfy { $0.reference.lease > Int64(leases[0])! })
            _ = try await queue.complete(worker: worker, jobs.map { QueueFixture.stored($0) })
            #expect(try await MoveBench.texts("SELECT count(*)::text FROM coldroll.tally_error", target) == ["0"])
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

    @Test func `a copy that differs is not kept, and the source goes on`() async throws {
        let fixture = try await MoveBench.filled()
        try await MoveBench.withTarget { target in
            _ = try await Migrator(conninfo: target, silence: .seconds(40)).migrate()
            // Pads what it is given.
            try await MoveBench.script("ALTER TABLE coldroll.run ALTER host TYPE char(9)", target)
            let error = await #expect(throws: LedgerError.self) { _ = try await MoveBench.move(to: target).run() }
            #expect(
                error?.message.contains("The copy is not what was sent (run: 1 rows, sum ") == true,
                "\(error as Any)"
            )
            #expect(try await MoveBench.texts("SELECT count(*)::text FROM coldroll.part", target) == ["0"])
            #expect(try await MoveBench.texts("SELECT standing FROM coldroll.ledger", target) == ["here"])
            try await fixture.ledger.checkSchema()
            try await fixture.sql("UPDATE coldroll.lane SET park_reason = NULL")
        }
    }

    @Test func `what an older schema left behind is brought to this version and stays sealed meanwhile`() async throws {
        let fixture = try await MoveBench.filled()
        try await MoveBench.withTarget { target in
            _ = try await MoveBench.move(to: target).run()
            // As if a step had been added since, and wrote: the seal must not keep it from being applied.
            for sql in [
                "DELETE FROM coldroll.migration WHERE version = (SELECT max(version) FROM coldroll.migration)",
                "CREATE TABLE public.seen (n integer)",
                """
                CREATE FUNCTION public.write() RETURNS event_trigger LANGUAGE plpgsql AS $$
                BEGIN
                    UPDATE coldroll.lane SET park_reason = NULL;
                    RAISE EXCEPTION 'it wrote' USING ERRCODE = 'TT001';
                END $$
                """,
                "CREATE EVENT TRIGGER write ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'CREATE FUNCTION') EXECUTE FUNCTION public.write()",
            ] {
                try await fixture.sql(sql)
            }
            let back = MoveBench.move(from: target, to: MigratedDatabase.conninfo)
            // The last step is not to be repeated in earnest, so it fails.
            let error = await #expect(throws: PostgresError.self) { _ = try await back.run() }
            #expect(error?.code == .server(sqlState: "TT001"), "\(error as Any)")
            try await fixture.sql("DROP EVENT TRIGGER write")
            let write = await #expect(throws: PostgresError.self) { try await fixture.sql("DELETE FROM coldroll.lane") }
            #expect(write?.code == .server(sqlState: "CRL01"))
            // What ended the move needs no schema of this version.
            let again = try await MoveBench.move(to: target).run()
            guard case .wasThere = again else {
                Issue.record("\(again)")
                return
            }
        }
    }
}
