package import Logging
package import Postgres

/// The queue: claim, complete, fail, release, beat, reap. Every call is one short statement or transaction; callers retry transient errors.
package struct JobQueue: Sendable {
    package let pool: ConnectionPool
    package struct Timing: Sendable, Equatable {
        /// Beat interval of a worker (5 s), silence after which it is dead (30 s), sweep interval of the reaper (5 s).
        package var beat: Duration = .seconds(5), dead: Duration = .seconds(30), sweep: Duration = .seconds(5)
        /// Counted failures after which a part is dead, and vanished workers after which it is.
        package var attempts = 8, crashes = 3
        /// First and longest pause between tries of a part.
        package var firstBackoff: Duration = .seconds(10), longestBackoff: Duration = .seconds(3600)
        package init() {}
    }
    package let timing: Timing
    package init(pool: ConnectionPool, timing: Timing = Timing(), logger: Logger) { self.pool = pool; self.timing = timing }

    /// Registers this process and returns its random 63-bit id.
    package func register(host: String, processID: Int, version: String, slots: Int, sources: [Int64]) async throws(PostgresError) -> Int64 { fatalError() }
    /// Up to `limit` jobs of the open lanes of these sources, lanes in turn; empty for a dead or unknown worker.
    package func claim(worker: Int64, sources: [Int64], limit: Int) async throws(PostgresError) -> [ClaimedJob] { fatalError() }
    /// Ends jobs; returns those that were accepted. What is missing was not this worker's any more. Safe to repeat after a lost connection: a repeat is looked up.
    package func complete(worker: Int64, _ completions: [Completion]) async throws(PostgresError) -> Set<JobReference> { fatalError() }
    /// Counts a failure: scheduled again with jittered backoff (or retryAfter), dead with its reason after `timing.attempts`. Returns those that died.
    package func fail(worker: Int64, _ failures: [Failure]) async throws(PostgresError) -> Set<PartID> { fatalError() }
    /// Gives jobs back, attempt not counted.
    package func release(worker: Int64, _ releases: [Release]) async throws(PostgresError) { fatalError() }
    /// Gives an unstored part another name (its own was taken by a foreign object). False: lease lost, or the new key is taken too.
    package func rename(worker: Int64, _ job: JobReference, to name: NameCandidate) async throws(PostgresError) -> Bool { fatalError() }
    /// Heartbeat with reconciliation.
    package func beat(worker: Int64, busy: Int, held: [JobReference]) async throws(PostgresError) -> BeatAnswer { fatalError() }
    /// Marks the worker stopped (`beat` answers not alive from now on).
    package func stop(worker: Int64) async throws(PostgresError) { fatalError() }
    /// Declares silent workers dead, returns their jobs (crash counted, spread over a few seconds), promotes due scheduled jobs to ready. Any process, any time.
    /// - Parameter mayDeclareDeath: false until the caller itself has had `timing.dead` of unbroken contact with the database.
    package func sweep(mayDeclareDeath: Bool) async throws(PostgresError) -> (promoted: Int, orphans: Int, buried: Int) { fatalError() }
    /// No claims from the lane (all lanes of the source if lane is nil) for this long; the longest park wins. Costs no attempts.
    package func park(source: Int64, lane: Int64?, for duration: Duration, reason: String) async throws(PostgresError) { fatalError() }
    /// Sums over these sources (all if empty).
    package func totals(sources: [Int64]) async throws(PostgresError) -> Totals { fatalError() }
    /// Whether any of the lanes is paused or parked: (reason, seconds left or nil for paused by a person).
    package func waiting(sources: [Int64]) async throws(PostgresError) -> [(reason: String, seconds: Double?)] { fatalError() }
    /// Rings when jobs may have become ready: one NOTIFY a statement. Ends when the connection is lost; polling is the truth.
    package static func doorbell(conninfo: String) async throws(PostgresError) -> AsyncStream<Void> { fatalError() }
}
