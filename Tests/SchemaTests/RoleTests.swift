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

    @Test func `a reader reads every view and table but the uploads, and changes nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let job = try #require(try await fixture.claim(worker, 1).first)
        let upload = KeptUpload(session: "SECRET", length: 9, archive: "gs://a", objectName: "n")
        #expect(try await fixture.queue.keepUpload(worker: worker, job.reference, upload, offset: 0))
        let relations = try await fixture.texts(
            """
            SELECT relname FROM pg_class
            WHERE relnamespace = 'coldroll'::regnamespace AND relkind IN ('r', 'v') AND relname <> 'upload'
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
        for call in [
            "accept(\(part))", "skip(\(part), 'no')", "retry(\(part))", "retry_failed('x')", "pause(\(lane))",
            "resume(\(lane))",
        ] {
            #expect(try await refusal(fixture, as: "coldroll_reader", "SELECT coldroll.\(call)") == "42501")
            #expect(try await refusal(fixture, as: "coldroll_operator", "SELECT coldroll.\(call)") == nil)
        }
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
        for view in ["queue_overview", "running", "failures", "workers", "throughput", "balance", "missing"] {
            _ = try await connection.run(Statement("test", "SELECT * FROM coldroll.\(view)"))
        }
    }
}
