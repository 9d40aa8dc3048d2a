import Logging
package import Postgres
import Synchronization

extension JobQueue {
    /// Keeps the tables small and quick: folds tallies, removes old failures, vacuums the queue where this user may.
    ///
    /// Any process may do this at any time, about once a second; what is not due costs next to nothing. A vacuum takes
    /// seconds in a table of ten million, during which one connection of the pool is busy.
    package func tidy() async throws(PostgresError) {
        let row = try await pool.only(UpkeepStatements.deadRows, [])
        let dead = try row.integer(0)
        hints.note(isBloated: dead >= Self.bloatedAt)
        if try row.boolean(1), dead >= Self.vacuumAt, upkeep.isDue(.vacuum) {
            let began = ContinuousClock.now
            upkeep.postpone(.vacuum, by: Self.vacuumPause)
            _ = try await pool.run(UpkeepStatements.vacuum)
            // While an old snapshot is held it removes nothing: then it must not become the load itself.
            let took = ContinuousClock.now - began
            upkeep.postpone(.vacuum, by: max(Self.vacuumPause, took * 20))
            logger.log(.debug, "vacuumed the queue", ["dead": .integer(dead), "seconds": .double(took.seconds)])
        }
        _ = try await pool.only(TallyStatements.fold, [.integer(Self.foldAbove), .integer(Self.foldBatch)])
        if upkeep.isDue(.prune) {
            let pruned = try await pool.only(
                UpkeepStatements.prune,
                [.double(timing.errorAge.seconds), .integer(Self.pruneBatch)]
            ).integer(0)
            if pruned > 0 { logger.log(.debug, "removed old failures", ["count": .integer(pruned)]) }
            // More of them are taken in the next second.
            if pruned < Self.pruneBatch { upkeep.postpone(.prune, by: Self.prunePause) }
        }
    }

    /// Dead rows from which on claims begin behind them: to walk over so many takes as long as to claim a few hundred.
    static var bloatedAt: Int64 { 5000 }
    /// Dead rows from which on the queue is vacuumed, and the shortest time between two vacuums.
    ///
    /// The server's own autovacuum comes once a minute.
    private static var vacuumAt: Int64 { 20_000 }
    private static var vacuumPause: Duration { .seconds(15) }
    /// Tallies are folded where there are more rows than this, so many at once.
    private static var foldAbove: Int64 { 200 }
    private static var foldBatch: Int64 { 20_000 }
    /// Failures that one statement removes, and how often old ones are looked for.
    private static var pruneBatch: Int64 { 5000 }
    private static var prunePause: Duration { .seconds(3600) }
}

/// When what is done now and then is due again in this process.
final class Upkeep: Sendable {
    enum Chore: Hashable, Sendable { case vacuum, prune }

    private let next = Mutex<[Chore: ContinuousClock.Instant]>([:])

    func isDue(_ chore: Chore) -> Bool {
        next.withLock { $0[chore].map { .now >= $0 } ?? true }
    }

    func postpone(_ chore: Chore, by pause: Duration) {
        next.withLock { $0[chore] = .now + pause }
    }
}
