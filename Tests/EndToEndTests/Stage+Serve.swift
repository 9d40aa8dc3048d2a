import Foundation
import HTTPServer
import Synchronization
import Testing

/// An address that is told of runs.
final class NoticeReceiver: Sendable {
    private final class Body: BodyReceiver {
        private let bytes = Mutex<[UInt8]>([])
        private let receiver: NoticeReceiver
        init(_ receiver: NoticeReceiver) { self.receiver = receiver }
        func receive(_ more: UnsafeRawBufferPointer) -> Bool {
            bytes.withLock { $0 += more }
            return true
        }
        func finish() -> ServerAnswer {
            receiver.bodies.withLock { $0.append(bytes.withLock { String(decoding: $0, as: UTF8.self) }) }
            return ServerAnswer(204)
        }
        func abandon() {}
    }

    private let bodies = Mutex<[String]>([])
    private let running = Mutex<HTTPServer?>(nil)

    init() throws {
        let server = try HTTPServer { [self] _ in .receive(Body(self)) }
        running.withLock { $0 = server }
    }

    /// For `COLDROLL_NOTIFY_URL`.
    var url: String { "http://127.0.0.1:\(running.withLock { $0?.port ?? 0 })/hook?key=NOTIFY-SECRET" }

    /// The events that it was told of, in order.
    var events: [String] {
        bodies.withLock { $0 }.compactMap { body in
            let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
            return object?["event"] as? String
        }
    }

    func stop() { running.withLock { $0?.stop() } }
}

extension Stage {
    static let callersSecret = "a-secret-of-the-callers"

    /// A file with the callers' secret.
    private func secretFile() throws -> String {
        let path = directory + "/callers-secret"
        try (Self.callersSecret + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    /// Starts `coldroll serve` on a port that is free, and waits until it listens.
    func serve(
        _ arguments: [String] = [],
        changing changes: [String: String] = [:]
    ) async throws -> (program: Program, port: Int) {
        let program = try Program(
            Self.programs + "/coldroll",
            ["serve", "--listen", "127.0.0.1:0"] + arguments,
            environment.merging(["COLDROLL_SERVE_SECRET_FILE": try secretFile()]) { $1 }.merging(changes) { $1 },
            output: directory + "/" + UUID().uuidString
        )
        func port() throws -> Int? {
            try program.output.firstMatch(of: #/Listening on http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        try await until("it listens: \(try program.output)") { try port() != nil }
        return (program, try #require(try port()))
    }

    /// What curl is answered: the status and the body.
    func curl(_ arguments: [String]) async throws -> (status: Int, body: String) {
        let end = try await Program(
            "/usr/bin/curl",
            ["-sS", "--max-time", "120", "-w", "\n%{http_code}"] + arguments,
            environment,
            output: directory + "/" + UUID().uuidString
        ).end()
        let lines = end.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.last.flatMap { Int($0) } ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    /// Asks for a run with the callers' secret, or with what `bearer` says.
    func callForRun(_ port: Int, bearer: String = callersSecret) async throws -> (status: Int, body: String) {
        try await curl(["-X", "POST", "-H", "Authorization: Bearer \(bearer)", "http://127.0.0.1:\(port)/run"])
    }

    /// Waits for the end of the only turn, and returns its code, its tries and its message.
    func endOfTurn() async throws -> String {
        try await until("the end of the run") {
            try await number("SELECT count(*) FROM coldroll.turn WHERE ended_at IS NOT NULL") == 1
        }
        return try await texts("SELECT concat_ws(' ', code, tries, message) FROM coldroll.turn")[0]
    }

    /// Ends these by SIGTERM; each must say that it was interrupted.
    func end(_ programs: [Program]) async throws {
        for program in programs { program.signal(SIGTERM) }
        for program in programs {
            let end = try await program.end()
            #expect(end.status == 130, "\(end.output)")
            #expect(!end.output.contains(Self.callersSecret) && !end.output.contains("NOTIFY-SECRET"))
        }
    }
}
