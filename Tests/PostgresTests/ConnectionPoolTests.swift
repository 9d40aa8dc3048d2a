import Postgres
import Synchronization
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct ConnectionPoolTests {
    private let pid = Statement("test.pid", "SELECT pg_backend_pid()")

    private func open(_ limit: Int) -> ConnectionPool {
        ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: limit, applicationName: "pool")
    }

    @Test func `never more connections than the limit, however many ask`() async throws {
        let pool = open(3)
        let busy = Shared((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await pool.with { (connection) async throws(PostgresError) in
                        busy.value.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                        _ = try await connection.run(Statement("test.work", "SELECT pg_sleep(0.002)"))
                        busy.value.withLock { $0.now -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(busy.value.withLock { $0.most } <= 3)
        let sessions = Statement(
            "test.sessions",
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool' AND datname = current_database()"
        )
        #expect(try await pool.run(sessions)[0].integer(0) <= 3)
        await pool.close()
    }

    @Test func `who waits longest is served first`() async throws {
        let pool = open(1)
        let order = Shared<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await pool.with { (_) async throws(PostgresError) in
                for number in 0..<8 {
                    let queued = pool.waiting
                    group.addTask {
                        try await pool.with { (_) async throws(PostgresError) in
                            order.value.withLock { $0.append(number) }
                        }
                    }
                    while pool.waiting == queued { await Task.yield() }
                }
            }
            try await group.waitForAll()
        }
        #expect(order.value.withLock { $0 } == Array(0..<8))
        await pool.close()
    }

    @Test func `a connection that dies while idle is replaced before it is lent`() async throws {
        let pool = open(1)
        let first = try await pool.run(pid)[0].integer(0)
        let killer = try await Connection.connect(MigratedDatabase.conninfo)
        // Waits up to 10 s for the session to be gone.
        _ = try await killer.run(
            Statement("test.kill", "SELECT pg_terminate_backend($1::int, 10000)"),
            [.integer(first)]
        )
        #expect(try await pool.run(pid)[0].integer(0) != first)
        await pool.close()
    }

    @Test func `a connection that dies in use is reported once and replaced`() async throws {
        let pool = open(1)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.run(Statement("test.die", "SELECT pg_terminate_backend(pg_backend_pid())"))
        }
        #expect(error?.code == .connectionLost)
        #expect(try await pool.run(pid).count == 1)
        await pool.close()
    }

    @Test func `a transaction that was left open does not reach the next borrower`() async throws {
        let pool = open(1)
        let first = try await pool.with { (connection) async throws(PostgresError) in
            try await connection.script("BEGIN", name: "test.begin")
            return try await connection.run(Statement("test.pid", "SELECT pg_backend_pid()"))[0].integer(0)
        }
        #expect(try await pool.run(pid)[0].integer(0) != first)
        await pool.close()
    }

    @Test func `a failed statement does not cost the connection`() async throws {
        let pool = open(1)
        let first = try await pool.run(pid)[0].integer(0)
        await #expect(throws: PostgresError.self) { try await pool.run(Statement("test.fail", "SELECT 1/0")) }
        #expect(try await pool.run(pid)[0].integer(0) == first)
        await pool.close()
    }

    @Test func `failing to connect gives the turn on`() async throws {
        let pool = ConnectionPool(conninfo: "host=/nowhere", limit: 1)
        for _ in 0..<3 {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.run(Statement("test.run", "SELECT 1"))
            }
            #expect(error?.code == .connectionLost)
        }
    }

    @Test func `a task that is cancelled while it waits leaves the queue, and the others get their turn`() async throws
    {
        let pool = open(1)
        let statement = pid
        let (cancelled, other) = try await pool.with { (_) async throws(PostgresError) in
            let cancelled = Task { try await pool.run(statement).count }
            while pool.waiting < 1 { await Task.yield() }
            let other = Task { try await pool.run(statement).count }
            while pool.waiting < 2 { await Task.yield() }
            cancelled.cancel()
            while pool.waiting > 1 { await Task.yield() }
            return (cancelled, other)
        }
        let error = await #expect(throws: PostgresError.self) { try await cancelled.value }
        #expect(error?.isCancellation == true)
        #expect(try await other.value == 1)
        await pool.close()
    }

    @Test func `a closed pool turns callers away and keeps no session`() async throws {
        let pool = open(2)
        let statement = pid
        let waiting = try await pool.with { (_) async throws(PostgresError) in
            try await pool.with { (_) async throws(PostgresError) in
                let waiting = Task { try await pool.run(statement).count }
                while pool.waiting < 1 { await Task.yield() }
                await pool.close()
                return waiting
            }
        }
        let error = await #expect(throws: PostgresError.self) { try await waiting.value }
        #expect(error?.code == .connectionLost)
        await #expect(throws: PostgresError.self) { try await pool.run(statement) }
        let observer = try await Connection.connect(MigratedDatabase.conninfo)
        let sessions = Statement(
            "test.sessions",
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pool' AND datname = current_database()"
        )
        while try await !observer.run(sessions).isEmpty { await Task.yield() }
    }
}

/// A value that several tasks change.
private final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }
}
