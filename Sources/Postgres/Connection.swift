import Blocking

/// SQL text with a name for logs and errors.
package struct Statement: Sendable {
    /// Short and stable, for example `job.claim`.
    package let name: String
    /// SQL with `$1`, `$2`… where bound values go.
    package let sql: String
    package init(_ name: String, _ sql: String) { self.name = name; self.sql = sql }
}

/// A value to bind, encoded once; see the static members.
package struct PostgresValue: Sendable {
    package static let null: PostgresValue = { fatalError() }()
    package static func text(_ value: String?) -> PostgresValue { fatalError() }
    package static func integer(_ value: Int64?) -> PostgresValue { fatalError() }
    package static func double(_ value: Double?) -> PostgresValue { fatalError() }
    package static func boolean(_ value: Bool?) -> PostgresValue { fatalError() }
    package static func bytes(_ value: [UInt8]?) -> PostgresValue { fatalError() }
    /// `bigint[]` / `int[]`; binary on the wire where that is faster.
    package static func integers(_ values: [Int64?]) -> PostgresValue { fatalError() }
    /// `text[]` (also cast to timestamptz[], jsonb[] in SQL).
    package static func texts(_ values: [String?]) -> PostgresValue { fatalError() }
    package static func doubles(_ values: [Double?]) -> PostgresValue { fatalError() }
    package static func booleans(_ values: [Bool?]) -> PostgresValue { fatalError() }
}

/// One row of an answer; columns by position.
package struct Row: Sendable {
    package func text(_ column: Int) throws(PostgresError) -> String { fatalError() }
    package func textOrNil(_ column: Int) -> String? { fatalError() }
    package func integer(_ column: Int) throws(PostgresError) -> Int64 { fatalError() }
    package func integerOrNil(_ column: Int) throws(PostgresError) -> Int64? { fatalError() }
    package func double(_ column: Int) throws(PostgresError) -> Double { fatalError() }
    package func doubleOrNil(_ column: Int) throws(PostgresError) -> Double? { fatalError() }
    package func boolean(_ column: Int) throws(PostgresError) -> Bool { fatalError() }
}

/// What PostgreSQL, or the way to it, refused.
package struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The connection is gone or was never made: connect again.
        case connectionLost
        /// The server answered with this SQLSTATE, five characters.
        case server(sqlState: String)
        /// A value in the answer does not have the expected type or is null: a bug or a foreign schema.
        case unexpectedAnswer
    }
    package let code: Code
    package let message: String
    package let statement: String?
    /// Name of the violated constraint, for 23xxx.
    package let constraint: String?
    package init(code: Code, message: String, statement: String?, constraint: String? = nil) {
        self.code = code; self.message = message; self.statement = statement; self.constraint = constraint
    }
    /// True where the same statement may succeed later: lost connection, 40001, 40P01, 53xxx, 55P03, 57P0x, 08xxx.
    package var isTransient: Bool { fatalError() }
    package var description: String { fatalError() }
}

/// One connection to a PostgreSQL server; calls are executed one after another on its own queue.
package actor Connection {
    private let executor = SerialQueueExecutor(label: "postgres")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// - Parameter conninfo: a libpq URI or key/value string; the password in it never reaches an error or a log.
    ///   Sets `application_name`, connect_timeout, keepalives and tcp_user_timeout where the string leaves them open;
    ///   no startup `options` (pgbouncer).
    package static func connect(_ conninfo: String, applicationName: String = "coldroll") async throws(PostgresError) -> Connection { fatalError() }

    /// Runs one unnamed statement.
    package func run(_ statement: Statement, _ values: [PostgresValue] = []) throws(PostgresError) -> [Row] { fatalError() }

    /// Runs a script of several statements by the simple protocol (migrations); not for runtime SQL.
    package func script(_ sql: String, name: String) throws(PostgresError) { fatalError() }

    /// BEGIN, body, COMMIT; ROLLBACK and rethrow if the body throws. A connection lost at COMMIT throws
    /// `connectionLost` with `statement == "commit"`: the outcome is unknown and must be looked up.
    package func transaction<R: Sendable>(_ body: (isolated Connection) throws(PostgresError) -> R) throws(PostgresError) -> R { fatalError() }

    /// Notifications of a channel until the connection is lost (then the stream ends). Use a connection for this alone.
    package func notifications(on channel: String) throws(PostgresError) -> AsyncStream<String> { fatalError() }

    /// Parameter and column counts of a statement as the server describes it, for the test that prepares all of them.
    package func describe(_ statement: Statement) throws(PostgresError) -> (parameters: Int, columns: Int) { fatalError() }

    package func close() { fatalError() }
}

/// A few connections that are made on demand, shared by tasks, and replaced when lost.
package final class ConnectionPool: Sendable {
    package let conninfo: String
    /// - Parameter limit: connections open at once; further callers wait their turn, first come first served.
    package init(conninfo: String, limit: Int, applicationName: String = "coldroll") { self.conninfo = conninfo }
    /// Lends a connection to `body`. A connection that was lost is discarded; nothing is retried here.
    package func with<R: Sendable>(_ body: (Connection) async throws(PostgresError) -> R) async throws(PostgresError) -> R { fatalError() }
    package func run(_ statement: Statement, _ values: [PostgresValue] = []) async throws(PostgresError) -> [Row] { fatalError() }
    package func close() async { fatalError() }
}
