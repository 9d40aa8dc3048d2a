import Postgres

extension Command {
    static let retry = Command(
        name: "retry",
        purpose: "queue dead parts again",
        operands: .partsOr(flag: "--reason"),
        flags: [Flag("--reason", .text("PATTERN"), "every dead part whose reason matches PATTERN (SQL LIKE: % and _)")],
        examples: [
            ("coldroll retry 1207", "the part 1207"),
            ("coldroll retry --reason reduced", "all that died of 'reduced'"),
            ("coldroll retry --reason %", "all dead parts"),
        ]
    ) { session, arguments in
        let database = try await session.openLedger()
        if let pattern = arguments.value("--reason") {
            let count =
                try await database.pool.run(AdminStatements.retryFailed, [.text(pattern)]).first?.integer(0) ?? 0
            return Ending(.done, "\(Quantity.counted(count, "part")) back in the queue.")
        }
        for part in arguments.parts { _ = try await database.pool.run(AdminStatements.retry, [.integer(part)]) }
        return Ending(.done, "\(Quantity.counted(Int64(arguments.parts.count), "part")) back in the queue.")
    }

    static let skip = Command(
        name: "skip",
        purpose: "acknowledge that a part will not be stored",
        operands: .part,
        flags: [Flag("--reason", .text("TEXT"), "why, for whoever asks later; required")],
        examples: [("coldroll skip 1207 --reason 'deleted in Google Photos'", "the part 1207")]
    ) { session, arguments in
        guard let reason = arguments.value("--reason") else { throw CommandFault("--reason is missing: say why") }
        let database = try await session.openLedger()
        for part in arguments.parts {
            _ = try await database.pool.run(AdminStatements.skip, [.integer(part), .text(reason)])
        }
        return Ending(.done, "Part \(arguments.operands[0]) is skipped: \(harmless(reason))")
    }

    static let accept = Command(
        name: "accept",
        purpose: "store a part although Google's copy is smaller than reported; it is marked",
        operands: .part,
        examples: [("coldroll accept 1207", "the part 1207")]
    ) { session, arguments in
        let database = try await session.openLedger()
        for part in arguments.parts { _ = try await database.pool.run(AdminStatements.accept, [.integer(part)]) }
        return Ending(.done, "Part \(arguments.operands[0]) is back in the queue and will be stored as it is.")
    }

    static let pause = Command(
        name: "pause",
        purpose: "claim nothing from a lane until it is resumed",
        operands: .lane,
        examples: [("coldroll pause 2", "the lane 2 (see coldroll status)")]
    ) { session, arguments in
        let database = try await session.openLedger()
        let lane = arguments.operands[0]
        _ = try await database.pool.run(AdminStatements.pause, [.integer(Int64(lane))])
        return Ending(.done, "Lane \(lane) is paused. What is running there goes on to its end.")
    }

    static let resume = Command(
        name: "resume",
        purpose: "claim from a paused or parked lane again",
        operands: .lane,
        examples: [("coldroll resume 2", "the lane 2 (see coldroll status)")]
    ) { session, arguments in
        let database = try await session.openLedger()
        let lane = arguments.operands[0]
        _ = try await database.pool.run(AdminStatements.resume, [.integer(Int64(lane))])
        return Ending(.done, "Lane \(lane) is open again.")
    }
}

extension Arguments {
    /// The operands as part numbers; they were checked when they were read.
    fileprivate var parts: [Int64] { operands.compactMap { Int64($0) } }
}
