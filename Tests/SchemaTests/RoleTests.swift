import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct RoleTests {
    /// Runs one statement as a role; the SQLSTATE that refuses it, or nil.
    private func refusal(_ fixture: QueueFixture, as role: String, _ sql: String) async throws -> String? {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("SET ROLE \(role)", name: "test.role")
        do {
            _ = try await connection.run(Statement("test", sql))
            return nil
        } catch {
            guard case .server(let sqlState) = error.code else { throw error }
            return sqlState
        }
    }

    @Test func `a reader reads every view and table but the uploads and picking sessions, and changes nothing`()
        async throws
    {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        let upload = KeptUpload(session: "SECRET", length: 9, archive: "gs://a", objectName: "n")
        #expect(try await fixture.queue.keepUpload(worker: worker, job.reference, upload, offset: 0))
        let picker = try await fixture.ledger.source(kind: "picker", account: "p", clientID: nil)
        let pick = try await fixture.ledger.openScan(source: picker, since: nil, until: nil)
        _ = try await fixture.ledger.beginPick(pick, session: "S", link: "https://SECRET", expiresAt: nil)
        #expect(
            try await fixture.number("SELECT count(*) FROM coldroll.picks WHERE state = 'waits for the person'") == 1
        )
        let relations = try await fixture.texts(
            """
            SELECT relname FROM pg_class
            WHERE relnamespace = 'coldroll'::regnamespace AND relkind IN ('r', 'v')
              AND relname NOT IN ('upload', 'pick_session')
            """
        )
        #expect(relations.count > 15)
        for role in ["coldroll_reader", "coldroll_operator"] {
            for relation in relations {
                #expect(try await refusal(fixture, as: role, "SELECT * FROM coldroll.\(relation)") == nil)
                // Nor does a view tell what the table hides.
                let shown = "SELECT count(*) FROM coldroll.\(relation) AS r WHERE r::text LIKE '%SECRET%'"
                #expect(try await fixture.number(shown) == 0)
            }
            for sql in [
                "SELECT * FROM coldroll.pick_session", "SELECT link FROM coldroll.pick_session",
                "SELECT * FROM coldroll.upload", "SELECT part_id FROM coldroll.upload", "DELETE FROM coldroll.job",
                "UPDATE coldroll.part SET object_name = 'x'",
                "INSERT INTO coldroll.object (part_id) VALUES (1)", "SELECT nextval('coldroll.lease')",
                "SELECT coldroll.requeue(ARRAY[1::bigint], 'x', true)",
            ] {
                #expect(try await refusal(fixture, as: role, sql) == "42501")
            }
        }
    }

    @Test func `only an operator may call the functions`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let part = try await fixture.number("SELECT min(id) FROM coldroll.part")
        let lane = try await fixture.number("SELECT min(id) FROM coldroll.lane")
        _ = try await fixture.ledger.source(kind: "picker", account: "mistaken", clientID: nil)
        for call in [
            "accept(\(part))", "skip(\(part), 'no')", "retry(\(part))", "retry_failed('x')", "pause(\(lane))",
            "resume(\(lane))", "recount()", "forget('picker', 'mistaken')",
        ] {
            #expect(try await refusal(fixture, as: "coldroll_reader", "SELECT coldroll.\(call)") == "42501")
            #expect(try await refusal(fixture, as: "coldroll_operator", "SELECT coldroll.\(call)") == nil)
        }
    }

    @Test func `whoever sets up again gives the roles what they lack, on every table that there is`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.sql("CREATE TABLE coldroll.later (x integer)")
        try await fixture.sql("REVOKE ALL ON coldroll.job FROM coldroll_reader")
        try await fixture.sql("REVOKE ALL ON FUNCTION coldroll.recount() FROM coldroll_operator")
        try await fixture.sql("GRANT SELECT ON coldroll.upload TO coldroll_reader")
        #expect(try await refusal(fixture, as: "coldroll_reader", "TABLE coldroll.later") == "42501")
        _ = try await Migrator(conninfo: MigratedDatabase.conninfo, silence: .seconds(40)).migrate()
        for role in ["coldroll_reader", "coldroll_operator"] {
            #expect(try await refusal(fixture, as: role, "TABLE coldroll.later") == nil)
            #expect(try await refusal(fixture, as: role, "TABLE coldroll.job") == nil)
            #expect(try await refusal(fixture, as: role, "TABLE coldroll.upload") == "42501")
        }
        #expect(try await refusal(fixture, as: "coldroll_operator", "SELECT coldroll.recount()") == nil)
    }

    @Test func `an owner who may create roles becomes a reader`() async throws {
        let fixture = try await QueueFixture()
        let database = try #require(MigratedDatabase.conninfo.split(separator: "dbname=").last)
        let role = "owner_\(database)"
        try await fixture.sql("CREATE ROLE \(role) LOGIN CREATEROLE")
        try await fixture.sql("GRANT CREATE ON DATABASE \(database) TO \(role)")
        try await fixture.sql("DROP SCHEMA coldroll CASCADE")
        let conninfo = MigratedDatabase.conninfo.replacing("user=postgres", with: "user=\(role)")
        _ = try await Migrator(conninfo: conninfo, silence: .seconds(40)).migrate()
        let connection = try await Connection.connect(conninfo)
        try await connection.script("SET ROLE coldroll_reader; TABLE coldroll.balance", name: "test.reader")
        await connection.close()
        try await fixture.sql("DROP SCHEMA coldroll CASCADE")
        try await fixture.sql("DROP OWNED BY \(role)")
        try await fixture.sql("DROP ROLE \(role)")
    }

    @Test func `nothing depends on the search path, nor can objects in it be slipped in`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            """
            CREATE TABLE public.job (part_id bigint);
            CREATE TABLE public.part (id bigint);
            SET search_path = public;
            """,
            name: "test.path"
        )
        let row = try await connection.run(Statement("test", "SELECT coldroll.accept(min(id)) FROM coldroll.part"))
        #expect(try row[0].text(0).contains("even if it is smaller"))
        for view in ["queue_overview", "running", "failures", "workers", "throughput", "balance", "missing", "picks"] {
            _ = try await connection.run(Statement("test", "SELECT * FROM coldroll.\(view)"))
        }
    }
}
