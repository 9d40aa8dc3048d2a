import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct ConnectionTests {
    @Test func `an error names its statement, its SQLSTATE and its constraint`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("CREATE TABLE t (n int CONSTRAINT positive CHECK (n > 0))", name: "test.create")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run(Statement("test.insert", "INSERT INTO t VALUES ($1)"), [.integer(-5)])
        }
        #expect(error?.code == .server(sqlState: "23514"))
        #expect(error?.constraint == "positive")
        #expect(
            error?.description
                == #"PostgreSQL error 23514 in test.insert: new row for relation "t" violates check constraint "positive""#
        )
        #expect(try await connection.run(Statement("test.after", "SELECT 1")).count == 1)
    }

    @Test(arguments: [
        ("SELECT $1::bigint", "hunter2"), ("SELECT $1::text::int", "99999999999"),
        ("SELECT $1::text::date", "2024-99-01"),
        ("SELECT $1::jsonb", "{hunter2"), ("SELECT $1::int[]", "{hunter2"), ("SELECT $1::text::regclass", "hunter2 x"),
    ])
    func `no error repeats a bound value`(_ sql: String, _ secret: String) async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run(Statement("test.value", sql), [.text(secret)])
        }
        let text = try String(reflecting: #require(error))
        #expect(!text.contains(secret), "\(text)")
    }

    @Test func `a unique violation does not repeat the key`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("CREATE TABLE t (k text PRIMARY KEY)", name: "test.create")
        let insert = Statement("test.insert", "INSERT INTO t VALUES ($1)")
        _ = try await connection.run(insert, [.text("hunter2")])
        let error = await #expect(throws: PostgresError.self) { try await connection.run(insert, [.text("hunter2")]) }
        #expect(error?.constraint == "t_pkey")
        #expect(!String(reflecting: error).contains("hunter2"))
    }

    @Test func `a script runs several statements as one transaction`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        await #expect(throws: PostgresError.self) {
            try await connection.script("CREATE TABLE a (); SELECT 1/0", name: "test.script")
        }
        let rows = try await connection.run(Statement("test.find", "SELECT to_regclass('a') IS NULL"))
        #expect(try rows[0].boolean(0))
        try await connection.script(
            "CREATE TABLE IF NOT EXISTS a (); CREATE TABLE IF NOT EXISTS a ()",
            name: "test.script"
        )
    }

    @Test func `describe counts parameters and columns without running anything`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let counts = try await connection.describe(Statement("test.describe", "SELECT $1::int / 0, $2::text, 3"))
        #expect(counts == (2, 3))
        await #expect(throws: PostgresError.self) { try await connection.describe(Statement("test.bad", "SELEKT")) }
    }

    @Test func `COPY is refused and the connection is not used again`() async throws {
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.run(Statement("test.copy", "COPY (SELECT 1) TO STDOUT"))
        }
        #expect(error?.code == .unexpectedAnswer)
        #expect(try await pool.run(Statement("test.after", "SELECT 1")).count == 1)
        await pool.close()
    }

    @Test func `a closed connection is a lost one`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        await connection.close()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run(Statement("test.late", "SELECT 1"))
        }
        #expect(error?.code == .connectionLost)
        #expect(error?.statement == "test.late")
    }

    @Test func `a statement whose backend dies reports a lost connection`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run(Statement("test.suicide", "SELECT pg_terminate_backend(pg_backend_pid())"))
        }
        #expect(error?.code == .connectionLost)
        #expect(error?.isTransient == true)
        let after = await #expect(throws: PostgresError.self) {
            try await connection.run(Statement("test.after", "SELECT 1"))
        }
        #expect(after?.code == .connectionLost)
    }

    @Test(arguments: [
        "SET LOCAL statement_timeout = 1; SELECT pg_sleep(50)", "SET TRANSACTION READ ONLY; CREATE TABLE nothing ()",
    ])
    func `what a server stopped, or takes no writes for, may succeed later`(script: String) async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let error = await #expect(throws: PostgresError.self) {
            try await connection.script("BEGIN; \(script)", name: "test.stopped")
        }
        #expect(error?.isTransient == true, "\(String(describing: error))")
    }

    @Test func `a session is named, speaks UTF-8 and has no other settings`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo, applicationName: "test worker 7")
        let rows = try await connection.run(
            Statement(
                "test.settings",
                """
                SELECT current_setting('application_name'), current_setting('client_encoding'),
                       (SELECT count(*) FROM pg_settings WHERE source = 'client'
                        AND name NOT IN ('application_name', 'client_encoding'))
                """
            )
        )
        #expect(try rows[0].text(0) == "test worker 7")
        #expect(try rows[0].text(1) == "UTF8")
        #expect(try rows[0].integer(2) == 0)
    }
}
