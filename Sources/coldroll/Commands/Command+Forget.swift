import Postgres

extension Command {
    static let forget = Command(
        name: "forget",
        purpose: "take a source out of the ledger that was chosen by mistake",
        details: [
            "Status and exit codes speak of each source that was ever chosen. One of which nothing was ever found can be "
                + "forgotten; one with items is refused, since the ledger is what knows of them. Its runs stay on record.",
            "Stop what works on it first, 'coldroll serve' too, and correct COLDROLL_SOURCE: whoever uses the source again makes "
                + "it again. The login of the account stays; 'coldroll logout' ends it.",
        ],
        operands: .source,
        flags: [
            Flag(
                "--account",
                .text("LABEL"),
                "the account of the source",
                fallback: "default",
                variable: "COLDROLL_ACCOUNT"
            )
        ],
        examples: [("coldroll forget picker", "after a run of picker where library was meant")]
    ) { session, arguments in
        let account = arguments.value("--account") ?? session.settings.account
        let database = try await session.openLedger()
        do {
            let rows = try await database.pool.run(
                AdminStatements.forget,
                [.text(arguments.operands[0]), .text(account)]
            )
            for row in rows { StandardStream.output.write(harmless(try row.text(0)) + "\n") }
            try await session.forgetOutages(database)
            return .done
        } catch let error as PostgresError where error.isRefusal {
            return Ending(.usage, sentence(of: error))
        }
    }
}

extension Session {
    /// An outage that nobody works against any more would be told of for ever.
    fileprivate func forgetOutages(_ database: Database) async throws {
        do throws(PostgresError) {
            _ = try await database.pool.run(AdminStatements.forgetOutages, [])
        } catch {
            // An operator may call the functions, and write nothing else.
            guard error.code == .server(sqlState: "42501") else { throw error }
            reporter.warn(
                "This role may not take away what the ledger keeps of outages: one that 'coldroll status' tells of for that "
                    + "source goes once the owner of the schema deletes it from coldroll.breaker."
            )
        }
    }
}
