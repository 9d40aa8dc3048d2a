import Synchronization

/// A few connections that are made on demand, shared by tasks, and replaced when lost.
///
/// A task that holds one connection must not ask for another: with all of them held, everybody would wait.
package final class ConnectionPool: Sendable {
    /// Where the connections lead; holds a password, so never printed.
    package let conninfo: String
    private let applicationName: String
    private let turns: Mutex<PoolTurns>

    /// Makes a pool; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - conninfo: libpq URI or key/value string.
    ///   - limit: connections open at once, at least 1; further callers wait their turn, first come first served.
    ///   - applicationName: shown in `pg_stat_activity`.
    package init(conninfo: String, limit: Int, applicationName: String = "coldroll") {
        self.conninfo = conninfo
        self.applicationName = applicationName
        turns = Mutex(PoolTurns(limit: limit))
    }

    /// Lends a connection to `body`.
    ///
    /// A connection that was lost, comes back with an open transaction, or leads to a server that takes no writes (25006:
    /// after a failover the name may lead elsewhere) is discarded; nothing is retried here.
    /// - Parameter body: must not keep the connection.
    /// - Returns: what the body returns.
    /// - Throws: the body's error; what `Connection.connect` throws; 57014 for a task cancelled while it waits;
    ///   `connectionLost` once the pool is closed.
    package func with<R: Sendable>(
        _ body: (Connection) async throws(PostgresError) -> R
    ) async throws(PostgresError) -> R {
        let connection = try await borrow()
        do {
            let value = try await body(connection)
            await giveBack(connection)
            return value
        } catch {
            if error.code == .server(sqlState: "25006") { await connection.close() }
            await giveBack(connection)
            throw error
        }
    }

    /// Runs one statement on any connection; as `with`, but a single visit to it.
    package func run(_ statement: Statement, _ values: [PostgresValue] = []) async throws(PostgresError) -> [Row] {
        let connection: Connection, answer: LentAnswer
        let idle = try await vacancyOrIdle()
        if let idle, let first = await idle.runIfReusable(statement, values) {
            (connection, answer) = (idle, first)
        } else {
            // Lost while it was idle.
            await idle?.close()
            connection = try await open()
            answer = await connection.runLent(statement, values)
        }
        if !answer.isReusable || !pass(connection) {
            await connection.close()
            pass(nil)
        }
        return try answer.result.get()
    }

    /// Closes the idle connections and turns waiting callers away; those lent out are closed when they come back.
    package func close() async {
        let (idle, waiters) = turns.withLock { $0.close() }
        for waiter in waiters { waiter.resume(returning: .closed) }
        for connection in idle { await connection.close() }
    }

    /// Callers that wait for a connection now: more than none for long means that the limit is too low.
    package var waiting: Int {
        turns.withLock { $0.waitingCount }
    }

    private func borrow() async throws(PostgresError) -> Connection {
        if let idle = try await vacancyOrIdle() {
            // Seen before it is lent: an idle connection dies with a restart of the server.
            if await idle.isReusable { return idle }
            await idle.close()
        }
        return try await open()
    }

    /// Waits for the caller's turn; nil: it may open a connection.
    private func vacancyOrIdle() async throws(PostgresError) -> Connection? {
        switch await nextTurn() {
        case .idle(let connection): return connection
        case .vacancy: return nil
        case .cancelled: throw .cancelled(nil)
        case .closed:
            throw PostgresError(code: .connectionLost, message: "the connection pool is closed", statement: nil)
        }
    }

    /// Opens one in the caller's turn, which a failure passes on.
    private func open() async throws(PostgresError) -> Connection {
        do {
            return try await Connection.connect(conninfo, applicationName: applicationName)
        } catch {
            pass(nil)
            throw error
        }
    }

    private func nextTurn() async -> PoolTurns.Turn {
        let ticket = turns.withLock { $0.makeTicket() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn = turns.withLock { state in
                    Task.isCancelled ? .cancelled : state.take(ticket, orWait: continuation)
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            turns.withLock { $0.withdraw(ticket) }?.resume(returning: .cancelled)
        }
    }

    private func giveBack(_ connection: Connection) async {
        if await connection.isReusable, pass(connection) { return }
        await connection.close()
        pass(nil)
    }

    /// Gives a connection, or the right to open one, to whoever waits longest.
    /// - Returns: false where the pool is closed: the connection is the caller's to close.
    @discardableResult private func pass(_ connection: Connection?) -> Bool {
        guard let handover = turns.withLock({ $0.pass(connection) }) else { return connection == nil }
        handover.waiter?.resume(returning: handover.turn)
        return true
    }
}
