package import Postgres

extension JobQueue {
    /// No claims from the lane (all lanes of the source if lane is nil) for this long; the longest park wins.
    ///
    /// Costs no attempts. For an outage or a quota that no job is to blame for.
    package func park(
        source: Int64,
        lane: Int64?,
        for duration: Duration,
        reason: String
    ) async throws(PostgresError) {
        _ = try await pool.run(
            LaneStatements.park,
            [.integer(source), .integer(lane), .double(duration.seconds), .text(reason)]
        )
    }

    /// Google asked for fewer requests: parks the source, and all of its client's project, once for all workers.
    ///
    /// - Parameters:
    ///   - source: whose request it was.
    ///   - asked: Retry-After; nil where Google did not say: `timing.firstSlowdown`, and twice the last pause while they
    ///     follow each other.
    ///   - age: time since the request was sent; one that was sent before the last pause began lengthens nothing.
    ///   - reason: what Google said.
    /// - Returns: how long the source is parked from now on.
    /// - Throws: `PostgresError`.
    @discardableResult
    package func slowDown(
        source: Int64,
        asked: Duration?,
        age: Duration,
        reason: String
    ) async throws(PostgresError) -> Duration {
        let rows = try await pool.run(
            LaneStatements.slowDown,
            [
                .integer(source), .double(asked?.seconds), .double(age.seconds), .text(reason),
                .double(timing.firstSlowdown.seconds), .double(timing.longestSlowdown.seconds),
            ]
        )
        return .seconds(try rows.first?.double(0) ?? 0)
    }

    /// Sums over these sources (all if empty), part by part: seconds for a million parts.
    package func totals(sources: [Int64]) async throws(PostgresError) -> Totals {
        try Totals(try await pool.only(LaneStatements.totals, [.integers(sources)]))
    }

    /// Whether any job of these sources is left, whatever its state: what a loop asks that waits until none is.
    package func hasLive(sources: [Int64]) async throws(PostgresError) -> Bool {
        for row in try await pool.run(LaneStatements.hasLive, [.integers(sources)]) {
            if try row.boolean(0) { return true }
        }
        return false
    }

    /// Lanes of these sources (all if empty) that are paused or parked.
    package func waiting(sources: [Int64]) async throws(PostgresError) -> [LaneWait] {
        var lanes: [LaneWait] = []
        for row in try await pool.run(LaneStatements.waiting, [.integers(sources), .text(LoginStatements.pauser)]) {
            lanes.append(
                LaneWait(
                    reason: try row.text(0),
                    seconds: try row.doubleOrNil(1),
                    paused: try row.integerOrNil(2),
                    parts: try row.integer(3)
                )
            )
        }
        return lanes
    }
}
