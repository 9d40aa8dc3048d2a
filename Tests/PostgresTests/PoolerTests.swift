import Foundation
import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct PoolerTests {
    @Test func `everything but LISTEN works through a pooler that changes the server with each transaction`()
        async throws
    {
        let pooler = try Pooler(MigratedDatabase.conninfo)
        defer { pooler.stop() }
        let conninfo = try await pooler.conninfo()
        let pool = ConnectionPool(conninfo: conninfo, limit: 4)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let rows = try await pool.run(
                        Statement("test.sum", "SELECT sum(n)::bigint, $2 FROM unnest($1::int[]) AS n"),
                        [.integers([1, 2, nil, Int64(number)]), .text("x")]
                    )
                    #expect(try rows[0].integer(0) == Int64(3 + number))
                }
            }
            try await group.waitForAll()
        }
        let same = try await pool.with { (connection) async throws(PostgresError) in
            try await connection.transaction { @Sendable connection throws(PostgresError) in
                let pid = Statement("test.pid", "SELECT pg_backend_pid()")
                return try connection.run(pid)[0].integer(0) == connection.run(pid)[0].integer(0)
            }
        }
        #expect(same)
        await pool.close()
    }

    @Test func `a pooler is told from a server`() async throws {
        let pooler = try Pooler(MigratedDatabase.conninfo)
        defer { pooler.stop() }
        #expect(try await Connection.connect(await pooler.conninfo()).isPooled())
        #expect(try await !Connection.connect(MigratedDatabase.conninfo).isPooled())
    }

    @Test func `a cancelled task stops its statement through the pooler too`() async throws {
        let pooler = try Pooler(MigratedDatabase.conninfo)
        defer { pooler.stop() }
        let connection = try await Connection.connect(await pooler.conninfo())
        let observer = try await Connection.connect(MigratedDatabase.conninfo)
        let task = Task { try await connection.run(Statement("test.sleep", "SELECT pg_sleep(50)")).count }
        let sleeping = Statement(
            "test.sleeping",
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        )
        while try await observer.run(sleeping).isEmpty { await Task.yield() }
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.isCancellation == true)
        while try await !observer.run(sleeping).isEmpty { await Task.yield() }
    }
}
