import JobQueue
import Postgres
import Schema

/// What `doctor` asks the database.
enum DoctorStatements {
    static let version = Statement("doctor.version", "SELECT current_setting('server_version')")

    /// The database's clock in seconds since 1970.
    static let clock = Statement("doctor.clock", "SELECT extract(epoch FROM clock_timestamp())::float8")

    /// Whether this is a standby, whether nothing can be written, and the tables into which this role may not write all.
    ///
    /// No program but `setup` writes into coldroll.migration.
    static let rights = Statement(
        "doctor.rights",
        """
        SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean,
               coalesce((SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
                         FROM pg_class AS c
                         WHERE c.relnamespace = to_regnamespace('coldroll') AND c.relkind IN ('r', 'p')
                           AND c.relname <> 'migration'
                           AND NOT (has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
                                    AND has_table_privilege(c.oid, 'DELETE'))), ''),
               current_user::text
        """
    )

    static let all = [version, clock, rights]
}

extension Doctor {
    /// Opens the database, and says what it is and whether the ledger in it can be used.
    ///
    /// - Throws: what keeps it from being opened at all.
    func openedDatabase() async throws -> ([Diagnosis], Database) {
        let database = try await session.openDatabase()
        let version = try await database.pool.run(DoctorStatements.version).first?.text(0) ?? "unknown"
        let isPrivate = session.settings.database == nil
        var lines: [Diagnosis] = [
            .ok(
                .database,
                "PostgreSQL \(version.prefix { $0 != " " }) answers"
                    + (isPrivate ? ", the private one in \(session.settings.home)." : ".")
            )
        ]
        do {
            try await database.ledger.checkSchema()
            lines.append(.ok(.database, "The schema is of version \(Migration.all.count), as this program wants it."))
            if let foreign = try await otherArchive(database) { lines.append(foreign) }
            lines += try await rights(database)
        } catch {
            try Task.checkCancellation()
            lines.append(.failed(.database, error))
        }
        if !isPrivate { lines += try await poolers(database) }
        return (lines, database)
    }

    /// What a run would say to an archive that is not the ledger's; nil if it is, or the ledger has none yet.
    private func otherArchive(_ database: Database) async throws -> Diagnosis? {
        do {
            try await database.ledger.refuseForeign(archive: session.settings.archive)
            return nil
        } catch let error as LedgerError where error.code == .foreignArchive {
            var line = Diagnosis.failed(.database, error)
            let bound = try await database.ledger.boundArchive()?.url ?? ""
            line.fix =
                "Set COLDROLL_ARCHIVE=\(bound), and COLDROLL_STATE and what else was set when this ledger was filled; or name the "
                + "settings file by --env-file."
            return line
        }
    }

    /// The archive of the ledger where that is not the one of the settings; nil too where the ledger cannot be asked.
    func foreignArchive(_ database: Database?) async throws -> String? {
        guard let database else { return nil }
        do {
            guard let bound = try await database.ledger.boundArchive(), bound.url != session.settings.archive else {
                return nil
            }
            return bound.url
        } catch {
            try Task.checkCancellation()
            return nil
        }
    }

    /// Whether a run could write: what can only be read answers every question, and fails at the first page of a scan.
    private func rights(_ database: Database) async throws -> [Diagnosis] {
        guard let row = try await database.pool.run(DoctorStatements.rights).first else { return [] }
        if try row.boolean(0) {
            return [
                .failed(
                    .database,
                    "The server is a standby, in which nothing can be written.",
                    fix:
                        "Let COLDROLL_DATABASE_URL name the primary, or all hosts with target_session_attrs=read-write.",
                    .unreachable
                )
            ]
        }
        if try row.boolean(1) {
            return [
                .failed(
                    .database,
                    "The database lets this role only read (default_transaction_read_only).",
                    fix: "ALTER ROLE … RESET default_transaction_read_only, or ALTER DATABASE where it was set there",
                    .unreachable
                )
            ]
        }
        let closed = try row.text(2)
        guard closed.isEmpty else {
            return [
                .failed(
                    .database,
                    "The role \(try row.text(3)) may not write into \(closed).",
                    fix: "Let COLDROLL_DATABASE_URL name the role that ran coldroll setup.",
                    .credentials
                )
            ]
        }
        return []
    }

    /// Whether a pooler stands in the way of LISTEN, and the direct way leads to the same ledger.
    private func poolers(_ database: Database) async throws -> [Diagnosis] {
        let isPooled = try await Self.isPooled(database.conninfo)
        guard let listen = session.settings.listen else {
            guard isPooled else { return [] }
            return [
                .warning(
                    .database,
                    "A pooler stands between this host and PostgreSQL: workers ask for new work every second, and are not "
                        + "told of it.",
                    fix: "Set COLDROLL_LISTEN_URL to the server's own address."
                )
            ]
        }
        do {
            guard try await !Self.isPooled(listen) else {
                return [
                    .warning(
                        .database,
                        "COLDROLL_LISTEN_URL leads through a pooler too, where LISTEN does not work.",
                        fix: "Set it to the server's own address, or leave it out."
                    )
                ]
            }
            let pool = ConnectionPool(conninfo: listen, limit: 1)
            session.resources.add { await pool.close() }
            guard try await Ledger(pool: pool).identity().id == database.ledger.identity().id else {
                return [
                    .failed(
                        .database,
                        "COLDROLL_LISTEN_URL leads to another ledger than COLDROLL_DATABASE_URL.",
                        fix: "Let both name the same database.",
                        .usage
                    )
                ]
            }
            return [.ok(.database, "COLDROLL_LISTEN_URL leads to the same ledger, past any pooler.")]
        } catch {
            try Task.checkCancellation()
            return [
                .warning(
                    .database,
                    "COLDROLL_LISTEN_URL does not work: \((error as? PostgresError)?.message ?? sentence(of: error))",
                    fix: "Correct it, or leave it out."
                )
            ]
        }
    }

    private static func isPooled(_ conninfo: String) async throws -> Bool {
        let connection = try await Connection.connect(conninfo, applicationName: "coldroll doctor")
        let isPooled = try await connection.isPooled()
        await connection.close()
        return isPooled
    }
}
