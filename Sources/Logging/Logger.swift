/// How much a line matters, in the words of Cloud Logging's `severity`.
package enum Severity: String, Sendable, CaseIterable, Comparable {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARNING"
    case error = "ERROR"

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// One typed field of a line.
package enum LogValue: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case string(String)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)

    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

/// Writes events: a constant message and varying fields.
///
/// A value that is passed in; there is no global one. Callers see to it that no field holds a secret.
package struct Logger: Sendable {
    /// Receives every event at or above the minimum; called from any thread.
    package typealias Sink = @Sendable (Severity, String, [String: LogValue]) -> Void
    private let minimum: Severity
    private let fields: [String: LogValue]
    private let sink: Sink

    package init(minimum: Severity = .info, fields: [String: LogValue] = [:], sink: @escaping Sink) {
        self.minimum = minimum
        self.fields = fields
        self.sink = sink
    }

    /// The same logger with more fields on every line; on a clash the new one wins.
    package func with(_ more: [String: LogValue]) -> Logger {
        Logger(minimum: minimum, fields: fields.merging(more) { $1 }, sink: sink)
    }

    /// Writes one event.
    package func log(
        _ severity: Severity,
        _ message: StaticString,
        _ more: @autoclosure () -> [String: LogValue] = [:]
    ) {
        guard severity >= minimum else { return }
        sink(severity, "\(message)", fields.merging(more()) { $1 })
    }

    /// Drops everything.
    package static let none = Logger(minimum: .error) { _, _, _ in }
}
