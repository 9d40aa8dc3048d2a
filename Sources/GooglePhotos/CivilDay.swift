/// A day of the Gregorian calendar that exists.
struct CivilDay: Equatable {
    let year: Int
    let month: Int
    let day: Int

    /// Ends of a range that is open: both ends must have the same shape, and years run from 1 to 9999 in the API's `Date`.
    static let earliest = CivilDay(unchecked: 1, 1, 1)
    static let latest = CivilDay(unchecked: 9999, 12, 31)

    private init(unchecked year: Int, _ month: Int, _ day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month) else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        self.init(unchecked: year, month, day)
    }

    /// Reads `yyyy-mm-dd`.
    init?(_ text: String) {
        var digits = DigitReader(text.utf8)
        guard let year = digits.number(4), digits.take("-"), let month = digits.number(2), digits.take("-"),
            let day = digits.number(2), digits.isAtEnd
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Days from 1970-01-01, before it negative; years counted from March, so that the leap day comes last.
    var daysSinceEpoch: Int {
        let shifted = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The day that is `days` after this one; nil outside the years 1 to 9999.
    func advanced(by days: Int) -> CivilDay? {
        guard days != 0 else { return self }
        let target = daysSinceEpoch + days
        // A guess that is never too late, then the few days that are missing.
        var year = max(1, min(9999, target / 366 + 1970 - (target < 0 ? 1 : 0)))
        while let next = CivilDay(year: year + 1, month: 1, day: 1), next.daysSinceEpoch <= target { year += 1 }
        while year > 1, CivilDay(unchecked: year, 1, 1).daysSinceEpoch > target { year -= 1 }
        for month in (1...12).reversed() {
            let rest = target - CivilDay(unchecked: year, month, 1).daysSinceEpoch
            if rest >= 0 { return CivilDay(year: year, month: month, day: rest + 1) }
        }
        return nil
    }
}

/// Reads fixed numbers of ASCII digits off the front of text.
struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String.UTF8View) {
        rest = text[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The next `count` digits as a number, nil if there are fewer.
    mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// All digits that come next.
    mutating func digits() -> Substring.UTF8View {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count)
        return digits
    }

    /// Whether one of these ASCII characters comes next; it is taken.
    mutating func take(_ characters: String) -> Bool { next(of: characters) != nil }

    /// Takes and returns the next character if it is one of these.
    mutating func next(of characters: String) -> Character? {
        guard let byte = rest.first, characters.utf8.contains(byte) else { return nil }
        rest = rest.dropFirst()
        return Character(UnicodeScalar(byte))
    }
}
