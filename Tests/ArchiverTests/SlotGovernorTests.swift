import HTTPClient
import TestSupport
import Testing

@testable import Archiver

@Suite struct SlotGovernorTests {
    @Test func `slots leap and double while throughput grows, and go back where it does not`() {
        var governor = SlotGovernor(.auto)
        #expect(governor.slots == 4)
        // The first transfers begin.
        governor.intervalEnded(throughput: 1)
        #expect(governor.slots == 4)
        governor.intervalEnded(throughput: 100)
        #expect(governor.slots == 16)
        // After a growth the interval in which the new ones begin is left out.
        for _ in 1...2 { governor.intervalEnded(throughput: 200) }
        #expect(governor.slots == 32)
        #expect(governor.isFinding)
        for _ in 1...5 { governor.intervalEnded(throughput: 205) }
        #expect(governor.slots == 16)
        #expect(!governor.isFinding)
        governor.pushedBack()
        #expect(governor.slots == 8)
        var fixed = SlotGovernor(.fixed(5))
        fixed.intervalEnded(throughput: 1, tries: 9, stumbles: 9)
        fixed.pushedBack()
        #expect(fixed.slots == 5)
        #expect(!fixed.isFinding)
    }

    @Test func `a growth that shows late counts, and an interval without a byte says nothing`() {
        var governor = SlotGovernor(.auto)
        governor.intervalEnded(throughput: 0)
        governor.intervalEnded(throughput: nil)
        #expect(governor.slots == 4)
        for _ in 1...2 { governor.intervalEnded(throughput: 100) }
        for _ in 1...2 { governor.intervalEnded(throughput: 100) }
        #expect(governor.slots == 16)
        governor.intervalEnded(throughput: 400)
        #expect(governor.slots == 32)
    }

    @Test(arguments: [(0.1, 16), (0.5, 8), (0.7, 6), (0.8, 5), (0.9, 4), (1.0, 4)])
    func `no more slots than the thread that moves bytes has time for`(_ busy: Double, _ slots: Int) {
        var governor = SlotGovernor(.auto)
        for _ in 1...2 { governor.intervalEnded(throughput: 100, busy: busy) }
        #expect(governor.slots == slots)
        for _ in 1...100 { governor.intervalEnded(throughput: 100, busy: 1) }
        #expect(governor.slots == 4)
    }

    @Test func `many refusals at once are one push, and refusals that go on lead down to one slot`() {
        var governor = SlotGovernor(.auto)
        for _ in 0..<100 { governor.pushedBack() }
        #expect(governor.slots == 2)
        for _ in 0..<100 {
            governor.intervalEnded(throughput: nil)
            governor.pushedBack()
        }
        #expect(governor.slots == 1)
    }

    @Test(arguments: [(1, 1, 4), (100, 1, 4), (100, 19, 4), (100, 20, 2), (3, 2, 2), (0, 2, 2)])
    func `a fifth of the tries is a service that has too much to do, one stumble is chance`(
        _ tries: Int,
        _ stumbles: Int,
        _ slots: Int
    ) {
        var governor = SlotGovernor(.auto)
        governor.intervalEnded(throughput: nil, tries: tries, stumbles: stumbles)
        #expect(governor.slots == slots)
    }

    @Test func `half of the tries failing all the time leads down to one slot`() {
        var governor = SlotGovernor(.auto)
        for _ in 0..<20 { governor.intervalEnded(throughput: 1, tries: 12, stumbles: 6) }
        #expect(governor.slots == 1)
    }

    @Test func `intervals of few tries are judged together`() {
        var governor = SlotGovernor(.auto)
        for _ in 0..<2 { governor.intervalEnded(throughput: nil, tries: 5, stumbles: 1) }
        #expect(governor.slots == 2)
        governor = SlotGovernor(.auto)
        for _ in 0..<20 { governor.intervalEnded(throughput: nil, tries: 6, stumbles: 1) }
        #expect(governor.slots == 4)
    }

    @Test(arguments: [(64, 64), (10, 10), (3, 3), (0, 1)])
    func `large bodies in all slots fit into the byte budget`(_ bodies: Int, _ most: Int) {
        var governor = SlotGovernor(.auto, memory: bodies * Transfer.pipeAllowance)
        #expect(governor.slots <= most)
        let levels = simulate(&governor, limit: 1000, intervals: 200)
        #expect(levels.max() == most)
    }

    /// What a service gives: so much a slot, up to its limit; more slots than `patience` and half of the tries fail.
    private func simulate(
        _ governor: inout SlotGovernor,
        limit: Int,
        patience: Int = .max,
        noise: Double = 0,
        intervals: Int
    ) -> [Int] {
        var random = SeededGenerator(seed: 42)
        return (0..<intervals).map { _ in
            let slots = governor.slots
            let fails = slots > patience ? slots / 2 : 0
            let luck = 1 + (noise > 0 ? Double.random(in: -noise...noise, using: &random) : 0)
            governor.intervalEnded(throughput: Double(min(slots, limit)) * 10 * luck, tries: slots, stumbles: fails)
            return governor.slots
        }
    }

    @Test(arguments: [4, 8, 16, 20, 32, 50, 64])
    func `it reaches most of what a service gives within seconds, and stays there`(_ limit: Int) {
        var governor = SlotGovernor(.auto)
        let levels = simulate(&governor, limit: limit, intervals: 600)
        for level in levels.dropFirst(12) { #expect(min(level, limit) * 4 >= limit * 3, "\(level) of \(limit)") }
    }

    @Test(arguments: [4, 8, 16, 32])
    func `it comes down to the fewest slots that are enough, however noisy the link`(_ limit: Int) {
        var governor = SlotGovernor(.auto)
        let levels = simulate(&governor, limit: limit, noise: 0.15, intervals: 5000).dropFirst(1000)
        let mean = Double(levels.reduce(0, +)) / Double(levels.count)
        #expect(mean > Double(limit) * 0.7 && mean < Double(limit) * 1.5, "\(mean) of \(limit)")
    }

    @Test(arguments: [4, 6, 12, 30])
    func `it keeps below what a service bears, most of the time, without giving up on it`(_ patience: Int) {
        var governor = SlotGovernor(.auto)
        let levels = simulate(&governor, limit: 64, patience: patience, intervals: 600).dropFirst(30)
        #expect(levels.count { $0 > patience } * 4 < levels.count)
        #expect(levels.allSatisfy { $0 <= patience + max(1, patience / 8) })
        #expect(levels.reduce(0, +) * 2 >= levels.count * min(patience, 64))
    }

    @Test func `a network that became faster is found again`() {
        var governor = SlotGovernor(.auto)
        _ = simulate(&governor, limit: 8, intervals: 100)
        let levels = simulate(&governor, limit: 64, intervals: 300)
        #expect(levels.max() ?? 0 >= 48)
    }
}
