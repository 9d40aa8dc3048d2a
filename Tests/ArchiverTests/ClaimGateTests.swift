import Testing

@testable import Archiver

@Suite struct ClaimGateTests {
    @Test func `a lane that has enough is asked as soon as it needs more, though the others are dry`() {
        var gate = ClaimGate()
        gate.claimed(lanes: [1, 1, 1], excluding: [])
        #expect(gate.mayClaim(excluding: [1]))
        gate.claimed(lanes: [], excluding: [1])
        #expect(!gate.mayClaim(excluding: [1]))
        #expect(gate.mayClaim(excluding: []))
        // What it brings says nothing new about the others.
        gate.claimed(lanes: [1], excluding: [])
        #expect(!gate.mayClaim(excluding: [1]))
        #expect(gate.mayClaim(excluding: []))
    }

    @Test func `an empty queue is not asked again before something may have come`() {
        var gate = ClaimGate()
        gate.claimed(lanes: [], excluding: [])
        #expect(!gate.mayClaim(excluding: []) && !gate.mayClaim(excluding: [1]))
        gate.open()
        #expect(gate.mayClaim(excluding: []))
        gate.failed()
        #expect(!gate.mayClaim(excluding: []))
        gate.open()
        #expect(gate.mayClaim(excluding: [1]))
    }

    @Test func `a lane that was dry and brought something is not dry any more`() {
        var gate = ClaimGate()
        gate.claimed(lanes: [], excluding: [1])
        gate.claimed(lanes: [1, 2], excluding: [])
        #expect(gate.mayClaim(excluding: [1]))
    }
}
