import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

@testable import Archiver

@Suite(.migratedDatabase, .timeLimit(.minutes(1))) struct PulseTests {
    @Test func `a heartbeat that failed is followed by another at once, not after a whole interval`() async throws {
        var timing = JobQueue.Timing()
        timing.beat = .seconds(3600)
        let fixture = try await QueueFixture(timing: timing)
        let worker = try await fixture.worker()
        try await fixture.sql("UPDATE coldroll.worker SET busy = 1000")
        let cutter = try AnswerCutter()
        cutter.cut(after: "SET beat_at")
        let pool = ConnectionPool(conninfo: cutter.conninfo, limit: 1, applicationName: "coldroll tests")
        let queue = JobQueue(pool: pool, timing: timing, logger: .none)
        let pulse = Pulse(queue: queue, worker: worker, logger: .none)
        pulse.note(busy: 1)
        let beating = Task { await pulse.run { _ in } }
        defer { beating.cancel() }
        while cutter.struck == 0 { try await Task.sleep(for: .milliseconds(2)) }
        pulse.note(busy: 2)
        while try await fixture.number("SELECT busy FROM coldroll.worker") != 2 {
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
