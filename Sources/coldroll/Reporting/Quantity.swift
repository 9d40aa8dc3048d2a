/// Numbers as a person reads them.
enum Quantity {
    /// `0 B`, `999 B`, `1.95 GB`: three digits, decimal units as Cloud Storage bills them.
    static func bytes(_ count: Int64) -> String { bytes(Double(count)) }

    /// `12.3 MB/s`.
    static func rate(bytesPerSecond: Double) -> String { bytes(bytesPerSecond) + "/s" }

    /// `12.5/s` under a hundred, `1,200/s` above.
    static func rate(perSecond: Double) -> String {
        (perSecond < 100 ? fixed(perSecond, digits: 1) : grouped(Int64(perSecond.rounded()))) + "/s"
    }

    /// `45 s`, `4 min 05 s`, `2 h 13 min`, `3 d 4 h`; anything that is no number of seconds is `?`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "?" }
        let whole = Int64(seconds.rounded())
        let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86400)
        if whole < 60 { return "\(whole) s" }
        if hours < 1 { return "\(minutes) min \(twoDigits(whole % 60)) s" }
        if days < 1 { return "\(hours) h \(twoDigits(minutes % 60)) min" }
        return "\(days) d \(hours % 24) h"
    }

    /// `1,234,567`.
    static func grouped(_ number: Int64) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `1 item`, `2 items`, `1,000 items`.
    static func counted(_ number: Int64, _ one: String, _ many: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? one : many ?? one + "s")"
    }

    private static func bytes(_ count: Double) -> String {
        guard count.isFinite, count >= 0 else { return "? B" }
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        if count.rounded() < 1000 { return "\(Int(count.rounded())) B" }
        var value = count
        var unit = 0
        // 999.5 and more would be printed with four digits: the next unit takes it.
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        return "\(fixed(value, digits: digits)) \(units[unit])"
    }

    private static func fixed(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((value * scale).rounded())
        guard digits > 0 else { return String(scaled) }
        let fraction = String(scaled % Int64(scale))
        return "\(scaled / Int64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
