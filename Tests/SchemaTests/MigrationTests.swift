import Foundation
import JobQueue
import Postgres
import Schema
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct MigrationTests {
    private let migrator = Migrator(conninfo: MigratedDatabase.conninfo, silence: .seconds(40))

    private func ledger() -> Ledger {
        Ledger(pool: ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1))
    }

    @Test func `versions run from 1 without gaps and equal the files`() throws {
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../sql/migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
        #expect(files == Migration.all.map { String(format: "m%04d_", $0.version) + $0.name + ".sql" })
    }

    @Test func `migrating twice does nothing the second time`() async throws {
        #expect(try await migrator.migrate().map(\.version) == Migration.all.map(\.version))
        let before = try await dump()
        #expect(try await migrator.migrate().isEmpty)
        #expect(try await dump() == before)
        try await ledger().checkSchema()
    }

    @Test func `several that migrate at once apply each step once`() async throws {
        let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<6 {
                group.addTask { try await migrator.migrate().map(\.version) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == Migration.all.map(\.version))
        try await ledger().checkSchema()
    }

    @Test func `psql -f makes the same schema, in any mixture with the program`() async throws {
        _ = try await migrator.migrate()
        let mine = try await dump()
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("DROP SCHEMA coldroll CASCADE", name: "test.drop")
        for step in Migration.all.prefix(2) {
            try await psql(step)
        }
        #expect(try await migrator.migrate().map(\.version) == Migration.all.dropFirst(2).map(\.version))
        #expect(try await dump() == mine)
    }

    @Test func `psql refuses a step that is applied, or that comes too early`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let early = await #expect(throws: PostgresError.self) {
            try await connection.script(Migration.all[1].sql, name: "early")
        }
        #expect(early?.code == .server(sqlState: "CRM02"))
        try await connection.script("ROLLBACK", name: "rollback")
        _ = try await migrator.migrate()
        for step in Migration.all {
            let again = await #expect(throws: PostgresError.self) {
                try await connection.script(step.sql, name: "again")
            }
            #expect(again?.code == .server(sqlState: Migration.alreadyApplied))
            #expect(again?.message.contains("already applied") == true)
            try await connection.script("ROLLBACK", name: "rollback")
        }
    }

    @Test func `a step that fails leaves nothing behind`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            "CREATE SCHEMA coldroll; CREATE TABLE coldroll.outcome (x int)",
            name: "test.obstacle"
        )
        await #expect(throws: PostgresError.self) { try await migrator.migrate() }
        let tables = try await connection.run(
            Statement("test", "SELECT relname FROM pg_class WHERE relnamespace = 'coldroll'::regnamespace")
        )
        #expect(try tables.map { try $0.text(0) } == ["outcome"])
    }

    @Test func `a schema that is missing, older, newer or foreign is told apart`() async throws {
        func message() async -> String {
            do {
                try await ledger().checkSchema()
                return ""
            } catch {
                #expect((error as? LedgerError)?.code == .schema)
                return "\(error)"
            }
        }
        #expect(await message().contains("no coldroll schema"))
        try await psql(Migration.all[0])
        #expect(await message().contains("older than this coldroll"))
        _ = try await migrator.migrate()
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            "INSERT INTO coldroll.migration (version, name) VALUES (1000, 'future')",
            name: "test.future"
        )
        #expect(await message().contains("newer than this coldroll"))
        await #expect(throws: LedgerError.self) { try await migrator.migrate() }
        try await connection.script(
            "DELETE FROM coldroll.migration WHERE version = 1000; UPDATE coldroll.migration SET name = 'x' WHERE version = 2",
            name: "test.foreign"
        )
        #expect(await message().contains("another program"))
    }

    @Test func `nothing is applied while somebody works by the schema that is there`() async throws {
        for step in Migration.all.dropLast() { try await psql(step) }
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            """
            INSERT INTO coldroll.worker (id, host, process_id, version, slots, sources, beat_at)
            VALUES (7, 'nas', 42, '1', 1, '{1}', now() - interval '30 s')
            """,
            name: "test.worker"
        )
        let error = await #expect(throws: LedgerError.self) { try await migrator.migrate() }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("nas, process 42. Stop them") == true)
        await #expect(throws: LedgerError.self) { try await ledger().checkSchema() }
        try await connection.script(
            "UPDATE coldroll.worker SET beat_at = now() - interval '41 s'",
            name: "test.silent"
        )
        #expect(try await migrator.migrate().map(\.version) == [Migration.all.count])
        // Where there is nothing to change nobody is in the way.
        try await connection.script("UPDATE coldroll.worker SET beat_at = now()", name: "test.alive")
        #expect(try await migrator.migrate().isEmpty)
        await connection.close()
    }

    @Test
    func
        `a role that may not create roles can migrate, and one that may not even make a schema is told what to ask for`()
        async throws
    {
        let admin = try await Connection.connect(MigratedDatabase.conninfo)
        let database = try #require(MigratedDatabase.conninfo.split(separator: "dbname=").last)
        let role = "owner_\(database)"
        try await admin.script(
            "CREATE ROLE \(role) LOGIN",
            name: "test.role"
        )
        let conninfo = MigratedDatabase.conninfo.replacing("user=postgres", with: "user=\(role)")
        let migrator = Migrator(conninfo: conninfo, silence: .seconds(40))
        // What it is told to ask for is all that it needs.
        let refusal = await #expect(throws: LedgerError.self) { _ = try await migrator.migrate() }
        #expect(refusal?.code == .forbidden)
        let message = try #require(refusal?.message)
        #expect(
            message.hasPrefix("The user \(role) may not make the schema coldroll in the database \(database). Nothing")
        )
        let grant = try #require(message.firstMatch(of: /GRANT CREATE ON DATABASE .+;$/)?.output)
        try await admin.script(String(grant), name: "test.grant")
        let applied = try await migrator.migrate()
        #expect(applied.count == Migration.all.count)
        try await admin.script(
            "DROP SCHEMA coldroll CASCADE; DROP OWNED BY \(role); DROP ROLE \(role)",
            name: "test.drop"
        )
    }

    private func psql(_ step: Migration) async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../sql/migrations/\(String(format: "m%04d_", step.version))\(step.name).sql")
        let output = try await Program.run(
            "psql",
            ["-q", "-v", "ON_ERROR_STOP=1", "-f", file.path(percentEncoded: false), MigratedDatabase.conninfo]
        )
        #expect(output.status == 0)
    }

    /// The schema as text, without the words that pg_dump draws at random for each dump.
    private func dump() async throws -> String {
        let output = try await Program.run(
            "pg_dump",
            ["--schema-only", "--schema=coldroll", MigratedDatabase.conninfo]
        )
        #expect(output.status == 0)
        let lines = output.text.split(separator: "\n").filter { !$0.contains("restrict ") }
        #expect(lines.count > 500)
        return lines.joined(separator: "\n")
    }
}
