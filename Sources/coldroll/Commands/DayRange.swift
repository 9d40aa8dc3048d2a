/// The flags `--since` and `--until`.
struct DayRange: Sendable, Equatable {
    let since: Day?
    let until: Day?

    /// - Throws: `CommandFault` where the range is empty.
    init(_ arguments: Arguments) throws(CommandFault) {
        since = arguments.value("--since").flatMap(Day.init)
        until = arguments.value("--until").flatMap(Day.init)
        if let since, let until, until < since {
            throw CommandFault("--until \(until.text) is before --since \(since.text)")
        }
    }

    static let flags = [
        Flag("--since", .day, "only photos taken on this day (UTC) or later: a partial scan"),
        Flag("--until", .day, "only photos taken on this day (UTC) or earlier: a partial scan"),
    ]
}
