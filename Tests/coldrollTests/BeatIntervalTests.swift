import JobQueue
import Testing

@testable import coldroll

struct BeatIntervalTests {
    @Test func `the default is the queue's own timing`() {
        #expect(BeatInterval.standard.timing == JobQueue.Timing())
    }

    @Test func `six missed beats are a death whatever the beat is`() throws {
        let timing = try #require(BeatInterval("2s")).timing
        #expect(timing.beat == .seconds(2) && timing.dead == .seconds(12))
        #expect(timing.sweep == .seconds(2) && timing.orphanSpread == .seconds(2))
        #expect(timing.firstBackoff == JobQueue.Timing().firstBackoff)
    }
}
