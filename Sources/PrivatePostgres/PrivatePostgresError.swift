/// Why the private PostgreSQL cannot be used; the message says what to install or change.
package struct PrivatePostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
