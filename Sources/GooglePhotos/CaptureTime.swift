import Foundation

/// Reads the API's `creationTime` (RFC 3339, section 5.6, as Google's JSON writes timestamps: 0 to 9 digits of a second).
enum CaptureTime {
    /// Before the first photograph, and long after the last of this program: outside is a camera's or a default's nonsense.
    private static let years = 1800...2200

    /// The same instant in UTC, microseconds at most (cut, not rounded, so that no month changes); nil if it makes no sense.
    static func normalised(_ text: String) -> String? {
        var digits = DigitReader(text.utf8)
        guard let year = digits.number(4), digits.take("-"), let month = digits.number(2), digits.take("-"),
            let day = digits.number(2), let date = CivilDay(year: year, month: month, day: day), digits.take("Tt "),
            let hour = digits.number(2), hour < 24, digits.take(":"), let minute = digits.number(2), minute < 60,
            digits.take(":"), let second = digits.number(2), second <= 60
        else { return nil }
        var fraction = ""
        if digits.take(".") {
            fraction = String(Substring(digits.digits()))
            guard (1...9).contains(fraction.utf8.count) else { return nil }
        }
        guard let offset = offset(&digits), digits.isAtEnd else { return nil }
        // A leap second counts as the first of the next minute, as PostgreSQL reads it.
        let seconds = (hour * 60 + minute) * 60 + second - offset
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        guard let utc = date.advanced(by: rest < 0 ? days - 1 : days), years.contains(utc.year) else { return nil }
        let time = rest < 0 ? rest + 86_400 : rest
        let whole = [
            padded(utc.year, 4), "-", padded(utc.month, 2), "-", padded(utc.day, 2), "T", padded(time / 3600, 2), ":",
            padded(time / 60 % 60, 2), ":", padded(time % 60, 2),
        ].joined()
        return whole + (fraction.isEmpty ? "" : "." + fraction.prefix(6)) + "Z"
    }

    /// Seconds east of UTC.
    private static func offset(_ digits: inout DigitReader) -> Int? {
        guard let sign = digits.next(of: "Zz+-") else { return nil }
        guard sign == "+" || sign == "-" else { return 0 }
        guard let hours = digits.number(2), hours < 24, digits.take(":"), let minutes = digits.number(2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (sign == "-" ? -60 : 60)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
