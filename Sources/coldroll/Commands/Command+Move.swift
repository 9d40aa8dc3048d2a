import JobQueue
import Postgres

extension Command {
    static let move = Command(
        name: "move",
        purpose: "carry the ledger to another PostgreSQL, from the private one to a shared one, or back",
        details: [
            "Copies the whole ledger into the database that URL names, or into the private PostgreSQL of COLDROLL_HOME "
                + "(the word private), in one transaction; makes schema and roles there as 'coldroll setup' does; compares "
                + "both sides row by row; and only then makes the old one refuse to be used. Where the ledger is now, "
                + "COLDROLL_DATABASE_URL says, as for every command.",
            "The database must be there, and hold no other ledger. Stop all workers and scans first. Broken off at any "
                + "instant, the old ledger goes on as if nothing had happened, or the same command repeated ends the move. "
                + "Then set COLDROLL_DATABASE_URL on all hosts to where the ledger is.",
            "A password does not belong on a command line: put it into the environment as PGPASSWORD, or into the file "
                + "that PGPASSFILE names (~/.pgpass where it names none).",
        ],
        operands: .destination,
        examples: [
            ("coldroll move postgresql://ada@db.example/coldroll", "a laptop's ledger becomes a fleet's"),
            ("coldroll move private", "back from COLDROLL_DATABASE_URL into COLDROLL_HOME"),
        ],
        output: .events
    ) { session, arguments in
        let isToPrivate = arguments.operands == ["private"]
        if isToPrivate, session.settings.database == nil {
            // One that was moved away says where it is.
            _ = try await session.openDatabase().ledger.isCurrent()
            throw CommandFault(
                "COLDROLL_DATABASE_URL is not set, so the ledger is in the private PostgreSQL already: nothing to move."
            )
        }
        let here = "the private PostgreSQL in \(harmless(session.settings.home)) on \(harmless(hostName()))"
        let isFromPrivate = session.settings.database == nil
        let source = try await session.openServer()
        let target = isToPrivate ? try await session.openPrivateServer(makes: true) : arguments.operands[0]
        try await session.checkCanReach(target)
        let move = LedgerMove(
            from: LedgerMove.Side(
                conninfo: isFromPrivate ? source : session.settings.listen ?? source,
                place: isFromPrivate ? here : nil
            ),
            to: LedgerMove.Side(conninfo: target, place: isToPrivate ? here : nil),
            silence: session.settings.beat.timing.dead,
            tell: { session.reporter.say($0) }
        )
        let next =
            isToPrivate
            ? "Leave COLDROLL_DATABASE_URL out of the settings of this host: other hosts cannot reach it there."
            : "Set COLDROLL_DATABASE_URL to where it is now, on all hosts."
        let result: LedgerMove.Result
        do {
            result = try await move.run()
        } catch let error as LedgerError where error.code == .halfway {
            // Told also to whoever interrupted it.
            return Ending(ExitStatus(of: error), error.message)
        }
        switch result {
        case .moved(let rows):
            let counts = [("item", "item"), ("part", "part"), ("object", "stored object")].map { table, word in
                Quantity.counted(rows[table] ?? 0, word)
            }
            return Ending(
                .done,
                "Moved the ledger: \(counts.joined(separator: ", ")). Both sides were compared and were the same; what "
                    + "it was moved from refuses to be used from now on. \(next)"
            )
        case .ended: return Ending(.done, "Ended the move that had been broken off: the ledger is there now. \(next)")
        case .wasThere: return Ending(.done, "The ledger was moved there already: nothing was changed. \(next)")
        }
    }
}

extension Session {
    /// Connects once, so that what is wrong with the destination is not blamed on the settings.
    fileprivate func checkCanReach(_ target: String) async throws {
        do {
            await (try Connection.connect(target, applicationName: "coldroll move")).close()
        } catch {
            guard error.statement == nil, !Task.isCancelled else { throw error }
            throw CommandFailure(
                ExitStatus(of: error),
                "The database to move to cannot be used: \(error.message). Nothing was changed."
            )
        }
    }
}
