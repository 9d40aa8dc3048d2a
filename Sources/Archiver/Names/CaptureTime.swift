/// Month folders from capture times.
package enum CaptureTime {
    /// Folder for items whose capture time nobody knows.
    package static let undated = "undated"

    /// `YYYYMM` of an RFC 3339 time in UTC; `undated` for nil or anything that is not one.
    package static func folder(_ time: String?) -> String {
        guard let time, let (year, month) = monthInUTC(time) else { return undated }
        let digits = String(year)
        return String(repeating: "0", count: 4 - digits.count) + digits + (month < 10 ? "0" : "") + String(month)
    }

    /// Whether Cloud Storage's `customTime` may carry it: 1970 or later.
    static func isCustomTime(_ time: String) -> Bool {
        guard let (year, _) = monthInUTC(time) else { return false }
        return (1970...9999).contains(year)
    }

    /// Year and month, moved across a month's border by the offset where needed.
    private static func monthInUTC(_ time: String) -> (year: Int, month: Int)? {
        let text = Array(time.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= text.count else { return nil }
            var value = 0
            for byte in text[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), (1...12).contains(month), (1...31).contains(day), year >= 1
        else { return nil }
        var minutes = hour * 60 + minute
        if let sign = text.dropFirst(19).first(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }),
            let at = text[19...].firstIndex(of: sign), let offsetHours = number(at + 1..<at + 3)
        {
            let offset = offsetHours * 60 + (number(at + 4..<at + 6) ?? 0)
            minutes += sign == UInt8(ascii: "+") ? -offset : offset
        }
        if minutes < 0, day == 1 { return month == 1 ? (year - 1, 12) : (year, month - 1) }
        if minutes >= 1440, day == daysIn(month, of: year) { return month == 12 ? (year + 1, 1) : (year, month + 1) }
        return (year, month)
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}
