import JobQueue
import Logging
import Postgres
import PrivatePostgres

/// The opened database, the configured one or the private one.
struct Database: Sendable {
    /// libpq conninfo; holds a password: never printed.
    let conninfo: String
    /// Where LISTEN works: past a pooler.
    let listenConninfo: String
    let pool: ConnectionPool
    let ledger: Ledger
    let queue: JobQueue
}

extension Session {
    /// Opens the database without looking at its schema.
    /// - Parameters:
    ///   - connections: most connections at once.
    ///   - makes: whether a private PostgreSQL that is not there is made; only `setup` does.
    /// - Returns: the pool and what works on it.
    /// - Throws: `PrivatePostgresError`; a configured database is first reached by the first statement.
    func openDatabase(connections: Int = 4, makes: Bool = false) async throws -> Database {
        let conninfo = try await openServer(makes: makes)
        let pool = ConnectionPool(conninfo: conninfo, limit: connections)
        resources.add { await pool.close() }
        var timing = settings.beat.timing
        timing.errorAge = settings.keepFailures
        return Database(
            conninfo: conninfo,
            listenConninfo: settings.listen ?? conninfo,
            pool: pool,
            ledger: Ledger(pool: pool, secondLook: timing.secondLook),
            queue: JobQueue(pool: pool, timing: timing, logger: logger)
        )
    }

    /// Opens the database and refuses a schema that is not exactly this program's.
    func openLedger(connections: Int = 4) async throws -> Database {
        let database = try await openDatabase(connections: connections)
        try await database.ledger.checkSchema()
        return database
    }

    /// The conninfo of the configured database, or that of the private server, which stays up until the command ends.
    ///
    /// A question makes no database: where there is none yet, or COLDROLL_HOME is misspelled, an empty one would answer.
    /// - Throws: `CommandFault` where there is none and `makes` is false.
    func openServer(makes: Bool = false) async throws -> String {
        if let conninfo = settings.database { return conninfo }
        return try await openPrivateServer(makes: makes)
    }

    /// The conninfo of the private server, whatever is configured; it stays up until the command ends.
    ///
    /// - Throws: as `openServer`.
    func openPrivateServer(makes: Bool) async throws -> String {
        guard makes || PrivatePostgres.exists(home: settings.home) else {
            let file = reporter.typable.hasFile ? "" : ", or name your settings by --env-file"
            throw CommandFault(
                "There is nothing in \(harmless(settings.home)) yet: run 'coldroll setup'. If your ledger is somewhere else, "
                    + "set COLDROLL_DATABASE_URL or COLDROLL_HOME\(file)."
            )
        }
        let server = try await PrivatePostgres.open(home: settings.home, logger: logger)
        resources.add { await server.close() }
        return server.conninfo
    }
}
