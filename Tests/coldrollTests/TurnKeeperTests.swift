import Foundation
import JobQueue
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import coldroll

/// Turns in the hands of several keepers, as of several hosts, with runs that end when the test says so.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct TurnKeeperTests {
    /// A host: its keeper, and the run that it has in hand.
    private final class Host: Sendable {
        let name: String
        let stop = StopSignal()
        let bell = Bell()
        let begun = Atomic(0)
        /// Stops that the runs were asked for.
        let stopped = Atomic(0)
        /// How often it looked whether it may take one.
        let looked = Atomic(0)
        /// Warnings of its log.
        let troubles = Atomic(0)
        private let results: AsyncStream<TurnKeeper.Result>
        private let give: AsyncStream<TurnKeeper.Result>.Continuation
        private let task = Mutex<Task<Void, Never>?>(nil)

        init(
            _ name: String,
            _ fixture: QueueFixture,
            limit: Duration = .seconds(3600),
            mayTake: Bool = true,
            atEnd: @escaping @Sendable () async -> Void = {}
        ) {
            self.name = name
            (results, give) = AsyncStream.makeStream(of: TurnKeeper.Result.self)
            var timing = TurnKeeper.Timing()
            timing.look = .milliseconds(20)
            timing.beat = .milliseconds(20)
            timing.limit = limit
            let keeper = TurnKeeper(
                ledger: fixture.ledger,
                source: fixture.source,
                host: name,
                logger: Logger { [self] level, _, _ in
                    if level == .warning { troubles.add(1, ordering: .relaxed) }
                },
                timing: timing,
                bell: bell,
                told: Bell(),
                mayTake: { [self] in
                    looked.add(1, ordering: .relaxed)
                    return mayTake
                }
            ) { [self] stop in
                begun.add(1, ordering: .relaxed)
                let watch = Task {
                    await stop.wait()
                    guard !Task.isCancelled else { return }
                    stopped.add(1, ordering: .relaxed)
                    end(.interrupted, "Interrupted.")
                }
                defer { watch.cancel() }
                for await result in results {
                    await atEnd()
                    return result
                }
                return TurnKeeper.Result(status: .interrupted, sentence: "")
            }
            let stop = stop
            task.withLock { $0 = Task { await keeper.keep(stop) } }
        }

        /// Ends the run that it has, or the next one.
        func end(_ status: coldroll.ExitStatus, _ sentence: String) {
            give.yield(TurnKeeper.Result(status: status, sentence: sentence))
        }

        /// Asks for the end and waits for it.
        func leave() async {
            stop.request()
            bell.ring()
            await task.withLock { $0 }?.value
        }

        var runs: Int { begun.load(ordering: .relaxed) }
    }

    private func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < end, "\(what) did not happen")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func state(_ fixture: QueueFixture) async throws -> [String] {
        try await fixture.texts(
            """
            SELECT concat_ws(' ', CASE WHEN ended_at IS NULL THEN 'open' ELSE 'ended' END, code, tries,
                             CASE WHEN next_try_at > now() + interval '14 minutes' THEN 'waits' END, message)
            FROM coldroll.turn ORDER BY number
            """
        )
    }

    @Test func `of three hosts one does the run, and its end is recorded with what is to be told`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let hosts = ["a", "b", "c"].map { Host($0, fixture) }
        for _ in 0..<10 { _ = try await fixture.ledger.askForTurn(source: fixture.source) }
        try await until("the run") { hosts.reduce(0) { $0 + $1.runs } > 0 }
        for _ in 0..<10 { _ = try await fixture.ledger.askForTurn(source: fixture.source) }
        // Many looks and beats later it is still one.
        let beat = try await fixture.texts("SELECT beat_at::text FROM coldroll.turn")
        try await until("a beat") { try await fixture.texts("SELECT beat_at::text FROM coldroll.turn") != beat }
        #expect(hosts.reduce(0) { $0 + $1.runs } == 1)
        try #require(hosts.first { $0.runs == 1 }).end(.done, "All is stored.")
        try await until("its end") { try await state(fixture) == ["ended 0 1 All is stored."] }
        #expect(
            try await fixture.texts("SELECT event || ': ' || words FROM coldroll.notice")
                == ["succeeded: The run has ended well. All is stored."]
        )
        for host in hosts { await host.leave() }
        #expect(hosts.reduce(0) { $0 + $1.runs } == 1)
    }

    @Test func `what time may mend is tried again later, and told once a day; anything else ends the turn`()
        async throws
    {
        let fixture = try await QueueFixture()
        let host = Host("a", fixture)
        for tries in 1...2 {
            _ = try await fixture.ledger.askForTurn(source: fixture.source)
            host.end(tries == 1 ? .unreachable : .unfinished, "Away.")
            try await until("the pause") {
                try await state(fixture) == ["open \(tries == 1 ? 4 : 5) \(tries) waits Away."]
            }
        }
        #expect(host.runs == 2)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        host.end(.dead, "One is dead.")
        try await until("the end") { try await state(fixture) == ["ended 2 3 One is dead."] }
        let told = try await fixture.texts("SELECT event || ' ' || subject FROM coldroll.notice ORDER BY id")
        // One more where midnight passed just now.
        #expect((2...3).contains(told.count) && told[0].hasPrefix("failed turn 1 goes on 20"), "\(told)")
        #expect(told.last == "failed turn 1")
        await host.leave()
    }

    @Test func `a host that stops leaves its run at once to another, which goes on`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let first = Host("a", fixture)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the run") { first.runs == 1 }
        let second = Host("b", fixture)
        await first.leave()
        #expect(first.stopped.load(ordering: .relaxed) == 1)
        // Not by the silence of the first, which would be 45 s.
        let left = ContinuousClock.now
        try await until("the other run") { second.runs == 1 }
        #expect(left.duration(to: .now) < .seconds(30))
        second.end(.done, "Done.")
        try await until("its end") { try await state(fixture) == ["ended 0 2 Done."] }
        await second.leave()
    }

    @Test func `a host that lost its turn stops its run and records nothing of it`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let host = Host("a", fixture)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the run") { host.runs == 1 }
        // As another host that found it silent.
        try await fixture.sql(
            "UPDATE coldroll.turn SET holder = 1, host = 'b', tries = 2, beat_at = now() + interval '30 seconds'"
        )
        try await until("the stop") { host.stopped.load(ordering: .relaxed) == 1 }
        #expect(try await state(fixture) == ["open 2"])
        #expect(try await fixture.ledger.endTurn(1, holder: 1, code: 0, message: "There.", news: nil))
        // The next one is anybody's.
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the next run") { host.runs == 2 }
        #expect(try await state(fixture).first == "ended 0 2 There.")
        await host.leave()
    }

    @Test func `a run that has ended is recorded, though a stop comes before the record`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        // The stop that comes when the run is done, and has let go of the turn before it returns.
        let asked = Mutex<Host?>(nil)
        let host = Host("a", fixture) {
            guard let host = asked.withLock({ $0 }) else { return }
            host.stop.request()
            while (try? await fixture.number("SELECT count(*) FROM coldroll.turn WHERE holder IS NULL")) != 1 {
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        asked.withLock { $0 = host }
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the run") { host.runs == 1 }
        host.end(.done, "Done.")
        try await until("its end") { try await state(fixture) == ["ended 0 1 Done."] }
        await host.leave()
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.notice") == 1)
        asked.withLock { $0 = nil }
    }

    @Test func `an end that cannot be recorded at once is recorded once more when a stop comes`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let host = Host("a", fixture)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the run") { host.runs == 1 }
        try await fixture.sql("ALTER TABLE coldroll.turn RENAME COLUMN code TO code_away")
        host.end(.dead, "One is dead.")
        try await until("the trouble") { host.troubles.load(ordering: .relaxed) == 1 }
        try await fixture.sql("ALTER TABLE coldroll.turn RENAME COLUMN code_away TO code")
        await host.leave()
        #expect(try await state(fixture) == ["ended 2 1 One is dead."])
    }

    @Test func `a host that cannot do it, as one of another version, leaves the run to one that can`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let unfit = Host("a", fixture, mayTake: false)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("two looks") { unfit.looked.load(ordering: .relaxed) > 2 }
        #expect(try await state(fixture) == ["open 0"])
        let fit = Host("b", fixture)
        fit.end(.done, "Done.")
        try await until("its end") { try await state(fixture) == ["ended 0 1 Done."] }
        #expect(unfit.runs == 0)
        for host in [unfit, fit] { await host.leave() }
    }

    @Test func `a run that nobody interrupted and that was is tried again`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let host = Host("a", fixture)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the run") { host.runs == 1 }
        host.end(.interrupted, "Interrupted.")
        try await until("the pause") { try await state(fixture) == ["open 4 1 waits Interrupted."] }
        await host.leave()
    }

    @Test func `a run that hangs is told of, and left to others`() async throws {
        let fixture = try await QueueFixture(connections: 8)
        let hung = AsyncStream.makeStream(of: Void.self)
        let host = Host("a", fixture, limit: .milliseconds(300)) { for await _ in hung.stream {} }
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the limit") {
            try await state(fixture).first?.hasPrefix("open 5 1 waits It did not end, nor stop") == true
        }
        #expect(host.stopped.load(ordering: .relaxed) == 1)
        #expect(try await fixture.texts("SELECT event FROM coldroll.notice") == ["failed"])
        let other = Host("b", fixture)
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        try await until("the other run") { other.runs == 1 }
        other.end(.done, "Done.")
        try await until("its end") { try await state(fixture) == ["ended 0 2 Done."] }
        hung.continuation.finish()
        for host in [host, other] { await host.leave() }
    }
}
