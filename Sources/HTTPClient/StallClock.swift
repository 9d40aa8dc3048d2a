/// Judges whether a transfer stands still although this side wants to move bytes.
///
/// libcurl's own LOW_SPEED limits also count the time in which a transfer is paused by its callbacks.
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

    private let timeout: Duration
    private var last: Reading?
    private var since: ContinuousClock.Instant?

    init(timeout: Duration) { self.timeout = timeout }

    /// Time between two looks that notices a stall soon enough after the timeout.
    var interval: Duration { min(max(timeout / 8, .milliseconds(10)), .seconds(1)) }

    /// Looks once.
    /// - Returns: whether nothing has moved for the timeout.
    mutating func isStalled(_ reading: Reading, isPaused: Bool, now: ContinuousClock.Instant) -> Bool {
        guard !isPaused, reading == last, let since else {
            last = reading
            since = now
            return false
        }
        return now - since >= timeout
    }
}
