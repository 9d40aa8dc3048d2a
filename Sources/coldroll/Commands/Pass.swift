import JobQueue

/// What a scan is asked for: which days, in which order, and what the owner says of what it will miss.
struct Pass: Sendable, Equatable {
    let range: DayRange
    /// Which of what it finds is fetched first.
    let order: WorkOrder
    /// Whether a full scan is taken with what those before it missed as well, and with what it could not read.
    let acceptsGaps: Bool

    static let acceptsGapsFlag = Flag(
        "--accept-gaps",
        .toggle,
        "you know why known items are missing that the scans before missed too, and why this full scan lists entries without an id"
    )

    static let orderFlag = Flag(
        "--order",
        .choice(WorkOrder.allCases.map(\.rawValue)),
        "which of the photos and videos that this scan finds are fetched first, by capture time; those that failed come "
            + "after those that did not",
        fallback: "newest"
    )

    /// - Parameters:
    ///   - arguments: the command's.
    ///   - source: what is scanned.
    /// - Throws: `CommandFault` if gaps are accepted of a scan that is not full, which misses things by its nature; and for
    ///   flags about a library where a person picks.
    init(_ arguments: Arguments, of source: Source?) throws {
        range = try DayRange(arguments)
        order = arguments.value(Self.orderFlag.name).flatMap(WorkOrder.init(rawValue:)) ?? .newest
        acceptsGaps = arguments.has(Self.acceptsGapsFlag.name)
        if source == .picker, acceptsGaps || range.since != nil || range.until != nil {
            throw CommandFault(
                "--since, --until and --accept-gaps are about a library: with the Picker you pick what you want"
            )
        }
        if acceptsGaps, range.since != nil || range.until != nil {
            throw CommandFault("--accept-gaps is about a full scan: leave --since and --until away")
        }
    }
}
