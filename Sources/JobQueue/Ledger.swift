package import Postgres
import Schema

/// The permanent tables' writer: sources, scans, runs.
///
/// Methods that throw untyped throw `LedgerError` for a rule that a person must know of, and `PostgresError` otherwise.
package struct Ledger: Sendable {
    /// Where statements run.
    package let pool: ConnectionPool
    /// `JobQueue.Timing.secondLook`.
    let secondLook: Duration

    package init(pool: ConnectionPool, secondLook: Duration = JobQueue.Timing().secondLook) {
        self.pool = pool
        self.secondLook = secondLook
    }

    /// Throws `.schema` with what to do unless the schema is exactly this binary's, `.elsewhere` for a ledger that was moved.
    package func checkSchema() async throws {
        let versions = try await appliedVersions { statement throws(PostgresError) in
            try await pool.run(statement)
        }
        try checkIsCurrent(versions)
        try await checkStanding()
    }

    /// Whether the schema is exactly this binary's; false where a setup would bring it there.
    ///
    /// - Throws: as `checkSchema` for the rest.
    package func isCurrent() async throws -> Bool {
        let versions = try await appliedVersions { statement throws(PostgresError) in
            try await pool.run(statement)
        }
        try refuseNewer(versions)
        guard versions.count == Migration.all.count else { return false }
        try await checkStanding()
        return true
    }

    /// Which ledger this is, and how much it knows.
    package func identity() async throws(PostgresError) -> LedgerIdentity {
        let row = try await pool.only(LedgerStatements.identity, [])
        return LedgerIdentity(
            id: try row.text(0),
            runs: try row.integer(1),
            objects: try row.integer(2),
            picks: try row.integer(3)
        )
    }

    /// Binds the ledger to an archive the first time.
    ///
    /// - Parameters:
    ///   - archive: its URL.
    ///   - id: its mark, where the URL alone may mean another place elsewhere; nil for a bucket.
    /// - Throws: `.foreignArchive` if it is bound to another; `PostgresError`.
    package func bind(archive: String, id: String?) async throws {
        _ = try await pool.run(LedgerStatements.bind, [.text(archive), .text(id)])
        try await refuseForeign(archive: archive, id: id)
    }

    /// What the ledger is bound to; nil before it is.
    ///
    /// Of a bucket, and of a directory bound long ago, no mark is known.
    package func boundArchive() async throws(PostgresError) -> (url: String, id: String?)? {
        let row = try await pool.only(LedgerStatements.archive, [])
        return row.textOrNil(0).map { ($0, row.textOrNil(1)) }
    }

    /// Throws `.foreignArchive` if the ledger is bound to another archive; `id` nil compares the URLs only.
    package func refuseForeign(archive: String, id: String? = nil) async throws {
        let row = try await pool.only(LedgerStatements.archive, [])
        guard let bound = row.textOrNil(0) else { return }
        guard bound == archive else {
            throw LedgerError(
                code: .foreignArchive,
                message: "This database is the ledger of \(bound), not of \(archive)."
                    + " Use that archive, or another database for the other one."
            )
        }
        guard let id, let known = row.textOrNil(1), id != known else { return }
        throw LedgerError(
            code: .foreignArchive,
            message:
                "The directory \(archive) on this host is not the archive of this ledger, but another one under the same"
                + " path: nothing was stored in it. Mount the disk that holds the archive; to work on several hosts, give"
                + " them one that all of them reach (gs://…, or a shared file system). If it is the archive, and was copied"
                + " without its folder .coldroll, write \(known) into .coldroll/id in it."
        )
    }

    /// The source's id, made on first use with its two lanes (photo, video); throws `.foreignClient`.
    ///
    /// `clientID` is the OAuth client that lists it; nil does not check, and a source without one learns it.
    package func source(kind: String, account: String, clientID: String?) async throws -> Int64 {
        _ = try await pool.run(LedgerStatements.source, [.text(kind), .text(account), .text(clientID)])
        let row = try await pool.only(LedgerStatements.findSource, [.text(kind), .text(account)])
        let id = try row.integer(0)
        if let clientID, let known = row.textOrNil(1), known != clientID {
            throw foreignClient(clientID, kind, account, known: known, try await wayOut(of: id))
        }
        _ = try await pool.run(LedgerStatements.lanes, [.integer(id)])
        return id
    }

    /// Throws `.foreignClient` if the source is known, and was listed by another OAuth client; makes nothing.
    package func refuseForeign(client: String, kind: String, account: String) async throws {
        let rows = try await pool.run(LedgerStatements.findSource, [.text(kind), .text(account)])
        guard let row = rows.first, let known = row.textOrNil(1), known != client else { return }
        throw foreignClient(client, kind, account, known: known, try await wayOut(of: try row.integer(0)))
    }

    /// A sentence with the way out for whoever has only just begun, to go on another; empty once anything was found of the source.
    func wayOut(of source: Int64) async throws(PostgresError) -> String {
        guard let row = try await pool.run(LedgerStatements.foundNothing, [.integer(source)]).first else { return "" }
        let account = try row.text(1)
        let flag = account == "default" ? "" : " --account \(account)"
        return
            " Nothing was found of it yet: to begin it anew with this login, 'coldroll forget \(try row.text(0))\(flag)'."
    }

    private func foreignClient(
        _ client: String,
        _ kind: String,
        _ account: String,
        known: String,
        _ wayOut: String
    ) -> LedgerError {
        LedgerError(
            code: .foreignClient,
            message: "The source \(kind) of account \(account) was listed by the OAuth client \(known) so far;"
                + " these credentials are of \(client), which sees other items. Use the first client's"
                + " credentials, or another COLDROLL_ACCOUNT."
                + wayOut
        )
    }

    /// Existing sources: id, kind, account.
    package func sources() async throws(PostgresError) -> [(id: Int64, kind: String, account: String)] {
        var sources: [(id: Int64, kind: String, account: String)] = []
        for row in try await pool.run(LedgerStatements.sources) {
            sources.append((try row.integer(0), try row.text(1), try row.text(2)))
        }
        return sources
    }
}

/// Which ledger it is, and sums of it that only grow.
package struct LedgerIdentity: Sendable, Equatable {
    /// Uuid text.
    package let id: String
    /// Highest number of a run that was begun; 0: none.
    package let runs: Int64
    package let objects: Int64
    /// Items that were ever picked.
    package let picks: Int64

    package init(id: String, runs: Int64, objects: Int64, picks: Int64 = 0) {
        self.id = id
        self.runs = runs
        self.objects = objects
        self.picks = picks
    }
}

extension ConnectionPool {
    /// The one row of an answer that always has one.
    func only(_ statement: Statement, _ values: [PostgresValue]) async throws(PostgresError) -> Row {
        guard let row = try await run(statement, values).first else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "an answer that always has a row has none",
                statement: statement.name
            )
        }
        return row
    }
}

/// Throws `.schema` with what to do unless the versions are exactly this binary's.
func checkIsCurrent(_ versions: [(version: Int, name: String)]) throws(LedgerError) {
    guard !versions.isEmpty else {
        throw LedgerError(
            code: .schema,
            message: "The database has no coldroll schema yet. Run `coldroll setup`."
        )
    }
    try refuseNewer(versions)
    guard versions.count == Migration.all.count else {
        throw LedgerError(
            code: .schema,
            message: "The database's schema is of version \(versions.count), older than this coldroll"
                + " (version \(Migration.all.count)). Run `coldroll setup`."
        )
    }
}
