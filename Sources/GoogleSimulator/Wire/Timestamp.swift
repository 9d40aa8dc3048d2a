import Glibc

/// A point in time, in microseconds since 1970, UTC.
struct Timestamp: Sendable, Hashable, Comparable {
    var microseconds: Int64

    static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    /// This machine's clock.
    static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// So many seconds later.
    func adding(seconds: Double) -> Timestamp { Timestamp(microseconds: microseconds + Int64(seconds * 1e6)) }

    /// RFC 3339 with `Z`, as Google writes it: a fraction of three or six digits only if there is one.
    var rfc3339: String {
        let seconds = floorDivide(microseconds, 1_000_000)
        let fraction = microseconds - seconds * 1_000_000
        let days = floorDivide(seconds, 86400)
        let time = seconds - days * 86400
        let date = CalendarDate(days: days)
        var text = "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T"
        text += "\(pad(Int(time / 3600), 2)):\(pad(Int(time / 60 % 60), 2)):\(pad(Int(time % 60), 2))"
        if fraction % 1000 != 0 {
            text += "." + pad(Int(fraction), 6)
        } else if fraction != 0 {
            text += "." + pad(Int(fraction / 1000), 3)
        }
        return text + "Z"
    }

    /// The day in UTC.
    var date: CalendarDate { CalendarDate(days: floorDivide(microseconds, 86400 * 1_000_000)) }

    /// Reads `YYYY?MM?DD?hh?mm?ss[.fraction][Z|±hh:mm]` with any separators, so RFC 3339 as well as EXIF.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 19 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var micros = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            var scale = 100_000
            while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 {
                micros += Int(bytes[index] - 0x30) * scale
                scale /= 10
                index += 1
            }
        }
        var offset = 0
        if index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
            guard let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6) else {
                return nil
            }
            offset = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -1 : 1)
        }
        let days = CalendarDate(year: year, month: month, day: day).days
        let seconds = days * 86400 + Int64(hour * 3600 + minute * 60 + second) - Int64(offset * 60)
        microseconds = seconds * 1_000_000 + Int64(micros)
    }

    init(microseconds: Int64) { self.microseconds = microseconds }
}

/// A day of the Gregorian calendar; a part that is 0 matches any (google.type.Date).
struct CalendarDate: Sendable, Hashable {
    var year: Int
    var month: Int
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day so many days after 1970-01-01.
    init(days: Int64) {
        // 146,097 days are 400 Gregorian years; the guess is at most one year off.
        var year = Int(floorDivide(days * 400, 146_097)) + 1970
        while Self.daysBefore(year: year) > days { year -= 1 }
        while Self.daysBefore(year: year + 1) <= days { year += 1 }
        var left = Int(days - Self.daysBefore(year: year))
        var month = 1
        while left >= Self.length(month: month, year: year) {
            left -= Self.length(month: month, year: year)
            month += 1
        }
        self.init(year: year, month: month, day: left + 1)
    }

    /// Days since 1970-01-01.
    var days: Int64 {
        let months = (1..<max(1, month)).reduce(0) { $0 + Self.length(month: $1, year: year) }
        return Self.daysBefore(year: year) + Int64(months + day - 1)
    }

    private static func daysBefore(year: Int) -> Int64 {
        let whole = Int64(year - 1)
        let leaps = floorDivide(whole, 4) - floorDivide(whole, 100) + floorDivide(whole, 400)
        // 719,162 days from 0001-01-01 to 1970-01-01.
        return whole * 365 + leaps - 719_162
    }

    private static func length(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}

private func pad(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
