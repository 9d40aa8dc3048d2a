import HTTPClient
import Testing

@testable import Archiver

@Suite struct SlotGovernorTests {
    @Test func `slots double while throughput grows, settle, and halve on push-back`() {
        var governor = SlotGovernor(.auto)
        #expect(governor.slots == 12)
        governor.intervalEnded(throughput: 100)
        governor.intervalEnded(throughput: 200)
        #expect(governor.slots == 48)
        governor.intervalEnded(throughput: 205)
        #expect(governor.slots == 36)
        governor.pushedBack()
        #expect(governor.slots == 18)
        var fixed = SlotGovernor(.fixed(5))
        fixed.intervalEnded(throughput: 1, tries: 9, stumbles: 9)
        fixed.pushedBack()
        #expect(fixed.slots == 5)
    }

    @Test func `many refusals at once are one push, and refusals that go on lead down to one slot`() {
        var governor = SlotGovernor(.auto)
        for _ in 0..<100 { governor.pushedBack() }
        #expect(governor.slots == 6)
        for _ in 0..<100 {
            governor.intervalEnded(throughput: nil)
            governor.pushedBack()
        }
        #expect(governor.slots == 1)
    }

    @Test(arguments: [(1, 1, 12), (100, 1, 12), (100, 19, 12), (100, 20, 6), (3, 2, 6), (0, 2, 6)])
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
        #expect(governor.slots == 6)
        governor = SlotGovernor(.auto)
        for _ in 0..<20 { governor.intervalEnded(throughput: nil, tries: 6, stumbles: 1) }
        #expect(governor.slots == 12)
    }

    @Test(arguments: [(64, 64), (10, 10), (3, 3), (0, 1)])
    func `large bodies in all slots fit into the byte budget`(_ bodies: Int, _ most: Int) {
        var governor = SlotGovernor(.auto, memory: bodies * Transfer.pipeAllowance)
        #expect(governor.slots <= most)
        var throughput = 1.0
        for _ in 1...60 {
            throughput *= 1.2
            governor.intervalEnded(throughput: throughput)
        }
        #expect(governor.slots == most)
    }

    /// What a service gives: so much a slot, up to its limit; more slots than `patience` and half of the tries fail.
    private func simulate(_ governor: inout SlotGovernor, limit: Int, patience: Int = .max, intervals: Int) -> [Int] {
        (0..<intervals).map { _ in
            let slots = governor.slots
            let fails = slots > patience ? slots / 2 : 0
            governor.intervalEnded(throughput: Double(min(slots, limit)) * 10, tries: slots, stumbles: fails)
            return governor.slots
        }
    }

    @Test(arguments: [8, 16, 20, 32, 50, 64])
    func `it reaches most of what a service gives within seconds, and stays there`(_ limit: Int) {
        var governor = SlotGovernor(.auto)
        let levels = simulate(&governor, limit: limit, intervals: 600)
        for level in levels.dropFirst(12) { #expect(min(level, limit) * 4 >= limit * 3, "\(level) of \(limit)") }
    }

    @Test(arguments: [4, 6, 12, 30])
    func `it keeps below what a service bears, most of the time, without giving up on it`(_ patience: Int) {
        var governor = SlotGovernor(.auto)
        let levels = simulate(&governor, limit: 64, patience: patience, intervals: 600).dropFirst(30)
        #expect(levels.count { $0 > patience } * 4 < levels.count)
        #expect(levels.allSatisfy { $0 <= patience + 2 })
        #expect(levels.reduce(0, +) * 2 >= levels.count * min(patience, 64))
    }

    @Test func `a network that became faster is found again`() {
        var governor = SlotGovernor(.auto)
        _ = simulate(&governor, limit: 8, intervals: 100)
        let levels = simulate(&governor, limit: 64, intervals: 300)
        #expect(levels.max() ?? 0 >= 48)
    }
}
