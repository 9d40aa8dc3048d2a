/// Judges whether a transfer stands still although this side wants to move bytes, or waits for its other half for too long.
///
/// libcurl's own LOW_SPEED limits count the time in which a transfer is paused by its callbacks like any other.
struct StallClock {
    /// What changes when bytes move.
    struct Reading: Equatable {
        /// Pieces of head and body that were received or handed to libcurl.
        var activity: UInt64
        /// Bytes of the request that libcurl has written to the socket.
        var sent: Int64
        /// Bytes in the socket that the peer has not acknowledged: they go on shrinking after the last write.
        var unacknowledged: Int
    }

    private let timeout: Duration, pauseTimeout: Duration
    private var last: Reading?
    private var wasPaused = false
    private var since: ContinuousClock.Instant?

    init(timeout: Duration, pauseTimeout: Duration) { (self.timeout, self.pauseTimeout) = (timeout, pauseTimeout) }

    /// Time between two looks that notices a stall soon enough after the timeout.
    var interval: Duration { min(max(min(timeout, pauseTimeout) / 8, .milliseconds(10)), .seconds(1)) }

    /// Looks once.
    /// - Returns: whether nothing has moved for the timeout, or while it was paused for the timeout of pauses.
    mutating func isStalled(_ reading: Reading, isPaused: Bool, now: ContinuousClock.Instant) -> Bool {
        guard isPaused == wasPaused, reading == last, let since else {
            (last, wasPaused, since) = (reading, isPaused, now)
            return false
        }
        return now - since >= (isPaused ? pauseTimeout : timeout)
    }
}
