/// A calendar day that exists, `yyyy-mm-dd`.
struct Day: Sendable, Equatable, Comparable {
    let text: String

    /// nil unless the text is ten characters that name a day of the Gregorian calendar from year 1 on.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
            text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            year >= 1, (1...12).contains(month), (1...Day.length(ofMonth: month, year: year)).contains(day)
        else { return nil }
        self.text = text
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func < (left: Day, right: Day) -> Bool { left.text < right.text }
}

/// A span of time as a person writes it.
struct Span: Sendable, Equatable {
    let duration: Duration

    /// nil unless the text is a whole number from 1, with `s`, `m`, `h`, `d` or nothing (seconds) behind it, ≤ 366 days.
    init?(_ text: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? Substring(text) : text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits),
            number >= 1, number <= 366 * 86400, number * (unit ?? 1) <= 366 * 86400
        else { return nil }
        self.duration = .seconds(number * (unit ?? 1))
    }
}

/// Transfers at once in one worker.
enum SlotCount: Sendable, Equatable {
    /// Starts low and follows what the network gives.
    case auto
    case fixed(Int)

    /// What `--slots` and `COLDROLL_SLOTS` accept besides `auto`.
    static let range = 1...64

    init?(_ text: String, in range: ClosedRange<Int> = Self.range) {
        if text == "auto" {
            self = .auto
        } else if text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text), range.contains(number) {
            self = .fixed(number)
        } else {
            return nil
        }
    }
}

/// Whole days.
struct DayCount: Sendable, Equatable {
    let days: Int

    /// nil unless the text is digits only and in the range, or 0 where that is taken.
    init?(_ text: String, in range: ClosedRange<Int>, orZero: Bool) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text),
            range.contains(number) || (orZero && number == 0)
        else { return nil }
        days = number
    }
}

/// Whether a text could be the name of a project or a location: nothing that a URL or a shell would take for more.
func isCloudName(_ text: String) -> Bool {
    (2...100).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || "-.:".utf8.contains(byte)
        }
}
