import Testing

@testable import Archiver

@Suite struct SlotMeterTests {
    @Test func `as much is claimed ahead as there are slots until the speed is known, then half a minute of work`() {
        var meter = SlotMeter(.fixed(4), memory: .max)
        for _ in 0..<30 { meter.noteEnd() }
        let now = ContinuousClock.now
        #expect(meter.ahead(at: now) == 4)
        // Thirty in a minute are fifteen in half of it; with one in three minutes the slots are enough; 50 is the most.
        #expect((14...15).contains(meter.ahead(at: now + .seconds(60))))
        #expect(meter.ahead(at: now + .seconds(6000)) == 4)
        for _ in 0..<3000 { meter.noteEnd() }
        #expect(meter.ahead(at: now + .seconds(60)) == 50)
        #expect(SlotMeter(.fixed(64), memory: .max).ahead() == 50)
    }

    @Test func `an interval with an idle slot says nothing of the throughput`() {
        func slots(idle: Bool) -> Int {
            var meter = SlotMeter(.auto, memory: .max)
            for interval in 1...3 {
                if idle { meter.noteIdle() }
                meter.intervalEnded(bytes: Int64(interval * interval) * 1_000_000, stumbles: 0, isWorking: true)
            }
            return meter.slots
        }
        #expect(slots(idle: true) == SlotGovernor.first)
        #expect(slots(idle: false) > SlotGovernor.first)
    }
}
