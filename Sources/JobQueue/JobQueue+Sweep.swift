import Logging
package import Postgres

extension JobQueue {
    /// Declares silent workers dead, returns their jobs, and makes due jobs ready.
    ///
    /// Any process may do this at any time. A returned job has its crash counted and is ready again within `timing.orphanSpread`; after
    /// `timing.crashes` the part is dead. Never waits for a lock.
    ///
    /// `mayDeclareDeath` is false until the caller itself has had `timing.dead` of unbroken contact with the database:
    /// after an outage every worker looks silent. Answers the jobs made ready, the jobs taken back from workers that are
    /// gone, and the parts that died of that.
    package func sweep(
        mayDeclareDeath: Bool
    ) async throws(PostgresError) -> (promoted: Int, orphans: Int, buried: Int) {
        if mayDeclareDeath {
            let dead = try await pool.run(SweepStatements.reap, [.double(timing.dead.seconds)])
            for row in dead {
                let worker = try row.integer(0)
                logger.log(.warning, "worker fell silent", ["worker": .integer(worker)])
            }
        }
        var orphans = 0, buried = 0, promoted = 0
        let isWhole = hints.isDue(.sweep), began = ContinuousClock.now
        while true {
            let rows = try await pool.run(
                isWhole ? SweepStatements.orphans : SweepStatements.knownOrphans,
                [
                    .integer(Self.orphanBatch), .integer(Int64(timing.crashes)), .double(timing.orphanSpread.seconds),
                ]
            )
            guard let row = rows.first else { break }
            let back = try row.integer(0), dead = try row.integer(1)
            orphans += Int(back)
            buried += Int(dead)
            if back + dead < Self.orphanBatch { break }
        }
        if isWhole { hints.walked(.sweep, since: began) }
        while true {
            let rows = try await pool.run(SweepStatements.promote, [.integer(Self.promotionBatch)])
            guard let row = rows.first else { break }
            let ready = try row.integer(0)
            promoted += Int(ready)
            if ready < Self.promotionBatch { break }
        }
        return (promoted, orphans, buried)
    }

    /// Rows that one statement of the sweep locks, so that it stays within a fraction of a second.
    private static var orphanBatch: Int64 { 1000 }
    private static var promotionBatch: Int64 { 5000 }
}
