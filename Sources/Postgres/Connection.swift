import Blocking
import CPostgres
import Dispatch

/// One connection to a PostgreSQL server; calls run one after another on its own queue.
///
/// No start-up options are sent, and where a pooler stands between, all statements are unnamed, so that it may be in
/// transaction mode.
/// A call whose task is cancelled asks the server to stop (checked 20 times a second) and throws 57014; a call in a
/// task that is cancelled already sends nothing. Clean-up after a cancellation belongs into a task of its own.
package actor Connection {
    let executor: SerialQueueExecutor
    /// Nil once closed.
    var handle: Handle?
    var listener: (any DispatchSourceRead)?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private init() {
        executor = SerialQueueExecutor(label: "postgres")
    }

    /// Connects; letting the connection go closes it.
    ///
    /// Where the string leaves them open: `connect_timeout` 10 s for each host, keep-alives, `tcp_user_timeout` 10 s.
    /// - Parameters:
    ///   - conninfo: libpq URI or key/value string; its password reaches no error and no log.
    ///   - applicationName: shown in `pg_stat_activity`; one in the conninfo wins.
    /// - Returns: a connection that is ready.
    /// - Throws: `PostgresError`: `connectionLost` where no server answered, else the server's SQLSTATE (28P01 wrong
    ///   password, 3D000 no such database, 57P03 starting up); 08001 where the conninfo cannot be read.
    package static func connect(
        _ conninfo: String,
        applicationName: String = "coldroll"
    ) async throws(PostgresError) -> Connection {
        let connection = Connection()
        try await connection.open(ConnectParameters(conninfo, applicationName: applicationName))
        return connection
    }

    private func open(_ parameters: ConnectParameters) throws(PostgresError) {
        handle = try Handle.open(parameters)
    }

    /// Runs one statement.
    package func run(_ statement: Statement, _ values: [PostgresValue] = []) throws(PostgresError) -> [Row] {
        let handle = try opened(statement.name)
        let isKept = statement.isKept ? try keeps(handle) : false
        let answer = isKept ? try handle.runKept(statement, values) : try handle.run(statement, values)
        return (0..<answer.rowCount).map { Row(answer, $0) }
    }

    /// Whether the server may keep statements: asked once, since a pooler would hand the name to another server process.
    private func keeps(_ handle: Handle) throws(PostgresError) -> Bool {
        if let known = handle.isKeeping { return known }
        let keeps = try !isPooled()
        handle.isKeeping = keeps
        return keeps
    }

    /// Runs a script of several statements by the simple protocol; for migrations, not for runtime SQL.
    ///
    /// Without BEGIN in it, the server makes the whole script one transaction.
    package func script(_ sql: String, name: String) throws(PostgresError) {
        try opened(name).script(sql, name)
    }

    /// Whether a pooler stands between: then the server has another process number than the one that answered the login.
    ///
    /// A pooler such as pgbouncer answers the login itself, with a number that it made up.
    package func isPooled() throws(PostgresError) -> Bool {
        let statement = Statement("connection.process", "SELECT pg_backend_pid()")
        let handle = try opened(statement.name)
        return try run(statement).first?.integer(0) != Int64(handle.processID)
    }

    /// Parameter and column counts of a statement as the server describes it, for the test that prepares all of them.
    package func describe(_ statement: Statement) throws(PostgresError) -> (parameters: Int, columns: Int) {
        let answer = try opened(statement.name).describe(statement)
        return (Int(answer.parameterCount), Int(answer.columnCount))
    }

    /// Ends listening and closes the connection; whatever is called after that throws `connectionLost`.
    package func close() {
        stopListening()
        handle = nil
    }

    /// The handle, for a statement of this name.
    func opened(_ name: String) throws(PostgresError) -> Handle {
        guard let handle else {
            throw PostgresError(code: .connectionLost, message: "the connection was closed here", statement: name)
        }
        return handle
    }

    /// Whether the next caller may have it: the server is there, and no transaction was left open.
    var isReusable: Bool {
        guard let handle, listener == nil else { return false }
        return handle.isAlive() && handle.transaction == PQTRANS_IDLE
    }
}
