import JobQueue

/// How often a worker gives a sign of life; how long silence means death follows from it.
struct BeatInterval: Sendable, Equatable {
    /// Seconds that `COLDROLL_BEAT` accepts.
    static let range: ClosedRange<Int64> = 1...60
    /// The queue's own 5 s.
    static let standard = BeatInterval(JobQueue.Timing().beat)

    private let interval: Duration

    private init(_ interval: Duration) { self.interval = interval }

    /// nil unless the text is a time within `range`, as a person writes it.
    init?(_ text: String) {
        guard let span = Span(text), Self.range.contains(span.duration.components.seconds) else { return nil }
        interval = span.duration
    }

    /// The queue's timing with this heart: six beats of silence are a death, and what depends on it keeps its proportion.
    var timing: JobQueue.Timing {
        var timing = JobQueue.Timing()
        timing.dead = interval * (timing.dead / timing.beat)
        timing.sweep = interval * (timing.sweep / timing.beat)
        timing.orphanSpread = interval * (timing.orphanSpread / timing.beat)
        timing.secondLook = interval * (timing.secondLook / timing.beat)
        timing.beat = interval
        return timing
    }
}
