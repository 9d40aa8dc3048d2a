package import Logging
package import Postgres

/// The queue: claim, complete, fail, release, beat, reap.
///
/// Every call is one short statement or transaction, so it holds a connection for milliseconds; callers retry transient
/// errors, and a call repeated after a lost connection does no harm. The database's clock decides everywhere.
package struct JobQueue: Sendable {
    /// Where statements run.
    package let pool: ConnectionPool

    /// Intervals and limits.
    package struct Timing: Sendable, Equatable {
        /// Beat interval of a worker (5 s), silence after which it is dead (30 s), sweep interval of the reaper (5 s).
        package var beat: Duration = .seconds(5), dead: Duration = .seconds(30), sweep: Duration = .seconds(5)
        /// Counted failures after which a part is dead (8), and vanished workers after which it is (3).
        package var attempts = 8, crashes = 3
        /// First (10 s) and longest (1 h) pause between tries of a part; each pause is twice the last, ±20 %.
        package var firstBackoff: Duration = .seconds(10), longestBackoff: Duration = .seconds(3600)

        /// Between two tries of a service that is away, for all processes together (15 s): full speed is back within 45 s.
        package var probe: Duration = .seconds(15)
        /// How often a process notes that a service answers it (5 s); twice that without a note and a failed try of a
        /// neutral request are an outage for all.
        package var soundInterval: Duration = .seconds(5)
        /// First (30 s) and longest (15 min) pause after a 429 that does not say how long.
        ///
        /// Each is twice the last while they follow each other. 30 s is Google's own rule (Photos APIs: "Best practices").
        package var firstSlowdown: Duration = .seconds(30), longestSlowdown: Duration = .seconds(900)

        /// Time within which jobs of a dead worker become ready again, spread at random (5 s).
        package var orphanSpread: Duration = .seconds(5)
        /// Time after which bytes that may be another item's are asked for again (1 min): what gave the wrong ones may do so for
        /// seconds.
        package var secondLook: Duration = .seconds(60)
        /// How long the history of failures is kept (180 days): half a year of monthly runs.
        package var errorAge: Duration = .seconds(180 * 86_400)
        /// While vacuum is held up: shortest time between two claims, or beats, that look at everything (1 s).
        package var wholeWalk: Duration = .seconds(1)

        package init() {}
    }

    /// What it was made with.
    package let timing: Timing
    let logger: Logger
    /// Shared by all copies of this value.
    let hints: ClaimHints, upkeep = Upkeep()

    package init(pool: ConnectionPool, timing: Timing = Timing(), logger: Logger) {
        self.pool = pool
        self.timing = timing
        self.logger = logger
        hints = ClaimHints(shortest: timing.wholeWalk)
    }

    /// Channel of the doorbell: one notification for each statement that made jobs ready.
    static let doorbellChannel = "coldroll_job"
}

extension Duration {
    /// Seconds for `make_interval`.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
