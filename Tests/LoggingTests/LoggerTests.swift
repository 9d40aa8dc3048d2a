import Foundation
import Logging
import Synchronization
import Testing

@Suite struct LoggerTests {
    /// What a sink received.
    private struct Event: Equatable {
        let severity: Severity
        let message: String
        let fields: [String: LogValue]
    }

    @Test func `fields travel with the logger, newer ones win, and severities below the minimum are dropped`() {
        let events = Mutex<[Event]>([])
        let logger = Logger(minimum: .warning, fields: ["job": 1, "host": "a"]) { severity, message, fields in
            events.withLock { $0.append(Event(severity: severity, message: message, fields: fields)) }
        }
        logger.log(.info, "dropped")
        logger.with(["job": 2]).log(.error, "failed", ["ratio": .double(0.5), "host": "b"])
        let expected = Event(
            severity: .error,
            message: "failed",
            fields: ["job": 2, "host": "b", "ratio": .double(0.5)]
        )
        #expect(events.withLock { $0 } == [expected])
    }

    @Test func `the fields of a dropped event are not even computed`() {
        let logger = Logger(minimum: .error) { _, _, _ in }
        logger.log(
            .debug,
            "dropped",
            {
                Issue.record("computed"); return [:]
            }()
        )
    }

    @Test func `a line is one JSON object with Cloud Logging's three fields and typed values`() throws {
        let fields: [String: LogValue] = [
            "text": "a\"b\\c\nd\u{0}é\u{2028}", "count": 7, "ratio": .double(0.5), "done": .boolean(true),
            "nothing": .double(.nan),
        ]
        let line = Logger.line(.warning, "lost \"it\"", fields, time: "2024-02-29T12:00:00.123Z")
        #expect(!line.contains("\n"))
        #expect(line.hasPrefix(#"{"severity":"WARNING","message":"lost \"it\"","time":"2024-02-29T12:00:00.123Z","#))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["text"] as? String == "a\"b\\c\nd\u{0}é\u{2028}")
        #expect(object["count"] as? Int == 7)
        #expect(object["ratio"] as? Double == 0.5)
        #expect(object["done"] as? Bool == true)
        #expect(object["nothing"] is NSNull)
    }

    @Test func `a field cannot take the place of one that every line has`() throws {
        let line = Logger.line(
            .info,
            "real",
            ["message": "fake", "severity": "fake", "time": "fake", "x": 1],
            time: "now"
        )
        #expect(line == #"{"severity":"INFO","message":"real","time":"now","x":1}"#)
    }

    @Test(arguments: [(0, "1970-01-01T00:00:00.000Z"), (1_709_208_000_999, "2024-02-29T12:00:00.999Z")])
    func `time is RFC 3339 in UTC with milliseconds`(_ milliseconds: Int, _ text: String) {
        #expect(Logger.timestamp(millisecondsSince1970: milliseconds) == text)
    }
}
