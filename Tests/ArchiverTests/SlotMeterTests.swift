import HTTPClient
import TestSupport
import Testing

@testable import Archiver

@Suite struct SlotMeterTests {
    @Test
    func
        `as much is claimed ahead as there are slots, a dozen at least, until the speed is known, then two minutes of work`()
    {
        var meter = SlotMeter(.fixed(8), memory: .max)
        let start = ContinuousClock.now
        func ahead(_ seconds: Int) -> Int { meter.ahead(at: start + .seconds(seconds)) }
        meter.note(busy: 8, hasMore: false, HTTPClient.Pace(), at: start)
        for second in 1...19 { meter.noteEnd(isOver: true, at: start + .seconds(second)) }
        #expect(ahead(19) == 12)
        // Nineteen in a minute are 38 in two; 50 is the most, and with one in three minutes four are enough.
        #expect(ahead(60) == 23, "eight slots that stand still for 41 s end one in five at best")
        #expect(ahead(20) == 50)
        #expect(ahead(6000) == 4)
        #expect(SlotMeter(.fixed(64), memory: .max).ahead() == 50)
        // What the first growth adds is at hand when it comes, and a short drain with few slots does not ask for each item.
        #expect(SlotMeter(.auto, memory: .max).ahead() == 12)
        #expect(SlotMeter(.fixed(1), memory: .max).ahead() == 12)
    }

    @Test func `what counts is how fast the last jobs ended, in the time in which there was something to do`() {
        var meter = SlotMeter(.fixed(4), memory: .max)
        var now = ContinuousClock.now
        func ahead() -> Int { meter.ahead(at: now) }
        func pass(_ duration: Duration, busy: Int) {
            meter.note(busy: busy, hasMore: false, HTTPClient.Pace(), at: now)
            now += duration
        }
        func archive(_ parts: Int, each duration: Duration) {
            for _ in 0..<parts {
                pass(duration, busy: 4)
                meter.noteEnd(isOver: true, at: now)
            }
        }
        // A week without work says nothing, and does not make a host of one part a second slow.
        pass(.seconds(7 * 86_400), busy: 0)
        #expect(ahead() == 12)
        archive(40, each: .seconds(1))
        #expect(ahead() == 50)
        pass(.seconds(7 * 86_400), busy: 0)
        #expect(ahead() == 50)
        // One that has come to long videos holds few, however fast it was; what is given back at once does not make it fast.
        archive(25, each: .seconds(20))
        #expect(ahead() == 6)
        for _ in 0..<100 { meter.noteEnd(isOver: false, at: now) }
        #expect(ahead() == 6)
        // Nor does it have to wait for an end to know, or for many where its slots stand still.
        archive(25, each: .milliseconds(100))
        #expect(ahead() == 50)
        pass(.seconds(60), busy: 4)
        #expect(ahead() == 8)
        pass(.seconds(600), busy: 4)
        #expect(ahead() == 4)
    }

    @Test func `a fast host need not work for long to be known as one, and once the queue has no more little is held`()
    {
        func ahead(each duration: Duration, afterShortClaim pause: Duration? = nil) -> Int {
            var meter = SlotMeter(.fixed(4), memory: .max)
            var now = ContinuousClock.now
            meter.note(busy: 4, hasMore: false, HTTPClient.Pace(), at: now)
            for _ in 0..<25 {
                now += duration
                meter.noteEnd(isOver: true, at: now)
            }
            meter.noteClaim(isShort: pause != nil, at: now - (pause ?? .zero))
            return meter.ahead(at: now)
        }
        #expect(ahead(each: .milliseconds(10)) == 50)
        #expect(ahead(each: .milliseconds(10), afterShortClaim: .seconds(1)) == 50)
        #expect(ahead(each: .milliseconds(1500)) == 50)
        #expect(ahead(each: .milliseconds(1500), afterShortClaim: .seconds(1)) == 6)
        #expect(ahead(each: .milliseconds(1500), afterShortClaim: .seconds(31)) == 50)
        #expect(ahead(each: .seconds(10), afterShortClaim: .seconds(1)) == 4)
    }

