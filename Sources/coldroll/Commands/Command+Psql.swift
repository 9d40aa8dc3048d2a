import Foundation
import Postgres

extension Command {
    static let psql = Command(
        name: "psql",
        purpose: "open the ledger in psql, as a reader",
        details: [
            "Starts psql on the configured database or on the private one, which stays up meanwhile. Nothing can be "
                + "changed by accident: transactions are read-only, and the role is coldroll_reader where it exists. "
                + "What stands behind -- is handed to psql; the exit code is psql's."
        ],
        takesRest: true,
        examples: [
            ("coldroll psql", "a prompt; try: select * from coldroll.queue_overview;"),
            ("coldroll psql -- -c 'table coldroll.balance'", "one query"),
        ],
        interruption: .own
    ) { session, arguments in
        let program = try findPsql(session.settings.environment)
        let server = try await session.openServer()
        let conninfo = Conninfo(session.settings.listen ?? server)
        var environment = session.settings.environment
        if let password = conninfo.password { environment["PGPASSWORD"] = password }
        environment["PGOPTIONS"] = await readerOptions(session.settings.listen ?? server)
        // Ctrl-C reaches psql by itself, in the terminal's foreground group; SIGTERM has to be passed on.
        let child = try ChildProcess(
            program,
            ["--dbname", conninfo.withoutPassword] + arguments.rest,
            environment: environment
        )
        let terminator = Task {
            await session.stop.wait()
            if !Task.isCancelled { kill(child.processID, SIGTERM) }
        }
        let code = await child.exitCode()
        terminator.cancel()
        return Ending(ExitStatus(code: code))
    }
}

/// Session settings that make a reader: PostgreSQL docs, "Client Connection Defaults" and "SET ROLE".
private func readerOptions(_ conninfo: String) async -> String {
    let readOnly = "-c default_transaction_read_only=on"
    // A database that coldroll may not create roles in has no such role; one that cannot be reached is psql's to explain.
    let known = Statement(
        "reader.known",
        "SELECT count(*) FROM pg_roles WHERE rolname = 'coldroll_reader' AND pg_has_role(oid, 'MEMBER')"
    )
    guard let connection = try? await Connection.connect(conninfo) else { return readOnly }
    let count = try? await connection.run(known).first?.integer(0)
    await connection.close()
    return count == 1 ? readOnly + " -c role=coldroll_reader" : readOnly
}
