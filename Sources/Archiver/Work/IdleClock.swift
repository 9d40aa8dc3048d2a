import JobQueue

/// How long a draining worker could do nothing.
///
/// What is only refused, or fails, is nothing: a part that is done counts, a transfer that is under way for more than a moment,
/// and a scan in this process, which limits its waits itself.
struct IdleClock: Sendable {
    private let longest: Duration?
    private var since: ContinuousClock.Instant
    /// What was under way at the last look, and when that was.
    private var seen: Set<JobReference> = []
    private var looked: ContinuousClock.Instant

    /// A transfer that is seen twice so far apart is more than a refusal.
    private static let moment = Duration.seconds(5)

    /// - Parameters:
    ///   - longest: after which a worker is out of time; nil: never.
    ///   - now: for tests.
    init(longest: Duration?, at now: ContinuousClock.Instant = .now) {
        self.longest = longest
        (since, looked) = (now, now)
    }

    mutating func noteDone(at now: ContinuousClock.Instant = .now) { since = now }

    /// Looks at what is under way; several times a second.
    /// - Returns: whether nothing could be done for too long.
    mutating func isOver(
        running: some Sequence<JobReference>,
        isFed: Bool,
        at now: ContinuousClock.Instant = .now
    ) -> Bool {
        guard let longest else { return false }
        if looked.duration(to: now) >= min(Self.moment, longest / 2) {
            let running = Set(running)
            if isFed || !seen.isDisjoint(with: running) { since = now }
            (seen, looked) = (running, now)
        }
        return since.duration(to: now) > longest
    }
}
