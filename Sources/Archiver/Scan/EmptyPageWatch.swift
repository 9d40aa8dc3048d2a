import JobQueue

/// Which of the pages that came empty are asked for again in the middle of a listing: it may wait for a day's quota, and
/// Google forgets their tokens before it comes to its end.
struct EmptyPageWatch {
    /// Whether there may be any.
    var isNeeded: Bool
    private let age: Duration
    private var last: ContinuousClock.Instant
    /// Up to which key they were asked for, and were known at the last look.
    private var asked: Int64 = 0, known: Int64 = 0

    /// - Parameters:
    ///   - isResumed: whether another process listed the pages before: its empty ones are due at once.
    ///   - age: of an empty page, at least; it is asked for within twice that.
    init(isResumed: Bool, age: Duration) {
        (isNeeded, self.age) = (isResumed, age)
        last = isResumed ? .now - age : .now
        if isResumed { known = .max }
    }

    /// Whether it is time to look.
    func isDue() -> Bool { isNeeded && last.duration(to: .now) >= age }

    /// - Parameter pages: all that the ledger has, in their order.
    /// - Returns: those to ask for now: each once.
    mutating func due(_ pages: [EmptyPage]) -> [EmptyPage] {
        let due = pages.filter { $0.id > asked && $0.id <= known && !$0.isBelieved }
        asked = max(asked, due.last?.id ?? 0)
        known = pages.last?.id ?? 0
        last = .now
        return due
    }
}
