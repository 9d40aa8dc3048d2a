import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Logger {
    /// One JSON object a line on standard output, with `severity`, `message` and `time` as Cloud Logging reads them.
    package static func json(minimum: Severity = .info) -> Logger {
        Logger(minimum: minimum) { severity, message, fields in
            write(line(severity, message, fields, time: timestamp(millisecondsSince1970: now())))
        }
    }

    /// The line without its newline; fields in alphabetical order after the three that every line has.
    package static func line(
        _ severity: Severity,
        _ message: String,
        _ fields: [String: LogValue],
        time: String
    ) -> String {
        var text = "{\"severity\":\"\(severity.rawValue)\",\"message\":\(quoted(message)),\"time\":\"\(time)\""
        for (name, value) in fields.sorted(by: { $0.key < $1.key })
        where !["severity", "message", "time"].contains(name) {
            text += ",\(quoted(name)):"
            switch value {
            case .string(let string): text += quoted(string)
            case .integer(let integer): text += String(integer)
            case .double(let double): text += double.isFinite ? double.description : "null"
            case .boolean(let boolean): text += boolean ? "true" : "false"
            }
        }
        return text + "}"
    }

    /// A JSON string (RFC 8259, section 7).
    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// RFC 3339 in UTC with milliseconds, for example `2024-02-29T12:00:00.999Z`.
    package static func timestamp(millisecondsSince1970: Int) -> String {
        var seconds = time_t(millisecondsSince1970 / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func pad(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1, 2))-\(pad(Int(parts.tm_mday), 2))"
        let clock = "\(pad(Int(parts.tm_hour), 2)):\(pad(Int(parts.tm_min), 2)):\(pad(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(pad(millisecondsSince1970 % 1000, 3))Z"
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
    }

    /// One line at a time, also where the system takes it in several pieces.
    private static let standardOutput = Mutex(())

    /// One write for one line, so that lines of several threads never mix; a closed pipe is nobody to tell.
    private static func write(_ line: String) {
        var bytes = Array(line.utf8) + [0x0A]
        standardOutput.withLock { _ in
            while !bytes.isEmpty {
                let count = bytes.withUnsafeBytes { systemWrite(STDOUT_FILENO, $0.baseAddress!, $0.count) }
                guard count > 0 || errno == EINTR else { return }
                bytes.removeFirst(max(0, count))
            }
        }
    }
}

/// `write(2)`, whose name the method above takes.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
