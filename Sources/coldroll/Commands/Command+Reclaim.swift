import JobQueue
import Postgres

extension Command {
    static let reclaim = Command(
        name: "reclaim",
        purpose: "make what a move left behind the ledger again, where the other side is lost for good",
        details: [
            "For the day on which the database that the ledger was moved to is lost, or the one that a move came from before it "
                + "ended. A backup of that one is better: it knows what was done since. COLDROLL_DATABASE_URL says which "
                + "ledger is reclaimed, as for every command.",
            "Without --lost it tells what a person must know, and the name to give. Should the other side have gone on, the "
                + "marker in the state store stops the one that knows less, so run 'coldroll setup' next; two that have both "
                + "done nothing since it cannot tell apart.",
        ],
        flags: [Flag("--lost", .text("PLACE"), "the other side, exactly as 'coldroll reclaim' names it")],
        examples: [("coldroll reclaim", "what is to be known before")],
        output: .events
    ) { session, arguments in
        let server = try await session.openServer()
        let conninfo = session.settings.database == nil ? server : session.settings.listen ?? server
        let connection = try await Connection.connect(conninfo, applicationName: "coldroll reclaim")
        session.resources.add { await connection.close() }
        let reclaim = try await LedgerReclaim(connection)
        guard let place = arguments.value("--lost") else { throw CommandFailure(.usage, reclaim.question) }
        try await reclaim.run(lost: place)
        return Ending(
            .done,
            "This is the ledger again, as it was on \(reclaim.standing.since ?? "the day of the move"). Run 'coldroll setup' "
                + "now: it compares the ledger with its archive."
        )
    }
}
