import JobQueue
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import coldroll

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ReadinessTests {
    private final class Lines: Sendable {
        let lines = Mutex<[String]>([])
        var logger: Logger { Logger { [self] _, _, fields in lines.withLock { $0.append("\(fields)") } } }
    }

    @Test func `whoever asks learns nothing of the database, and the log says it once`() async throws {
        let lines = Lines()
        let away = Ledger(pool: ConnectionPool(conninfo: "host=/nowhere/SECRET dbname=SECRET user=SECRET", limit: 1))
        let readiness = Readiness(away, lines.logger)
        for _ in 0..<5 { #expect(await readiness.fault() == "The database does not answer.") }
        #expect(lines.lines.withLock { $0.count == 1 && $0[0].contains("/nowhere/SECRET") })
    }

    @Test func `a schema that does not fit is told as such, and its details are in the log`() async throws {
        let fixture = try await QueueFixture()
        let lines = Lines()
        #expect(await Readiness(fixture.ledger, lines.logger).fault() == nil)
        try await fixture.sql("DELETE FROM coldroll.migration WHERE version > 10")
        #expect(
            await Readiness(fixture.ledger, lines.logger).fault()?.hasPrefix("The database's schema does not fit")
                == true
        )
        #expect(lines.lines.withLock { $0.count == 1 && $0[0].contains("older than this coldroll") })
    }

    @Test func `what must not be old is looked at again, however long the last look took`() async throws {
        let made = Atomic(0)
        func snapshot(_ rest: Int) -> Snapshot<Int> {
            Snapshot(lives: .milliseconds(1), rest: rest) {
                try await Task.sleep(for: .milliseconds(200))
                return made.add(1, ordering: .relaxed).newValue
            }
        }
        let (young, thrifty) = (snapshot(0), snapshot(20))
        _ = try await (young.value(), thrifty.value())
        try await Task.sleep(for: .milliseconds(20))
        let before = made.load(ordering: .relaxed)
        _ = try await thrifty.value()
        #expect(made.load(ordering: .relaxed) == before)
        _ = try await young.value()
        #expect(made.load(ordering: .relaxed) == before + 1)
    }
}
