/// How much a line matters, in the words of Cloud Logging's `severity`.
package enum Severity: String, Sendable, CaseIterable { case debug = "DEBUG", info = "INFO", warning = "WARNING", error = "ERROR" }

/// One typed field of a line.
package enum LogValue: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case string(String), integer(Int64), double(Double), boolean(Bool)
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

/// Writes events: constant message, varying fields. A value that is passed in; never global.
package struct Logger: Sendable {
    /// Receives every event at or above the minimum; called from any thread.
    package typealias Sink = @Sendable (Severity, String, [String: LogValue]) -> Void
    private let minimum: Severity
    private let fields: [String: LogValue]
    private let sink: Sink
    package init(minimum: Severity = .info, fields: [String: LogValue] = [:], sink: @escaping Sink) {
        self.minimum = minimum; self.fields = fields; self.sink = sink
    }
    /// The same logger with more fields on every line.
    package func with(_ more: [String: LogValue]) -> Logger { fatalError() }
    /// Writes one event.
    package func log(_ severity: Severity, _ message: StaticString, _ more: @autoclosure () -> [String: LogValue] = [:]) { fatalError() }
    /// One JSON object a line with `severity`, `message`, `time` (RFC 3339), and the fields, on standard output.
    package static func json(minimum: Severity = .info) -> Logger { fatalError() }
    /// Drops everything.
    package static let none = Logger(minimum: .error) { _, _, _ in }
}
