package import Postgres

/// A ledger rule that a command ran into; sentences for a person.
package struct LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The ledger belongs to another archive.
        case foreignArchive
        /// The source was made by another OAuth client.
        case foreignClient
        /// Somebody else scans this source now.
        case scanBusy
        /// The scan's lease was lost: stop, write nothing more.
        case scanLost
        /// Schema missing, older or newer than this binary.
        case schema
    }
    package let code: Code
    package let message: String
    package init(code: Code, message: String) { self.code = code; self.message = message }
    package var description: String { message }
}

/// One enumeration pass, leased like a job.
package struct ScanTicket: Sendable, Equatable {
    package let id: Int64
    package let source: Int64
    package let lease: Int64
    /// Where to go on; nil at the start.
    package let pageToken: String?
    /// Whether this goes on with a pass that another process began.
    package let resumed: Bool
    package let isFull: Bool
    /// Start by the database's clock, RFC 3339 UTC.
    package let startedAt: String
    package init(id: Int64, source: Int64, lease: Int64, pageToken: String?, resumed: Bool, isFull: Bool, startedAt: String) {
        self.id = id; self.source = source; self.lease = lease; self.pageToken = pageToken; self.resumed = resumed; self.isFull = isFull; self.startedAt = startedAt
    }
}

/// What recording one page did; `seen == new + known` is checked inside the transaction.
package struct PageCounts: Sendable, Equatable { package let seen: Int, new: Int, known: Int
    package init(seen: Int, new: Int, known: Int) { self.seen = seen; self.new = new; self.known = known } }

/// Totals of one scan so far.
package struct ScanCounts: Sendable, Equatable { package var pages: Int64 = 0, seen: Int64 = 0, new: Int64 = 0; package init() {} }

/// The permanent tables' writer: sources, scans, runs.
package struct Ledger: Sendable {
    package let pool: ConnectionPool
    package init(pool: ConnectionPool) { self.pool = pool }
    /// Throws `.schema` with what to do unless the schema is exactly this binary's.
    package func checkSchema() async throws { fatalError() }
    /// This ledger's own id (uuid text), how many runs it recorded, and how many objects it knows.
    package func identity() async throws(PostgresError) -> (id: String, runs: Int64, objects: Int64) { fatalError() }
    /// Binds the ledger to an archive URL the first time; throws `.foreignArchive` if it is bound to another.
    package func bind(archive: String) async throws { fatalError() }
    /// The source's id, made on first use with its two lanes (photo, video); throws `.foreignClient`.
    package func source(kind: String, account: String, clientID: String?) async throws -> Int64 { fatalError() }
    /// Existing sources: id, kind, account.
    package func sources() async throws(PostgresError) -> [(id: Int64, kind: String, account: String)] { fatalError() }
    /// Opens a scan, or goes on with the open one of the same range whose process is gone (lease not renewed for 30 s).
    package func openScan(source: Int64, since: String?, until: String?) async throws -> ScanTicket { fatalError() }
    /// One page in one transaction: items, parts, jobs, next page token, lease renewed. Known items cost no writes.
    /// Repeats after a lost connection are harmless: identity decides.
    package func record(_ scan: ScanTicket, _ items: [FoundItem], unreadable: Int, nextPageToken: String?) async throws -> PageCounts { fatalError() }
    /// Keeps the lease while a page takes long.
    package func renew(_ scan: ScanTicket) async throws { fatalError() }
    /// Forgets the page token (it expired): the pass starts over, known items are known.
    package func restart(_ scan: ScanTicket) async throws { fatalError() }
    /// Ends the scan; `outcome` is `complete`, `suspicious`, or `failed`, with a reason for the latter two.
    package func finish(_ scan: ScanTicket, outcome: String, reason: String?) async throws -> ScanCounts { fatalError() }
    /// Items of the source known before this scan began (for the suspicious-scan rule).
    package func knownItems(source: Int64) async throws(PostgresError) -> Int64 { fatalError() }
    /// Starts a run: its number, and its start by the database's clock.
    package func beginRun(source: Int64, host: String) async throws(PostgresError) -> (number: Int64, startedAt: String) { fatalError() }
    package func finishRun(_ number: Int64, outcome: String, totals: Totals) async throws(PostgresError) { fatalError() }
}
