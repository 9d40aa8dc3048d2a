import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct TransactionTests {
    private let insert = Statement("test.insert", "INSERT INTO t VALUES ($1)")

    private func connect() async throws -> Connection {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            "CREATE TABLE IF NOT EXISTS t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
            name: "test.create"
        )
        return connection
    }

    private func count(_ connection: Connection) async throws -> Int64 {
        try await connection.run(Statement("test.count", "SELECT count(*) FROM t"))[0].integer(0)
    }

    @Test func `a body that returns is committed`() async throws {
        let connection = try await connect()
        let insert = insert
        let value = try await connection.transaction { @Sendable connection throws(PostgresError) in
            _ = try connection.run(insert, [.integer(1)])
            return 42
        }
        #expect(value == 42)
        #expect(try await count(connect()) == 1)
    }

    @Test func `a body that throws is rolled back, and its error comes out`() async throws {
        let connection = try await connect()
        let insert = insert
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                _ = try connection.run(insert, [.integer(1)])
                _ = try connection.run(Statement("test.fail", "SELECT 1/0"))
            }
        }
        #expect(error?.statement == "test.fail")
        #expect(try await count(connection) == 0)
    }

    @Test func `a swallowed error does not pass for a commit`() async throws {
        let connection = try await connect()
        let insert = insert
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                _ = try connection.run(insert, [.integer(1)])
                _ = try? connection.run(Statement("test.fail", "SELECT 1/0"))
            }
        }
        #expect(error?.code == .server(sqlState: "25P02"))
        #expect(error?.statement == "commit")
        #expect(try await count(connection) == 0)
    }

    @Test func `a constraint that is checked late fails at commit`() async throws {
        let connection = try await connect()
        let insert = insert
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                _ = try connection.run(insert, [.integer(1)])
                _ = try connection.run(insert, [.integer(1)])
            }
        }
        #expect(error?.code == .server(sqlState: "23505"))
        #expect(error?.statement == "commit")
        #expect(error?.constraint == "t_n_key")
        #expect(try await count(connection) == 0)
    }

    @Test func `a connection that is lost at commit says so`() async throws {
        let connection = try await connect()
        try await connection.script(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION die();
            """,
            name: "test.trigger"
        )
        let insert = insert
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                _ = try connection.run(insert, [.integer(1)])
            }
        }
        #expect(error?.code == .connectionLost)
        #expect(error?.statement == "commit")
    }

    @Test func `a transaction inside a transaction is refused and the outer one goes on`() async throws {
        let connection = try await connect()
        let insert = insert
        try await connection.transaction { @Sendable connection throws(PostgresError) in
            _ = try connection.run(insert, [.integer(1)])
            do throws(PostgresError) {
                try connection.transaction { @Sendable _ throws(PostgresError) in }
            } catch {
                guard error.code == .server(sqlState: "25001") else { throw error }
            }
        }
        #expect(try await count(connection) == 1)
    }
}
