/// One of the five fields of a cron line: the numbers that it allows.
struct CronField: Sendable, Equatable {
    /// Allowed numbers; bit n is number n.
    private let bits: UInt64
    /// Whether it begins with a star, which makes a day field say nothing (crontab(5)).
    let isStar: Bool

    /// What a field may hold.
    struct Kind: Sendable {
        let name: String
        let range: ClosedRange<Int>
        /// Three letters each; the first stands for the smallest number.
        var names: [String] = []

        static let minute = Kind(name: "minute", range: 0...59)
        static let hour = Kind(name: "hour", range: 0...23)
        static let day = Kind(name: "day of the month", range: 1...31)
        static let month = Kind(
            name: "month",
            range: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        )
        /// Sunday is 0 and 7.
        static let weekday = Kind(
            name: "day of the week",
            range: 0...7,
            names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        )
        static let all = [minute, hour, day, month, weekday]
    }

    func allows(_ number: Int) -> Bool { bits & (1 << UInt64(number)) != 0 }

    /// Allowed numbers, smallest first.
    var numbers: [Int] { (0..<64).filter(allows) }

    /// nil unless the text is `*`, a number, a range `a-b`, each with a step `/n` behind, or several with commas between.
    init?(_ text: Substring, _ kind: Kind) {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let numbers = Self.numbers(part, kind) else { return nil }
            for number in numbers { bits |= 1 << UInt64(number) }
        }
        if kind.range.upperBound == 7, bits & (1 << 7) != 0 { bits = (bits | 1) & ~(1 << 7) }
        self.bits = bits
        isStar = text.hasPrefix("*")
    }

    private static func numbers(_ part: Substring, _ kind: Kind) -> [Int]? {
        let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var step = 1
        if halves.count == 2 {
            guard let number = whole(halves[1]), number > 0 else { return nil }
            step = number
        }
        let range: ClosedRange<Int>
        if halves[0] == "*" {
            range = kind.range
        } else {
            let ends = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = number(ends[0], kind) else { return nil }
            if ends.count == 2 {
                guard let last = number(ends[1], kind), first <= last else { return nil }
                range = first...last
            } else {
                // A step behind a single number would mean nothing.
                guard halves.count == 1 else { return nil }
                range = first...first
            }
        }
        return Array(stride(from: range.lowerBound, through: range.upperBound, by: step))
    }

    private static func number(_ text: Substring, _ kind: Kind) -> Int? {
        if let place = kind.names.firstIndex(of: text.lowercased()) { return kind.range.lowerBound + place }
        guard let number = whole(text), kind.range.contains(number) else { return nil }
        return number
    }

    private static func whole(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
