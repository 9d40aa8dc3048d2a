import Foundation
import HTTPClient
import HTTPServer
import JobQueue
import Logging
import Synchronization
import TestSupport
import Testing

@testable import coldroll

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct NotifierTests {
    /// An address that answers what it is told to, and keeps what it was sent.
    private final class Receiver: Sendable {
        private final class Body: BodyReceiver {
            private let bytes = Mutex<[UInt8]>([])
            private let receiver: Receiver
            init(_ receiver: Receiver) { self.receiver = receiver }
            func receive(_ more: UnsafeRawBufferPointer) -> Bool {
                bytes.withLock { $0 += more }
                return true
            }
            func finish() -> ServerAnswer {
                receiver.bodies.withLock { $0.append(bytes.withLock { String(decoding: $0, as: UTF8.self) }) }
                return receiver.answers.withLock { ServerAnswer($0.count > 1 ? $0.removeFirst() : $0[0]) }
            }
            func abandon() {}
        }

        let bodies = Mutex<[String]>([])
        let answers: Mutex<[Int]>
        private let running = Mutex<HTTPServer?>(nil)

        init(_ answers: Int...) throws {
            self.answers = Mutex(answers)
            let server = try HTTPServer { [self] _ in .receive(Body(self)) }
            running.withLock { $0 = server }
        }

        var url: String { "http://127.0.0.1:\(running.withLock { $0?.port ?? 0 })/hook?token=SECRET" }
        var told: [String] { bodies.withLock { $0 } }
        func stop() { running.withLock { $0?.stop() } }
    }

    private final class Lines: Sendable {
        let lines = Mutex<[String]>([])
        var logger: Logger {
            Logger { [self] _, message, fields in lines.withLock { $0.append("\(message) \(fields)") } }
        }
    }

    private func notifier(_ url: String, _ lines: Lines) -> Notifier {
        Notifier(url: url, http: HTTPClient(), account: "ada \"x\"", host: "nas", logger: lines.logger)
    }

    private func note(_ fixture: QueueFixture, _ subject: String) async throws {
        try await fixture.ledger.note(
            TurnNews(event: "failed", subject: subject, words: "The run has failed."),
            source: fixture.source,
            run: 7
        )
    }

    @Test func `each notice is sent once, as one JSON object`() async throws {
        let fixture = try await QueueFixture()
        let receiver = try Receiver(204)
        let notifier = notifier(receiver.url, Lines())
        try await note(fixture, "turn 7")
        for _ in 0..<3 { try await notifier.tellAll(fixture.ledger, source: fixture.source, StopSignal()) }
        #expect(
            receiver.told == [
                #"{"account":"ada \"x\"","event":"failed","host":"nas","run":7,"text":"coldroll (account ada \"x\"): The run has failed."}"#
            ]
        )
        receiver.stop()
    }

    @Test func `news of no run have the key run too`() async throws {
        let fixture = try await QueueFixture()
        let receiver = try Receiver(204)
        try await fixture.ledger.note(
            TurnNews(event: "login", subject: "login 1", words: "The login is refused."),
            source: fixture.source,
            run: nil
        )
        try await notifier(receiver.url, Lines()).tellAll(fixture.ledger, source: fixture.source, StopSignal())
        #expect(
            receiver.told == [
                #"{"account":"ada \"x\"","event":"login","host":"nas","run":null,"text":"coldroll (account ada \"x\"): The login is refused."}"#
            ]
        )
        receiver.stop()
    }

    @Test func `what is not taken is sent three times, then later, with a warning that tells nothing`() async throws {
        let fixture = try await QueueFixture()
        let receiver = try Receiver(500, 302, 204, 500)
        let lines = Lines()
        let notifier = notifier(receiver.url, lines)
        try await note(fixture, "turn 7")
        try await notifier.tellAll(fixture.ledger, source: fixture.source, StopSignal())
        #expect(receiver.told.count == 3)
        #expect(lines.lines.withLock { $0 } == [])
        try await note(fixture, "turn 8")
        for _ in 0..<2 { try await notifier.tellAll(fixture.ledger, source: fixture.source, StopSignal()) }
        #expect(receiver.told.count == 6)
        #expect(
            try await fixture.number(
                "SELECT count(*) FROM coldroll.notice WHERE tries = 0 AND claimed_until > now() + interval '14 minutes'"
            ) == 1
        )
        let told = lines.lines.withLock { $0 }
        #expect(told.count == 1 && told[0].contains("did not take a message after three tries"))
        #expect(!told[0].contains("SECRET") && !told[0].contains("127.0.0.1"))
        receiver.stop()
    }

    @Test func `an address that does not answer holds up no stop, and what was not told is told by the next`()
        async throws
    {
        let fixture = try await QueueFixture()
        let began = Mutex(false)
        let server = try HTTPServer { _ in
            began.withLock { $0 = true }
            return .answer(ServerAnswer(204, delaySeconds: 60))
        }
        try await note(fixture, "turn 7")
        let stop = StopSignal()
        let silent = notifier("http://127.0.0.1:\(server.port)/hook", Lines())
        let telling = Task { try await silent.tellAll(fixture.ledger, source: fixture.source, stop) }
        while !began.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
        let asked = ContinuousClock.now
        stop.request()
        try await telling.value
        #expect(asked.duration(to: .now) < .seconds(5))
        server.stop()
        let receiver = try Receiver(204)
        try await notifier(receiver.url, Lines()).tellAll(fixture.ledger, source: fixture.source, StopSignal())
        #expect(receiver.told.count == 1)
        receiver.stop()
    }

    @Test func `what is noted is told, though more cannot be noted`() async throws {
        let fixture = try await QueueFixture()
        let receiver = try Receiver(204)
        try await note(fixture, "turn 7")
        try await fixture.sql("ALTER TABLE coldroll.login RENAME TO login_away")
        let (bell, stop) = (Bell(), StopSignal())
        let keeper = NoticeKeeper(
            notifier: notifier(receiver.url, Lines()),
            ledger: fixture.ledger,
            source: fixture.source,
            bell: bell
        )
        let keeping = Task { await keeper.keep(stop) }
        let end = ContinuousClock.now + .seconds(60)
        while receiver.told.isEmpty, .now < end { try await Task.sleep(for: .milliseconds(10)) }
        #expect(receiver.told.count == 1)
        stop.request()
        bell.ring()
        await keeping.value
        receiver.stop()
    }

    @Test func `without a ledger it is told all the same`() async throws {
        let receiver = try Receiver(200)
        let isTold = await notifier(receiver.url, Lines()).tell(
            RunNews(.unreachable, "The database is away."),
            StopSignal()
        )
        #expect(isTold)
        #expect(receiver.told.count == 1)
        #expect(
            receiver.told[0].contains("it is to be tried again. The database is away.")
                && receiver.told[0].contains(#""event":"failed""#)
        )
        receiver.stop()
    }

    @Test func `a day is remembered for each account, in a home that need not be there`() throws {
        let home = NSTemporaryDirectory() + "home-" + UUID().uuidString + "/deep"
        defer { try? FileManager.default.removeItem(at: URL(filePath: home).deletingLastPathComponent()) }
        let (ada, bob) = (DayMark(home: home, account: "ada"), DayMark(home: home, account: "ad"))
        #expect(!ada.isSet(for: "2026-08-01"))
        for _ in 0..<2 { ada.set(for: "2026-08-01") }
        #expect(ada.isSet(for: "2026-08-01") && !bob.isSet(for: "2026-08-01"))
        bob.set(for: "2026-08-01")
        #expect(ada.isSet(for: "2026-08-01") && bob.isSet(for: "2026-08-01"))
        bob.set(for: "2026-08-02")
        #expect(!ada.isSet(for: "2026-08-01") && !ada.isSet(for: "2026-08-02") && bob.isSet(for: "2026-08-02"))
        let nowhere = DayMark(home: "/proc/nothing", account: "ada")
        nowhere.set(for: "2026-08-01")
        #expect(!nowhere.isSet(for: "2026-08-01"))
    }
}
