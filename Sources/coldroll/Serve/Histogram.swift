/// How often something took how long.
struct Histogram: Sendable, Equatable {
    /// Upper ends of the buckets, in seconds, smallest first.
    let bounds: [Double]
    /// Cumulative, as Prometheus wants them: what is at most as long as each bound.
    private(set) var counts: [Int64]
    private(set) var count: Int64
    private(set) var sum: Double

    init(bounds: [Double]) {
        self.init(bounds: bounds, counts: bounds.map { _ in 0 }, count: 0, sum: 0)
    }

    init(bounds: [Double], counts: [Int64], count: Int64, sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.count = count
        self.sum = sum
    }

    mutating func note(_ seconds: Double) {
        for (place, bound) in bounds.enumerated() where seconds <= bound { counts[place] += 1 }
        count += 1
        sum += seconds
    }
}
