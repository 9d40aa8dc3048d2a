import Logging
package import Postgres
import Synchronization

extension JobQueue {
    /// Keeps the tables small and quick: folds tallies, removes old failures and starts of workers that are gone, vacuums
    /// the queue where this user may.
    ///
    /// Any process may do this at any time, about once a second; what is not due costs next to nothing. A vacuum takes
    /// seconds in a table of ten million, during which one connection of the pool is busy.
    package func tidy() async throws(PostgresError) {
        let row = try await pool.only(UpkeepStatements.deadRows, [])
        let dead = try row.integer(0)
        hints.note(dead: dead)
        // Whoever vacuumed, the others need not do it again at once.
        let pause = max(Self.vacuumPause, upkeep.vacuumPause)
        let isRested = try row.doubleOrNil(2).map { .seconds($0) >= pause } ?? true
        if try row.boolean(1), dead >= Self.vacuumAt, isRested, upkeep.isDue(.vacuum) {
            let began = ContinuousClock.now
            upkeep.postpone(.vacuum, by: Self.vacuumPause)
            _ = try await pool.run(UpkeepStatements.vacuum)
            let took = ContinuousClock.now - began
            upkeep.vacuumed(in: took)
            logger.log(.debug, "vacuumed the queue", ["dead": .integer(dead), "seconds": .double(took.seconds)])
        }
        _ = try await pool.only(TallyStatements.fold, [.integer(Self.foldAbove), .integer(Self.foldBatch)])
        _ = try await pool.only(StartStatements.forget, [.integer(Self.forgetBatch)])
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

    /// Dead rows from which on the queue is vacuumed, and the shortest time between two vacuums, whoever makes them.
    ///
    /// The server's own autovacuum comes once a minute.
    private static var vacuumAt: Int64 { 20_000 }
    private static var vacuumPause: Duration { .seconds(15) }
    /// Tallies are folded where there are more rows than this, so many at once.
    private static var foldAbove: Int64 { 200 }
    private static var foldBatch: Int64 { 20_000 }
    /// Rows of starts that one statement removes.
    private static var forgetBatch: Int64 { 5000 }
    /// Failures that one statement removes, and how often old ones are looked for.
    private static var pruneBatch: Int64 { 5000 }
    private static var prunePause: Duration { .seconds(3600) }
}

/// When what is done now and then is due again.
final class Upkeep: Sendable {
    enum Chore: Hashable, Sendable { case vacuum, prune }

    private struct State {
        var next: [Chore: ContinuousClock.Instant] = [:]
        var vacuumPause = Duration.zero
    }
    private let state = Mutex(State())

    func isDue(_ chore: Chore) -> Bool {
        state.withLock { $0.next[chore].map { .now >= $0 } ?? true }
    }

    func postpone(_ chore: Chore, by pause: Duration) {
        state.withLock { $0.next[chore] = .now + pause }
    }

    /// How long the queue is left alone after a vacuum of any process, as far as this one knows what one costs.
    var vacuumPause: Duration { state.withLock(\.vacuumPause) }

    /// While an old snapshot is held a vacuum removes nothing: then it must not become the load itself.
    ///
    /// One that was passed over, since another was at work, took no time: it takes back only half of a long pause.
    func vacuumed(in took: Duration) {
        state.withLock { $0.vacuumPause = max(took * 20, $0.vacuumPause / 2) }
    }
}
