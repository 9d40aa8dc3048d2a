import Postgres

extension Command {
    static let retry = Command(
        name: "retry",
        purpose: "queue dead or skipped parts again, or let a scheduled one wait no longer",
        operands: .partsOr(flag: "--reason"),
        flags: [
            Flag(
                "--reason",
                .text("PATTERN"),
                "every dead part whose reason matches PATTERN, a regular expression that ignores case"
            )
        ],
        examples: [
            ("coldroll retry 1207", "the part 1207"),
            ("coldroll retry --reason reduced", "all that died of something with 'reduced' in it"),
            ("coldroll retry --reason .", "all dead parts"),
        ]
    ) { session, arguments in
        let database = try await session.openLedger()
        if let pattern = arguments.value("--reason") {
            for row in try await session.matching(AdminStatements.retryFailed, database, reason: pattern) {
                StandardStream.output.write("\(Quantity.counted(try row.integer(0), "part")) in the queue again\n")
            }
            return .done
        }
        return try await session.decide(database, AdminStatements.retry, arguments.operands)
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
        return try await session.decide(database, AdminStatements.skip, arguments.operands, [.text(reason)])
    }

    static let accept = Command(
        name: "accept",
        purpose:
            "store a part that is smaller than reported or ends oddly, or keep one that has another item's bytes",
        operands: .partsOr(flag: "--reason"),
        flags: [
            Flag(
                "--reason",
                .text("PATTERN"),
                "every dead part whose reason matches PATTERN, a regular expression that ignores case"
            )
        ],
        examples: [
            ("coldroll accept 1207", "the part 1207"),
            (
                "coldroll accept --reason '^gone.*same bytes as'",
                "all with another item's bytes that Google has no more"
            ),
        ]
    ) { session, arguments in
        let database = try await session.openLedger()
        guard let pattern = arguments.value("--reason") else {
            return try await session.decide(database, AdminStatements.accept, arguments.operands)
        }
        let parts = try await session.matching(AdminStatements.dead, database, reason: pattern)
            .map { row throws(PostgresError) in String(try row.integer(0)) }
        let ending = try await session.decide(database, AdminStatements.accept, parts)
        let hint = parts.isEmpty ? session.reporter.typable(" ('coldroll failures' lists the reasons)") : ""
        StandardStream.output.write("\(Quantity.counted(Int64(parts.count), "dead part")) had such a reason\(hint)\n")
        return ending
    }

    static let pause = Command(
        name: "pause",
        purpose: "begin nothing more in a lane until it is resumed",
        details: [
            "A lane is the photos, or the videos, of one source; 'coldroll status' prints each with its number, as in "
                + "'lane 2    library default video: open'. What runs is finished; workers on all hosts begin nothing else of it, "
                + "and 'work --drain' and 'run' wait until it is resumed."
        ],
        operands: .lane,
        examples: [("coldroll pause 2", "lane 2, as 'coldroll status' numbers them")]
    ) { session, arguments in
        let database = try await session.openLedger()
        return try await session.decide(
            database,
            AdminStatements.pause,
            arguments.operands,
            list: "'coldroll status' lists the lanes"
        )
    }

    static let resume = Command(
        name: "resume",
        purpose: "open a paused or parked lane",
        details: [
            "'coldroll status' prints each lane with its number. One that a refused login pauses opens with the next 'coldroll login'."
        ],
        operands: .lane,
        examples: [("coldroll resume 2", "lane 2, as 'coldroll status' numbers them")]
    ) { session, arguments in
        let database = try await session.openLedger()
        return try await session.decide(
            database,
            AdminStatements.resume,
            arguments.operands,
            list: "'coldroll status' lists the lanes"
        )
    }
}

extension Session {
    /// Runs a statement about what died of a matching reason.
    /// - Throws: `CommandFault` where the pattern is none.
    fileprivate func matching(_ statement: Statement, _ database: Database, reason pattern: String) async throws
        -> [Row]
    {
        do {
            return try await database.pool.run(statement, [.text(pattern)])
        } catch {
            // PostgreSQL docs, appendix A: invalid_regular_expression.
            guard error.code == .server(sqlState: "2201B") else { throw error }
            throw CommandFault(
                "--reason is '\(harmless(pattern))', which is no regular expression: close every bracket, and put a backslash "
                    + "before a character such as ( or * that stands for itself"
            )
        }
    }

    /// Calls a function once for each number and tells what it answers; one that is refused does not keep the others back.
    ///
    /// `list` says where the numbers are that there are.
    fileprivate func decide(
        _ database: Database,
        _ statement: Statement,
        _ numbers: [String],
        _ more: [PostgresValue] = [],
        list: String = "'coldroll failures' lists the parts that failed, by their numbers"
    ) async throws -> Ending {
        var refusals = 0
        for number in numbers {
            do {
                let rows = try await database.pool.run(statement, [.integer(Int64(number))] + more)
                for row in rows { StandardStream.output.write(harmless(try row.text(0)) + "\n") }
            } catch {
                guard error.isRefusal else { throw error }
                // The ledger's own hint names views.
                let isUnknown = error.code == .server(sqlState: "CRF01")
                reporter.fail(sentence(of: error) + (isUnknown ? "; \(list)" : ""))
                refusals += 1
            }
        }
        return Ending(refusals == 0 ? .done : .usage)
    }
}

extension PostgresError {
    /// Whether one of the ledger's own functions refused what it was asked: SQLSTATEs of class CR are theirs.
    var isRefusal: Bool {
        if case .server(let state) = code { return state.hasPrefix("CR") }
        return false
    }
}