    /// Slots after intervals of half a second in each of which so much moves, under so much load of the loop and with so
    /// many transfers beyond the slots.
    private func slots(
        _ bytes: [Int64],
        load: Double = 0,
        hasMore: Bool = false,
        excess: (Int) -> Int = { _ in 0 }
    ) -> Int {
        var meter = SlotMeter(.auto, memory: .max)
        var (pace, now) = (HTTPClient.Pace(), ContinuousClock.now)
        for (number, bytes) in bytes.enumerated() {
            meter.note(busy: meter.slots + excess(number), hasMore: hasMore, pace, at: now)
            now += .milliseconds(500)
            pace.moved += bytes
            pace.waited += .milliseconds(500) * (1 - load)
            meter.intervalEnded(pace, stumbles: 0, isWorking: true, at: now)
        }
        return meter.slots
    }

    @Test func `an interval with an idle slot says nothing of the throughput`() {
        #expect(slots([1_000_000, 4_000_000, 9_000_000], excess: { _ in -1 }) == SlotGovernor.first)
        #expect(slots([1_000_000, 4_000_000, 9_000_000]) > SlotGovernor.first)
        #expect(slots([1_000_000, 4_000_000, 9_000_000], excess: { $0 > 0 ? 0 : -1 }) > SlotGovernor.first)
        // One that gets its work at once is not idle.
        #expect(slots([1_000_000, 4_000_000, 9_000_000], hasMore: true, excess: { _ in -1 }) > SlotGovernor.first)
    }

    @Test func `the one transfer more of a waking lane does not stop the search, several do`() {
        #expect(slots([1_000_000, 4_000_000, 9_000_000], excess: { _ in 1 }) > SlotGovernor.first)
        #expect(slots([1_000_000, 4_000_000, 9_000_000], excess: { _ in 2 }) == SlotGovernor.first)
    }

    @Test func `a loop that waits for nothing gets no more slots`() {
        #expect(slots([1_000_000, 4_000_000, 9_000_000], load: 1) == SlotGovernor.first)
    }

    @Test func `an interval begins anew when the last idle slot gets work, and too short a rest of one says nothing`() {
        func slots(after idle: Duration) -> Int {
            var meter = SlotMeter(.auto, memory: .max)
            let now = ContinuousClock.now
            var pace = HTTPClient.Pace()
            // The first one that tells is the beginning of all transfers: it counts for nothing yet.
            for half in 1...2 {
                let end = now + .milliseconds(500 * half)
                meter.note(busy: 3, hasMore: false, pace, at: end - .milliseconds(500))
                meter.note(busy: 4, hasMore: false, pace, at: end - .milliseconds(500) + idle)
                pace.moved += 1_000_000
                pace.waited += .milliseconds(500) - idle
                meter.intervalEnded(pace, stumbles: 0, isWorking: true, at: end)
            }
            return meter.slots
        }
        #expect(slots(after: .milliseconds(200)) > SlotGovernor.first)
        #expect(slots(after: .milliseconds(400)) == SlotGovernor.first)
    }

    /// Transfers that last `length` intervals of a second on a link that serves `limit` of them at once, at full speed.
    private func levels(length: Int, limit: Int, intervals: Int) -> [Int] {
        var meter = SlotMeter(.auto, memory: .max)
        var (pace, now) = (HTTPClient.Pace(), ContinuousClock.now)
        var running: [Int] = [], chance = SeededGenerator(seed: 42)
        return (0..<intervals).map { _ in
            running = running.map { $0 - 1 }.filter { $0 > 0 }
            // Those that are under way already are anywhere on their way.
            while running.count < meter.slots { running.append(Int.random(in: 1...length, using: &chance)) }
            meter.note(busy: running.count, hasMore: true, pace, at: now)
            now += .seconds(1)
            pace.moved += Int64(min(running.count, limit)) * 1_000_000
            pace.waited += .milliseconds(900)
            meter.intervalEnded(pace, stumbles: 0, isWorking: true, at: now)
            return meter.slots
        }
    }

    @Test(arguments: [1, 4, 30, 200])
    func `transfers that go on for minutes do not count for fewer slots than there are of them`(_ length: Int) {
        let levels = levels(length: length, limit: 32, intervals: 4000).dropFirst(200)
        for level in levels { #expect(level >= 20 && level <= 50, "\(level)") }
    }
}
