/// Why a lane hands out nothing now.
package struct LaneWait: Sendable, Equatable {
    package let reason: String
    /// Seconds until it opens; nil where it does not open by itself.
    package let seconds: Double?
    /// The lane's number, where a person has paused it and a person opens it; nil where time or the next login does.
    package let paused: Int64?
    /// Parts in the queue that it keeps waiting.
    package let parts: Int64

    package init(reason: String, seconds: Double?, paused: Int64? = nil, parts: Int64 = 0) {
        self.reason = reason
        self.seconds = seconds
        self.paused = paused
        self.parts = parts
    }
}
