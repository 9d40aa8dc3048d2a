import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct CancellationTests {
    /// A session whose waiting ends by itself, with another error, should nobody cancel it.
    private func connectWaiter() async throws -> Connection {
        let waiter = try await Connection.connect(MigratedDatabase.conninfo, applicationName: "waiter")
        try await waiter.script("SET lock_timeout = '20s'", name: "test.set")
        return waiter
    }

    /// Returns once a session of this name waits for the advisory lock of the test.
    private func waitUntilBlocked(_ name: String, _ observer: Connection) async throws {
        let blocked = Statement(
            "test.blocked",
            "SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'advisory'"
                + " AND datname = current_database()"
        )
        while try await observer.run(blocked, [.text(name)]).isEmpty { await Task.yield() }
    }

    @Test func `cancelling the task stops its statement at the server, and the connection stays usable`() async throws {
        let holder = try await Connection.connect(MigratedDatabase.conninfo)
        _ = try await holder.run(Statement("test.lock", "SELECT pg_advisory_lock(1)"))
        let waiter = try await connectWaiter()
        let task = Task { try await waiter.run(Statement("test.wait", "SELECT pg_advisory_lock(1)")).count }
        try await waitUntilBlocked("waiter", holder)
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.isCancellation == true)
        #expect(error?.statement == "test.wait")
        #expect(try await waiter.run(Statement("test.after", "SELECT 1")).count == 1)
    }

    @Test func `a transaction of a cancelled task is rolled back`() async throws {
        let holder = try await Connection.connect(MigratedDatabase.conninfo)
        try await holder.script("CREATE TABLE t (n int); SELECT pg_advisory_lock(2)", name: "test.prepare")
        let waiter = try await connectWaiter()
        let task = Task {
            try await waiter.transaction { @Sendable connection throws(PostgresError) in
                _ = try connection.run(Statement("test.insert", "INSERT INTO t VALUES (1)"))
                _ = try connection.run(Statement("test.wait", "SELECT pg_advisory_lock(2)"))
            }
        }
        try await waitUntilBlocked("waiter", holder)
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.isCancellation == true)
        let rows = try await waiter.run(Statement("test.count", "SELECT count(*) FROM t"))
        #expect(try rows[0].integer(0) == 0)
    }

    @Test func `a task that is cancelled already sends nothing`() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("CREATE SEQUENCE s", name: "test.create")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await connection.run(Statement("test.next", "SELECT nextval('s')")).count
        }
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.isCancellation == true)
        let rows = try await connection.run(Statement("test.called", "SELECT is_called FROM s"))
        #expect(try rows[0].boolean(0) == false)
    }
}
