import Postgres
package import Schema

/// Brings the schema of a database to this binary's version.
package struct Migrator: Sendable {
    private let conninfo: String
    /// Silence after which a worker is no reason to wait for it.
    private let silence: Duration

    /// - Parameters:
    ///   - conninfo: a user who may create a schema; roles are created only where that user may.
    ///   - silence: after which a worker counts as dead.
    package init(conninfo: String, silence: Duration) {
        self.conninfo = conninfo
        self.silence = silence
    }

    /// Applies what is missing and returns it; safe to repeat, and to run in several processes at once.
    ///
    /// Each step is a script that is one transaction and takes the advisory lock itself: whoever comes second waits,
    /// finds the step applied, and goes on with the next.
    ///
    /// - Throws: `LedgerError.schema` if the database is of a newer version, `.busy` if there is something to apply and somebody
    ///   works by the version that is there; `PostgresError` for the rest.
    package func migrate() async throws -> [Migration] {
        let connection = try await Connection.connect(conninfo, applicationName: "coldroll setup")
        do {
            var applied: [Migration] = []
            let missing = try await missing(connection)
            try await refuseWhileSomebodyWorks(missing, connection)
            for step in missing {
                if try await apply(step, connection) { applied.append(step) }
            }
            // Again and again: an administrator may have made the roles since.
            try await grantRoles(connection)
            await connection.close()
            return applied
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Gives the roles what they may, on every table that there is now; whoever does not own the schema leaves it.
    private func grantRoles(_ connection: Connection) async throws(PostgresError) {
        guard let row = try await connection.run(SchemaStatements.mayGrant).first, try row.boolean(0) else { return }
        _ = try await connection.run(SchemaStatements.grantRoles)
    }

    /// What is not applied yet.
    private func missing(_ connection: Connection) async throws -> ArraySlice<Migration> {
        let versions = try await appliedVersions { statement throws(PostgresError) in
            try await connection.run(statement)
        }
        try refuseNewer(versions)
        return Migration.all.dropFirst(versions.count)
    }

    /// Whoever is at work knows the schema of when it started, and a part that it holds may mean something else by the new one.
    private func refuseWhileSomebodyWorks(_ missing: ArraySlice<Migration>, _ connection: Connection) async throws {
        // The second made the table of workers.
        guard !missing.isEmpty, missing.startIndex >= 2 else { return }
        guard let workers = try await connection.whoWorks(silence: silence) else { return }
        throw LedgerError(
            code: .busy,
            message:
                "The database's schema must be changed, and somebody works by the one that is there: \(workers) Nothing"
                + " was changed."
        )
    }

    /// False if somebody else has applied it.
    private func apply(_ step: Migration, _ connection: Connection) async throws -> Bool {
        do {
            try await connection.script(step.sql, name: "migration \(step.version) (\(step.name))")
            return true
        } catch {
            // The script stopped inside its own transaction.
            try await connection.script("ROLLBACK", name: "migration.rollback")
            guard error.code == .server(sqlState: Migration.alreadyApplied) else {
                // insufficient_privilege
                if step.version == 1, error.code == .server(sqlState: "42501") { try await refuseUser(connection) }
                throw error
            }
            return false
        }
    }

    /// Throws what is to be granted where the user may not make a schema.
    private func refuseUser(_ connection: Connection) async throws {
        guard let row = try await connection.run(SchemaStatements.mayCreate).first, try !row.boolean(0) else { return }
        throw LedgerError(
            code: .forbidden,
            message:
                "The user \(try row.text(1)) may not make the schema coldroll in the database \(try row.text(2)). Nothing was "
                + "changed in it. Let its owner, or an administrator, say this to PostgreSQL, and repeat: \(try row.text(3));"
        )
    }
}

/// Versions and names that `coldroll.migration` lists, in order; empty if there is no such table.
func appliedVersions(
    _ run: (Statement) async throws(PostgresError) -> [Row]
) async throws(PostgresError) -> [(version: Int, name: String)] {
    guard let row = try await run(SchemaStatements.exists).first, try row.boolean(0) else { return [] }
    var versions: [(version: Int, name: String)] = []
    for row in try await run(SchemaStatements.versions) {
        versions.append((Int(try row.integer(0)), try row.text(1)))
    }
    return versions
}

/// Throws unless the versions are a beginning of this binary's.
func refuseNewer(_ versions: [(version: Int, name: String)]) throws(LedgerError) {
    let mine = Migration.all
    for (index, applied) in versions.enumerated() {
        if index >= mine.count {
            throw LedgerError(
                code: .schema,
                message: "The database's schema is of version \(versions.count), newer than this coldroll"
                    + " (version \(mine.count)). Update coldroll on this host."
            )
        }
        guard applied.version == mine[index].version, applied.name == mine[index].name else {
            throw LedgerError(
                code: .schema,
                message: "Step \(applied.version) of the database's schema is '\(applied.name)', but this coldroll"
                    + " knows step \(mine[index].version) as '\(mine[index].name)'. It was made by another program;"
                    + " use another database."
            )
        }
    }
}

/// SQL about the schema itself; works without one.
enum SchemaStatements {
    static let exists = Statement(
        "schema.exists",
        "SELECT to_regclass('coldroll.migration') IS NOT NULL"
    )
    static let mayCreate = Statement(
        "schema.may_create",
        """
        SELECT has_database_privilege(current_database(), 'CREATE'), current_user::text, current_database()::text,
               format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
        """
    )
    static let mayGrant = Statement(
        "schema.may_grant",
        """
        SELECT pg_has_role(p.proowner, 'USAGE') FROM pg_proc AS p WHERE p.oid = to_regprocedure('coldroll.grant_roles()')
        """
    )
    /// Under the migrations' lock, since two that grant the same at once fail.
    static let grantRoles = Statement(
        "schema.grant_roles",
        """
        WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(7165629038451265))
        SELECT coldroll.grant_roles() FROM locked
        """
    )
    static let versions = Statement(
        "schema.versions",
        "SELECT m.version, m.name FROM coldroll.migration AS m ORDER BY m.version"
    )
}
