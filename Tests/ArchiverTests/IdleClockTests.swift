import JobQueue
import Testing

@testable import Archiver

@Suite struct IdleClockTests {
    private let start = ContinuousClock.now

    /// Second at which a worker is out of time, looking twice a second; nil: not within five minutes.
    private func end(
        longest: Duration? = .seconds(60),
        isFed: (Int) -> Bool = { _ in false },
        done: (Int) -> Bool = { _ in false },
        running: (Int) -> [Int64] = { _ in [] }
    ) -> Int? {
        var clock = IdleClock(longest: longest, at: start)
        for half in 1...600 {
            let (second, now) = (half / 2, start + .milliseconds(500 * half))
            if done(half) { clock.noteDone(at: now) }
            let jobs = running(half).map { JobReference(part: $0, lease: 1) }
            if clock.isOver(running: jobs, isFed: isFed(second), at: now) { return second }
        }
        return nil
    }

    @Test func `a worker that can do nothing is out of time after the longest wait, one without such a limit never`() {
        #expect(end() == 60)
        #expect(end(longest: nil) == nil)
    }

    @Test func `tries that are only refused are nothing, however many there are`() {
        // Another job at each look.
        #expect(end(running: { [Int64($0)] }) == 60)
        #expect(end(running: { [Int64($0), Int64($0 + 1), Int64($0 + 2)] }) == 60)
    }

    @Test func `a transfer that is under way, a part that is done and a scan in this process are something`() {
        #expect(end(running: { _ in [7] }) == nil)
        #expect(end(longest: .seconds(2), running: { _ in [7] }) == nil)
        #expect(end(done: { $0 % 100 == 0 }) == nil)
        #expect(end(isFed: { _ in true }) == nil)
        // From the last look at them on.
        #expect((155...165).contains(end(isFed: { $0 < 100 }) ?? 0))
        #expect((155...165).contains(end(running: { $0 < 200 ? [7] : [] }) ?? 0))
        #expect(end(done: { $0 == 100 }) == 110)
    }
}
