import Testing

@testable import coldroll

@Suite struct PacingTests {
    @Test func `sums are asked for every 2 s, and keep a large ledger busy for a thirtieth of the time at most`() {
        #expect(Pacing.pause(after: .milliseconds(5)) == .seconds(2))
        #expect(Pacing.pause(after: .seconds(3)) == .seconds(90))
    }
}
