import GooglePhotos
import JobQueue
import Postgres

extension ArchiveContext {
    /// Does what Google asks for: parks the source for all workers, once however many are refused.
    ///
    /// Where Google speaks of a quota a day, until the day is over, whatever was counted here.
    /// - Returns: how long the source is parked from now on, and whether the day's budget is closed, so that no request is
    ///   admitted.
    @discardableResult
    func slowDown(
        source: Int64,
        _ slowdown: Ending.Slowdown
    ) async throws(PostgresError) -> (length: Duration, isDayClosed: Bool) {
        if let kind = slowdown.daily, let left = await requests.refused(kind) {
            try await queue.park(source: source, lane: nil, for: left, reason: slowdown.reason)
            return (left, true)
        }
        let length = try await queue.slowDown(
            source: source,
            asked: slowdown.asked,
            age: slowdown.sent.duration(to: .now),
            reason: slowdown.reason
        )
        return (length, false)
    }
}
