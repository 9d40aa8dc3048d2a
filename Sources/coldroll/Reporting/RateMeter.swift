/// Speed over the last half minute, from sums that only grow.
struct RateMeter: Sendable, Equatable {
    private struct Sample: Sendable, Equatable {
        let time: Double
        let count: Int64
        let bytes: Int64
    }

    /// Seconds that are looked back.
    private let window: Double
    private var samples: [Sample] = []

    init(window: Double = 30) { self.window = window }

    /// Notes the sums at a time, in seconds of a clock that never goes back.
    mutating func note(count: Int64, bytes: Int64, at time: Double) {
        // One sample a second at most, except that the newest is always the latest.
        if samples.count > 1, time - samples[samples.count - 2].time < 1 { samples.removeLast() }
        samples.append(Sample(time: time, count: count, bytes: bytes))
        let start = time - window
        while samples.count > 2, samples[1].time <= start { samples.removeFirst() }
    }

    /// Bytes a second; nil until a second was watched.
    var bytesPerSecond: Double? { rate { Double($0.bytes) } }

    /// Parts a second; nil until a second was watched.
    var perSecond: Double? { rate { Double($0.count) } }

    /// Seconds until `left` more are done at this speed; nil if nothing moves.
    func secondsLeft(for left: Int64) -> Double? {
        guard let speed = perSecond, speed > 0 else { return nil }
        return Double(left) / speed
    }

    private func rate(_ value: (Sample) -> Double) -> Double? {
        guard let first = samples.first, let last = samples.last, last.time - first.time >= 1 else { return nil }
        return max(0, value(last) - value(first)) / (last.time - first.time)
    }
}
