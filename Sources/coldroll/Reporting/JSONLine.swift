import Foundation
import Logging

/// One event as Cloud Logging reads it from standard output: a JSON object on one line.
///
/// `severity`, `message` and `time` are the special fields of Cloud Logging's structured payload
/// (Cloud Logging docs, "Structured logging").
enum JSONLine {
    /// The object, without a newline; `time` is RFC 3339, UTC.
    static func text(
        _ severity: Severity,
        _ message: String,
        _ fields: [String: LogValue],
        time: String
    ) -> String {
        var line = "{\"severity\":" + quoted(severity.rawValue) + ",\"message\":" + quoted(message)
        line += ",\"time\":" + quoted(time)
        for (name, value) in fields.sorted(by: { $0.key < $1.key })
        where !["severity", "message", "time"].contains(name) {
            line += "," + quoted(name) + ":" + literal(value)
        }
        return line + "}"
    }

    /// Now, in milliseconds, UTC.
    static func now() -> String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private static func literal(_ value: LogValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .integer(let number): String(number)
        // JSON has no infinities.
        case .double(let number): number.isFinite ? String(number) : "null"
        case .boolean(let truth): truth ? "true" : "false"
        }
    }

    /// RFC 8259, section 7; what it allows but a terminal or a log reader may trip over is escaped too.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case let scalar where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result += "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
                result += String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
