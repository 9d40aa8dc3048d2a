import Postgres
import TestSupport
import Testing

/// Statements that a connection has the server keep.
@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct KeptStatementTests {
    private static let sum = Statement("test.sum", "SELECT sum(n)::bigint FROM unnest($1::bigint[]) AS n", isKept: true)
    /// Statements that the server keeps for the connection, and how often it planned or ran each.
    private static let kept = Statement(
        "test.kept",
        "SELECT name, generic_plans + custom_plans FROM pg_prepared_statements WHERE name <> '' ORDER BY name"
    )

    private func kept(_ connection: Connection) async throws -> [String: Int64] {
        let rows = try await connection.run(Self.kept).map { (try $0.text(0), try $0.integer(1)) }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    private func sum(_ connection: Connection, _ values: [Int64]) async throws -> Int64 {
        try await connection.run(Self.sum, [.integers(values)])[0].integer(0)
    }

    @Test func `it is parsed once, and answers each call`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        for number in 1...9 { #expect(try await sum(connection, [1, Int64(number)]) == Int64(number) + 1) }
        _ = try await connection.run(Statement("test.once", "SELECT 1"))
        #expect(try await kept(connection) == ["test.sum": 9])
    }

    @Test func `it is planned anew after 200 runs`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        for _ in 1...201 { #expect(try await sum(connection, [1, 2]) == 3) }
        #expect(try await kept(connection) == ["test.sum": 1])
    }

    @Test func `values of another type than the first are taken for what they are`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let length = Statement("test.length", "SELECT array_to_string($1, '')", isKept: true)
        #expect(try await connection.run(length, [.integers([1, 2])])[0].text(0) == "12")
        #expect(try await connection.run(length, [.texts(["a", "b"])])[0].text(0) == "ab")
        #expect(try await connection.run(length, [.integers([3])])[0].text(0) == "3")
    }

    @Test func `one that somebody let go is run all the same, and is kept no more`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        #expect(try await sum(connection, [1]) == 1)
        try await connection.script("DEALLOCATE ALL", name: "test.deallocate")
        #expect(try await sum(connection, [2]) == 2)
        #expect(try await sum(connection, [3]) == 3)
        #expect(try await kept(connection).isEmpty)
    }

    @Test func `in a transaction that is an error, and the next one goes well`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        #expect(try await sum(connection, [1]) == 1)
        try await connection.script("DEALLOCATE ALL", name: "test.deallocate")
        func once() async throws(PostgresError) -> Int {
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                try connection.run(Self.sum, [.integers([2])]).count
            }
        }
        let error = await #expect(throws: PostgresError.self) { try await once() }
        #expect(error?.code == .server(sqlState: "26000"))
        #expect(try await once() == 1)
    }

    @Test func `a table that has changed is read as it is`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("CREATE TABLE t AS SELECT 1 AS a", name: "test.create")
        let all = Statement("test.all", "SELECT t FROM (SELECT * FROM t) AS t", isKept: true)
        let star = Statement("test.star", "SELECT * FROM t", isKept: true)
        #expect(try await connection.run(star)[0].integer(0) == 1)
        #expect(try await connection.run(all)[0].text(0) == "(1)")
        try await connection.script("ALTER TABLE t ADD COLUMN b int DEFAULT 2", name: "test.alter")
        #expect(try await connection.run(star)[0].integer(1) == 2)
        #expect(try await connection.run(all)[0].text(0) == "(1,2)")
    }

    @Test func `a cancelled call keeps nothing half`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        #expect(try await sum(connection, [1]) == 1)
        let sleep = Statement("test.sleep", "SELECT pg_sleep($1::float8)", isKept: true)
        let task = Task { try await connection.run(sleep, [.double(60)]).count }
        let observer = try await Connection.connect(MigratedDatabase.conninfo)
        let sleeping = Statement(
            "test.sleeping",
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        )
        while try await observer.run(sleeping).isEmpty { await Task.yield() }
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.isCancellation == true)
        #expect(try await connection.run(sleep, [.double(0)]).count == 1)
        #expect(try await sum(connection, [5]) == 5)
    }

    @Test func `behind a pooler nothing is kept`() async throws {
        let pooler = try Pooler(MigratedDatabase.conninfo)
        defer { pooler.stop() }
        let pool = ConnectionPool(conninfo: try await pooler.conninfo(), limit: 4)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let rows = try await pool.run(Self.sum, [.integers([1, Int64(number)])])
                    #expect(try rows[0].integer(0) == Int64(number) + 1)
                    let kept = try await pool.run(Self.kept)
                    #expect(kept.isEmpty)
                }
            }
            try await group.waitForAll()
        }
        await pool.close()
    }
}
