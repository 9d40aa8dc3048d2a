/// What a scan is asked for: which days, and what the owner says of what it will miss.
struct Pass: Sendable, Equatable {
    let range: DayRange
    /// Whether a full scan is taken with what it misses and could not read.
    let acceptsGaps: Bool

    static let acceptsGapsFlag = Flag(
        "--accept-gaps",
        .toggle,
        "take this full scan as it is: you know why it misses known items or lists entries without an id"
    )

    /// - Throws: `CommandFault` if gaps are accepted of a scan that is not full, which misses things by its nature.
    init(_ arguments: Arguments) throws {
        range = try DayRange(arguments)
        acceptsGaps = arguments.has(Self.acceptsGapsFlag.name)
        if acceptsGaps, range.since != nil || range.until != nil {
            throw CommandFault("--accept-gaps is about a full scan: leave --since and --until away")
        }
    }
}
