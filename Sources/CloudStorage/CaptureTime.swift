/// A moment read from RFC 3339 text, as seconds since 1970 and the nanoseconds within.
struct CaptureTime: Sendable, Equatable {
    let seconds: Int64
    let nanoseconds: Int

    /// Both parts as they are.
    init(seconds: Int64, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// nil for anything that RFC 3339 does not allow, or a day that no month has.
    init?(_ text: String) {
        guard
            let match = text.wholeMatch(
                of: #/(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))/#
            )
        else { return nil }
        let fields = [match.1, match.2, match.3, match.4, match.5, match.6].compactMap { Int64($0) }
        guard fields.count == 6, (1...12).contains(fields[1]), fields[3] < 24, fields[4] < 60, fields[5] <= 60 else {
            return nil
        }
        let (year, month, day) = (fields[0], fields[1], fields[2])
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[Int(month - 1)]).contains(day) else { return nil }
        // Days before this year since 0000-01-01, whose distance from 1970-01-01 is 719,528.
        let past = year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
        let days = past + lengths.prefix(Int(month - 1)).reduce(0, +) + day - 1 - 719_528
        var seconds = days * 86_400 + fields[3] * 3600 + fields[4] * 60 + fields[5]
        if let sign = match.8, let hours = match.9.flatMap({ Int64($0) }), let minutes = match.10.flatMap({ Int64($0) })
        {
            seconds -= (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
        }
        let fraction = match.7.map(String.init) ?? ""
        self.seconds = seconds
        nanoseconds = Int(fraction + String(repeating: "0", count: 9 - fraction.count)) ?? 0
    }
}
