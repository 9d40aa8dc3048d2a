import Blocking
import Dispatch

/// One connection to a PostgreSQL server; calls run one after another on its own queue.
package actor Connection {
    private let executor: SerialQueueExecutor
    private let handle: Handle
    private var listener: (any DispatchSourceRead)?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private init(executor: SerialQueueExecutor, handle: Handle) {
        self.executor = executor
        self.handle = handle
    }

    /// Connects, without start-up options, so that a pooler in transaction mode may stand between.
    ///
    /// - Parameters:
    ///   - conninfo: libpq URI or key/value string; its password reaches no error and no log.
    ///   - applicationName: shown in `pg_stat_activity`.
    /// - Returns: a connection that is ready.
    /// - Throws: `PostgresError` with `connectionLost`.
    package static func connect(
        _ conninfo: String,
        applicationName: String = "coldroll"
    ) async throws(PostgresError) -> Connection {
        let executor = SerialQueueExecutor(label: "postgres")
        let defaults = [
            ("application_name", applicationName), ("connect_timeout", "10"), ("client_encoding", "UTF8"),
            // A dead network is noticed before a lease ends.
            ("keepalives_idle", "5"), ("keepalives_interval", "2"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "10000"),
        ]
        let result = await withCheckedContinuation { continuation in
            executor.queue.async { continuation.resume(returning: Handle.open(conninfo, defaults: defaults)) }
        }
        return Connection(executor: executor, handle: try result.get())
    }

    /// Whether the server or the network hung up.
    var isLost: Bool { handle.isLost }

    /// Runs one unnamed statement.
    package func run(_ statement: Statement, _ values: [PostgresValue] = []) throws(PostgresError) -> [Row] {
        let answer = try handle.run(statement, values)
        return (0..<answer.rowCount).map { Row(answer, $0) }
    }

    /// Runs a script of several statements by the simple protocol; for migrations, not for runtime SQL.
    package func script(_ sql: String, name: String) throws(PostgresError) {
        try handle.script(sql, name)
    }

    /// BEGIN, body, COMMIT; ROLLBACK and rethrow where the body throws.
    ///
    /// A connection lost at COMMIT throws `connectionLost` with `statement == "commit"`: the outcome is unknown and
    /// must be looked up.
    package func transaction<R: Sendable>(
        _ body: (isolated Connection) throws(PostgresError) -> R
    ) throws(PostgresError) -> R {
        _ = try run(Statement("begin", "BEGIN"))
        let value: R
        do {
            value = try body(self)
        } catch {
            // The transaction is over either way once the connection is; the body's error is the reason.
            _ = try? run(Statement("rollback", "ROLLBACK"))
            throw error
        }
        let answer = try handle.run(Statement("commit", "COMMIT"), [])
        guard answer.commandTag == "COMMIT" else {
            throw PostgresError(
                code: .server(sqlState: "25P02"),
                message: "the transaction had failed and was rolled back",
                statement: "commit"
            )
        }
        return value
    }

    /// Notifications of a channel until the connection is lost; then the stream ends.
    ///
    /// Use a connection for this alone: libpq also reads notifications while it runs a statement, and those make the
    /// socket readable no more.
    package func notifications(on channel: String) throws(PostgresError) -> AsyncStream<String> {
        let quoted = "\"" + channel.replacing("\"", with: "\"\"") + "\""
        _ = try run(Statement("listen", "LISTEN \(quoted)"))
        let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
        let source = DispatchSource.makeReadSource(fileDescriptor: handle.socket, queue: executor.queue)
        source.setEventHandler { @Sendable [weak self] in
            // The handler runs on this actor's own queue.
            self?.assumeIsolated { connection in
                guard let payloads = connection.handle.takeNotifications() else { return connection.stopListening() }
                for payload in payloads { continuation.yield(payload) }
            }
        }
        source.setCancelHandler { @Sendable in continuation.finish() }
        // The reader's task holds the connection, so that the socket stays open as long as somebody listens.
        continuation.onTermination = { _ in
            Task { await self.stopListening() }
        }
        source.resume()
        listener = source
        return stream
    }

    private func stopListening() {
        listener?.cancel()
        listener = nil
    }

    /// Parameter and column counts as the server describes them; prepares the unnamed statement, runs nothing.
    package func describe(_ statement: Statement) throws(PostgresError) -> (parameters: Int, columns: Int) {
        let answer = try handle.describe(statement)
        return (Int(answer.parameterCount), Int(answer.columnCount))
    }

    /// Ends listening; the connection itself is closed with its last owner.
    package func close() {
        stopListening()
    }
}
