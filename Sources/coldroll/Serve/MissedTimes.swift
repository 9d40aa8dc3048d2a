import Foundation

/// Due times that nobody was there for: what the owner is told of them.
struct MissedTimes: Sendable, Equatable {
    /// Which ones, so that they are told once.
    let subject: String
    let words: String

    /// Most that are counted: of a schedule by the minute there may be half a million.
    private static let most = 100

    /// Nothing where no time was missed.
    ///
    /// - Parameters:
    ///   - schedule: whose times.
    ///   - settled: none up to here counts.
    ///   - due: the last of them, for which there is a run now.
    ///   - now: seconds since 1970; what is due since less than `NoticeKeeper.patience` is late, not missed.
    init?(_ schedule: Schedule, after settled: Int, due: Int, now: Int) {
        let end = now - Int(NoticeKeeper.patience.components.seconds)
        guard let last = schedule.last(notAfter: min(due, end), notBefore: settled + 1) else { return nil }
        let first = schedule.next(after: settled)
        var (count, time) = (1, first)
        while time < last, count <= Self.most {
            time = schedule.next(after: time)
            count += 1
        }
        // Words of its own for the time that the run is for: another host may find that one late as well.
        subject = last == due ? "due \(due)" : "before \(due)"
        let why = "since no host was there, or none could reach the database."
        if count == 1 {
            words = "The run that was due on \(Self.text(first)) did not happen then, \(why) It is made up for now."
        } else {
            let runs = count > Self.most ? "More than \(Self.most)" : "\(count)"
            words =
                "\(runs) runs that were due from \(Self.text(first)) to \(Self.text(last)) did not happen then, \(why) One "
                + "run makes up for them now."
        }
    }

    /// A time as the owner is told it.
    static func text(_ instant: Int) -> String {
        let style = Date.ISO8601FormatStyle().year().month().day().dateTimeSeparator(.space).time(
            includingFractionalSeconds: false
        )
        return Date(timeIntervalSince1970: Double(instant)).formatted(style).dropLast(3) + " UTC"
    }
}
