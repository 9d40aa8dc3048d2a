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
        private let results: AsyncStream<TurnKeeper.Result>
        private let give: AsyncStream<TurnKeeper.Result>.Continuation
        private let task = Mutex<Task<Void, Never>?>(nil)

        init(_ name: String, _ fixture: QueueFixture, silence: Duration = .seconds(45)) {
            self.name = name
            (results, give) = AsyncStream.makeStream(of: TurnKeeper.Result.self)
            var timing = TurnKeeper.Timing()
            timing.look = .milliseconds(20)
            timing.beat = .milliseconds(20)
            timing.silence = silence
            let keeper = TurnKeeper(
                ledger: fixture.ledger,
                source: fixture.source,
                host: name,
                logger: .none,
                timing: timing,
                bell: bell,
                told: Bell(),
                tells: true
            ) { [self] stop in
                begun.add(1, ordering: .relaxed)
                let watch = Task {
                    await stop.wait()
                    guard !Task.isCancelled else { return }
                    stopped.add(1, ordering: .relaxed)
                    end(.interrupted, "Interrupted.")
                }
                defer { watch.cancel() }
                for await result in results { return result }
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

    @Test func `what time may mend is tried again later, and told once; anything else ends the turn`() async throws {
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
        #expect(
            try await fixture.texts("SELECT event || ' ' || subject FROM coldroll.notice ORDER BY id")
                == ["failed turn 1 goes on", "failed turn 1"]
        )
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
        try await until("the other run") { second.runs == 1 }
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
}
