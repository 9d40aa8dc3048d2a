package import Logging

/// Why the private PostgreSQL cannot be used; the message says what to install or change.
package struct PrivatePostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    package init(_ message: String) { self.message = message }
    package var description: String { message }
}

/// The PostgreSQL that coldroll runs for itself in its home: Unix socket only, shared by every coldroll process of this home, stopped by the last one.
package final class PrivatePostgres: Sendable {
    /// libpq conninfo of the owner role.
    package let conninfo: String
    init(conninfo: String) { self.conninfo = conninfo }
    /// Makes the cluster on first use (initdb with checksums; as `postgres` when root), starts it if nobody has, joins it otherwise.
    package static func open(home: String, logger: Logger) async throws -> PrivatePostgres { fatalError() }
    /// Leaves it; the last process out stops the server cleanly.
    package func close() async { fatalError() }
}
