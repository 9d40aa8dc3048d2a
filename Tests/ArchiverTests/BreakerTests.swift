import JobQueue
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Archiver

/// A service whose neutral requests a test answers, and their times.
private final class Probed: Sendable {
    let answer = Mutex(Breaker.Answer.answers)
    let times = Mutex<[ContinuousClock.Instant]>([])

    func breaker(_ fixture: QueueFixture) -> Breaker {
        Breaker(queue: fixture.queue, places: [.media: "1", .storage: "gs://a", .library: "1"], logger: .none) { _ in
            self.times.withLock { $0.append(.now) }
            return self.answer.withLock { $0 }
        }
    }

    func set(_ answer: Breaker.Answer) { self.answer.withLock { $0 = answer } }
    var count: Int { times.withLock { $0.count } }
}

@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct BreakerTests {
    private func timing(probe: Duration) -> JobQueue.Timing {
        var timing = JobQueue.Timing()
        timing.probe = probe
        return timing
    }

    private func wait(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test func `a part that fails while a neutral request is answered is to blame itself`() async throws {
        let probed = Probed()
        let health = ServiceHealth(breaker: probed.breaker(try await QueueFixture()))
        #expect(await health.judge(.media, part: 1) == .part)
        #expect(probed.count == 1)
        #expect(health.stumbles == 1)
    }

    @Test func `a success that began before the failure proves nothing, one that began after it is enough`()
        async throws
    {
        let probed = Probed()
        probed.set(.silent("503"))
        let breaker = probed.breaker(try await QueueFixture())
        let health = ServiceHealth(breaker: breaker, patience: .seconds(60))
        let later = Task {
            try await Task.sleep(for: .milliseconds(200))
            health.succeeded(.media, began: .now)
        }
        #expect(await health.judge(.media, part: 1) == .part)
        #expect(probed.count == 0)
        try await later.value
        #expect(health.stumbles == 1)
        let hasty = ServiceHealth(breaker: breaker, patience: .milliseconds(100))
        hasty.succeeded(.media, began: .now)
        #expect(await hasty.judge(.media, part: 1) == .outage)
        #expect(breaker.isOpen(.media) && hasty.stumbles == 0)
    }

    @Test func `a still that comes says nothing of the servers that send videos, a video does`() async throws {
        let probed = Probed()
        probed.set(.silent("503"))
        let breaker = probed.breaker(try await QueueFixture())
        let health = ServiceHealth(breaker: breaker)
        let stills = Task {
            while !Task.isCancelled {
                health.succeeded(.media, began: .now)
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(await health.judge(.media, part: 1, isVideo: true) == .outage)
        #expect(probed.count == 1)
        stills.cancel()
        _ = await stills.result
        let patient = ServiceHealth(breaker: breaker, patience: .seconds(60))
        // What closes the breaker again.
        health.succeeded(.media, began: .now, isVideo: true)
        let videos = Task {
            while !Task.isCancelled {
                patient.succeeded(.media, began: .now, isVideo: true)
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(await patient.judge(.media, part: 1, isVideo: true) == .part)
        videos.cancel()
        _ = await videos.result
    }

    @Test func `however many parts fail in an outage, one neutral request is sent and nobody pays`() async throws {
        let probed = Probed()
        probed.set(.silent("503"))
        let fixture = try await QueueFixture()
        let health = ServiceHealth(breaker: probed.breaker(fixture))
        let verdicts = await withTaskGroup(of: ServiceHealth.Verdict.self) { group in
            for part in 1...20 { group.addTask { await health.judge(.media, part: Int64(part)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts == Array(repeating: .outage, count: 20))
        #expect(probed.count <= 2)
        let open = try await fixture.queue.openBreakers()
        #expect(open.map(\.service) == [.media] && open.first?.reason == "503")
        // Two parts left, for hours: still nobody is blamed.
        for _ in 0..<1000 { #expect(await health.judge(.media, part: 1) == .outage) }
    }

    @Test func `without anything to ask instead, a part is excused a few times, then counted`() async throws {
        let probed = Probed()
        probed.set(.unknown)
        let health = ServiceHealth(breaker: probed.breaker(try await QueueFixture()))
        for _ in 0..<6 { #expect(await health.judge(.library, part: 1) == .passing) }
        #expect(await health.judge(.library, part: 1) == .part)
        health.forget(part: 1)
        #expect(await health.judge(.library, part: 1) == .passing)
    }

    @Test
    func
        `a breaker closes where tries tell nothing, for all and without a word that it answered, not where none is made`()
        async throws
    {
        let probed = Probed()
        probed.set(.silent("503"))
        let fixture = try await QueueFixture()
        let breaker = probed.breaker(fixture)
        _ = await breaker.ask(.media, after: .now)
        #expect(breaker.isOpen(.media))
        probed.set(.notAsked)
        for _ in 0..<10 { _ = await breaker.ask(.media, after: .now) }
        #expect(breaker.isOpen(.media))
        #expect(try await fixture.queue.openBreakers().count == 1)
        probed.set(.unknown)
        for _ in 0..<4 { _ = await breaker.ask(.media, after: .now) }
        #expect(!breaker.isOpen(.media))
        #expect(try await fixture.queue.openBreakers().isEmpty)
        #expect(try await fixture.number("SELECT count(sound_at) FROM coldroll.breaker") == 0)
    }

    @Test func `a process that alone is cut off stops nobody else`() async throws {
        let fixture = try await QueueFixture()
        let (cut, sound) = (Probed(), Probed())
        cut.set(.silent("refused"))
        let other = sound.breaker(fixture)
        #expect(await other.ask(.storage, after: .now) == .answers)
        let breaker = cut.breaker(fixture)
        #expect(await breaker.ask(.storage, after: .now) == .silent("refused"))
        #expect(breaker.isCutOff)
        #expect(try await fixture.queue.openBreakers().isEmpty)
        #expect(!other.isOpen)
    }

    @Test func `all processes together try a service that is away once an interval, and all go on when it is back`()
        async throws
    {
        let interval = Duration.seconds(3)
        let fixture = try await QueueFixture(timing: timing(probe: interval), connections: 8)
        let probed = Probed()
        probed.set(.silent("503"))
        let breakers = (0..<4).map { _ in probed.breaker(fixture) }
        let loops = breakers.map { breaker in Task { await breaker.run() } }
        #expect(await breakers[0].ask(.media, after: .now) == .silent("503"))
        try await wait { breakers.allSatisfy { $0.isOpen(.media) } }
        #expect(!breakers.contains { $0.isCutOff })
        try await wait { probed.count >= 4 }
        let times = probed.times.withLock { $0 }
        // The first two may be one that opens and one that was due at once; the clocks are not the same.
        for (earlier, later) in zip(times.dropFirst(), times.dropFirst(2)) {
            #expect(earlier.duration(to: later) > interval * 0.8)
        }
        probed.set(.answers)
        try await wait { breakers.allSatisfy { !$0.isOpen } }
        #expect(try await fixture.queue.openBreakers().isEmpty)
        for loop in loops { loop.cancel() }
    }
}
