import Foundation
import Postgres
import Schema

extension Command {
    static let psql = Command(
        name: "psql",
        purpose: "open the ledger in psql, as a reader",
        details: [
            "Starts psql on the configured database or on the private one, which stays up meanwhile. Nothing can be "
                + "changed by accident: transactions are read-only, and the role is coldroll_reader where it exists. "
                + "What stands behind -- is handed to psql; the exit code is psql's, "
                + "and 1 where a query of --query fails.",
            "--query runs one of the questions that an owner has: running (what is running where), slow (the transfers that run "
                + "longest), failures (what failed and why), retries (what is tried again next), throughput (by hour and host), "
                + "eta, stuck, biggest (files), runs (how the last ones ended), acknowledged (what you took as dealt with that "
                + "may not be in the archive), tables (their health), story (all about one item: -- -v part=NUMBER, a number that failures and status "
                + "print; without it story says how to name one). They are "
                + "the files of sql/queries.",
        ],
        takesRest: true,
        flags: [
            Flag("--query", .choice(Query.all.map(\.name)), "run this query, then end")
        ],
        examples: [
            ("coldroll psql", "a prompt; try: select * from coldroll.queue_overview;"),
            ("coldroll psql -- -c 'table coldroll.balance'", "one query"),
            ("coldroll psql --query failures", "one of the queries that come with coldroll"),
            ("coldroll psql --query story -- -v part=17", "what happened to part 17"),
        ],
        interruption: .own
    ) { session, arguments in
        let program = try findPsql(session.settings.environment)
        let server = try await session.openServer()
        let conninfo = Conninfo(session.settings.listen ?? server)
        // The settings are not for what is started from psql in turn.
        var environment = session.settings.environment.filter { !$0.key.hasPrefix("COLDROLL_") }
        if let password = conninfo.password { environment["PGPASSWORD"] = password }
        environment["PGOPTIONS"] = await readerOptions(session.settings.listen ?? server)
        // Ctrl-C reaches psql by itself, in the terminal's foreground group; SIGTERM has to be passed on.
        let query = try arguments.value("--query").map(writeQuery)
        defer { query.map { try? FileManager.default.removeItem(at: $0) } }
        let child = try ChildProcess(
            program,
            ["--dbname", conninfo.withoutPassword]
                + (query.map { ["--set", "ON_ERROR_STOP=1", "--file", $0.path(percentEncoded: false)] } ?? [])
                + arguments.rest,
            environment: environment
        )
        let terminator = Task {
            await session.stop.wait()
            if !Task.isCancelled { kill(child.processID, SIGTERM) }
        }
        let code = await child.exitCode()
        terminator.cancel()
        // psql docs, "Exit Status": 3 is an error in a script, which here is how 1, no such query, ends too.
        return Ending(query != nil && code == 3 ? .usage : ExitStatus(code: code))
    }
}

/// Writes a query where psql can read it, which runs its own commands from files only.
private func writeQuery(_ name: String) throws -> URL {
    guard let query = Query.all.first(where: { $0.name == name }) else {
        preconditionFailure("the flag takes the names of queries only")
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(name)-\(UUID().uuidString).sql")
    try query.sql.write(to: file, atomically: false, encoding: .utf8)
    return file
}

/// Session settings that make a reader: PostgreSQL docs, "Client Connection Defaults" and "SET ROLE".
private func readerOptions(_ conninfo: String) async -> String {
    let readOnly = "-c default_transaction_read_only=on"
    // A database that coldroll may not create roles in has no such role; one that cannot be reached is psql's to explain.
    // From PostgreSQL 16 on a member may be one that may not become the role; 15 does not know the word.
    let known = Statement(
        "reader.known",
        """
        SELECT count(*) FROM pg_roles
        WHERE rolname = 'coldroll_reader'
          AND pg_has_role(oid, CASE WHEN current_setting('server_version_num')::integer >= 160000
                                    THEN 'SET' ELSE 'MEMBER' END)
        """
    )
    guard let connection = try? await Connection.connect(conninfo) else { return readOnly }
    let count = try? await connection.run(known).first?.integer(0)
    await connection.close()
    return count == 1 ? readOnly + " -c role=coldroll_reader" : readOnly
}
