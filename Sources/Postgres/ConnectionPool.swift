import Synchronization

/// A few connections, made on demand, shared by tasks, and replaced when lost.
package final class ConnectionPool: Sendable {
    /// Where the connections lead.
    package let conninfo: String
    private let applicationName: String

    private struct State {
        var idle: [Connection] = []
        var free: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    /// Makes a pool; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - conninfo: libpq URI or key/value string.
    ///   - limit: connections open at once; further callers wait their turn, first come first served.
    ///   - applicationName: shown in `pg_stat_activity`.
    package init(conninfo: String, limit: Int, applicationName: String = "coldroll") {
        self.conninfo = conninfo
        self.applicationName = applicationName
        state = Mutex(State(free: limit))
    }

    /// Lends a connection to `body`; a lost one is discarded, nothing is retried here.
    package func with<R: Sendable>(
        _ body: (Connection) async throws(PostgresError) -> R
    ) async throws(PostgresError) -> R {
        await acquire()
        defer { release() }
        let connection: Connection
        if let idle = state.withLock({ $0.idle.popLast() }) {
            connection = idle
        } else {
            connection = try await Connection.connect(conninfo, applicationName: applicationName)
        }
        do {
            let value = try await body(connection)
            state.withLock { $0.idle.append(connection) }
            return value
        } catch {
            if await !connection.isLost { state.withLock { $0.idle.append(connection) } }
            throw error
        }
    }

    /// Runs one statement on any connection.
    package func run(_ statement: Statement, _ values: [PostgresValue] = []) async throws(PostgresError) -> [Row] {
        try await with { (connection) async throws(PostgresError) in try await connection.run(statement, values) }
    }

    /// Closes the idle connections; those lent out close when their borrowers end.
    package func close() async {
        state.withLock { $0.idle = [] }
    }

    private func acquire() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiters.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func release() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
