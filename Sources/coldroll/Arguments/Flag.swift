/// One `--flag` of a command: how it is read, checked and explained.
struct Flag: Sendable, Equatable {
    /// What follows the name, and so what is accepted.
    enum Kind: Sendable, Equatable {
        /// Nothing follows.
        case toggle
        /// Any text that is not empty; the word stands for it in the usage text.
        case text(String)
        /// A calendar day, `yyyy-mm-dd`.
        case day
        /// A span such as `90s`, `10m`, `2h`, `1d`; a bare number is seconds.
        case span
        /// A whole number in a range, or the word `auto`.
        case countOrAuto(ClosedRange<Int>)
        /// One of these words.
        case choice([String])
        /// A whole number of days in a range, or 0 where that means "none".
        case days(ClosedRange<Int>, orZero: Bool)
        /// Five fields as cron has them.
        case schedule
        /// An IPv4 address and a port.
        case address
        /// A name in Google Cloud; the word stands for it in the usage text.
        case cloudName(String)
    }

    /// With its dashes.
    let name: String
    let kind: Kind
    /// One phrase, with the unit where there is one.
    let meaning: String
    /// What holds without the flag and without the variable; nil where absence itself is the meaning.
    let fallback: String?
    /// The environment variable that the flag wins over.
    let variable: String?

    init(_ name: String, _ kind: Kind = .toggle, _ meaning: String, fallback: String? = nil, variable: String? = nil) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
        self.fallback = fallback
        self.variable = variable
    }

    /// What stands for the value in the usage text; nil where none follows.
    var placeholder: String? {
        switch kind {
        case .toggle: nil
        case .text(let word): word
        case .day: "yyyy-mm-dd"
        case .span: "SPAN"
        case .countOrAuto: "N|auto"
        // Many would leave no room for what the flag means; the command's own words name them.
        case .choice(let words): words.count > 5 ? "NAME" : words.joined(separator: "|")
        case .days: "DAYS"
        case .schedule: "CRON"
        case .address: "HOST:PORT"
        case .cloudName(let word): word
        }
    }

    /// Why the value cannot be used, as the end of a sentence; nil if it can.
    func complaint(about value: String) -> String? {
        switch kind {
        case .toggle: return "takes no value"
        case .text: return value.isEmpty ? "is empty" : nil
        case .day:
            return Day(value) == nil
                ? "is '\(harmless(value))'; expected a day of the calendar, such as 2024-05-31" : nil
        case .span:
            return Span(value) == nil ? "is '\(harmless(value))'; expected a span such as 90s, 10m, 2h or 1d" : nil
        case .countOrAuto(let range):
            return SlotCount(value, in: range) == nil
                ? "is '\(harmless(value))'; expected 'auto' or a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)" : nil
        case .choice(let words):
            return words.contains(value) ? nil : "is '\(harmless(value))'; expected \(words.joined(separator: ", "))"
        case .days(let range, let orZero):
            return DayCount(value, in: range, orZero: orZero) == nil
                ? "is '\(harmless(value))'; expected \(orZero ? "0, or " : "")a whole number of days from "
                    + "\(range.lowerBound) to \(range.upperBound)" : nil
        case .schedule:
            do throws(Cron.Fault) {
                _ = try Cron(value)
                return nil
            } catch {
                return error.words
            }
        case .address: return ListenAddress(value) == nil ? ListenAddress.complaint(about: value) : nil
        case .cloudName:
            return isCloudName(value) ? nil : "is '\(harmless(value))'; expected letters, digits, '-', '.' and ':'"
        }
    }
}
