/// A cron line's five fields: at which minutes of which days something is due.
///
/// Days are those of the Gregorian calendar, counted from 1970-01-01.
struct Cron: Sendable, Equatable {
    /// Seconds after midnight of any such day, smallest first.
    let times: [Int]
    private let day: CronField
    private let month: CronField
    private let weekday: CronField

    /// What was wrong with the text, as the end of a sentence.
    struct Fault: Error, Equatable {
        let words: String
    }

    /// Reads `minute hour day-of-month month day-of-week`.
    ///
    /// - Throws: `Fault` that names the field; also where no day ever fits, such as 30 February.
    init(_ text: String) throws(Fault) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 5 else {
            throw Fault(
                words:
                    "is '\(harmless(text))'; expected five fields, such as '0 3 1 * *': minute, hour, day of the month, "
                    + "month, day of the week"
            )
        }
        var fields: [CronField] = []
        for (word, kind) in zip(words, CronField.Kind.all) {
            guard let field = CronField(word, kind) else {
                throw Fault(
                    words: "has '\(harmless(String(word)))' for the \(kind.name); expected *, or numbers from "
                        + "\(kind.range.lowerBound) to \(kind.range.upperBound) as in 5, 1-5, */2 or 1,15"
                )
            }
            fields.append(field)
        }
        let minutes = fields[0].numbers
        times = fields[1].numbers.flatMap { hour in minutes.map { hour * 3600 + $0 * 60 } }
        day = fields[2]
        month = fields[3]
        weekday = fields[4]
        // In 28 years each date has been each day of the week.
        guard (0..<28 * 366).contains(where: { allows(day: $0) }) else {
            throw Fault(words: "is '\(harmless(text))', a day that never comes")
        }
    }

    /// Whether something is due on that day.
    ///
    /// Where both the day of the month and the day of the week are restricted, either is enough (crontab(5)).
    func allows(day number: Int) -> Bool {
        let civil = CivilDay(number)
        guard month.allows(civil.month) else { return false }
        let fitsDay = day.allows(civil.day)
        // 1970-01-01 was a Thursday.
        let fitsWeekday = weekday.allows((((number + 4) % 7) + 7) % 7)
        return day.isStar || weekday.isStar ? fitsDay && fitsWeekday : fitsDay || fitsWeekday
    }
}

/// Month and day of a day that is counted from 1970-01-01.
private struct CivilDay {
    let month: Int
    let day: Int

    /// By eras of 400 years that begin in March (Hinnant: "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    init(_ number: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    }
}
