import Foundation
import GoogleSimulator
import Synchronization
import Testing

/// Who calls `coldroll serve` with tokens that the simulated Google signs, good and bad; each is remembered.
final class Callers: Sendable {
    static let audience = "https://archive.example.com/run"
    static let account = "monthly@simulated-project.iam.gserviceaccount.com"
    /// For a program that lets in this account's tokens.
    static let settings = ["COLDROLL_SERVE_AUDIENCE": audience, "COLDROLL_SERVE_ACCOUNT": account]
    /// For one that lets in nothing else.
    static let alone = settings.merging(["COLDROLL_SERVE_SECRET_FILE": ""]) { $1 }

    private let stage: Stage
    private let shown = Mutex<[String]>([])

    init(_ stage: Stage) { self.stage = stage }

    /// What Cloud Scheduler sends, or what is wrong in one way.
    func token(_ fault: IdentityFault? = nil) throws -> String {
        let spoiled = fault.map { #","fault":"\#($0.rawValue)""# } ?? ""
        let wanted = #"{"audience":"\#(Self.audience)","account":"\#(Self.account)"\#(spoiled)}"#
        let token = try stage.simulator.identityToken(json: wanted)
        shown.withLock { $0.append(token) }
        return token
    }

    /// Calls as curl does; the body is the head's fields as well.
    func call(_ port: Int, _ token: String, _ more: [String] = []) async throws -> (status: Int, body: String) {
        let bearer = ["-H", "Authorization: Bearer \(token)"]
        return try await stage.curl(["-i", "-X", "POST"] + bearer + more + ["http://127.0.0.1:\(port)/run"])
    }

    /// Calls many times, twenty at once, and returns how often each status came.
    func call(_ port: Int, _ token: String, times: Int) async throws -> [String: Int] {
        let quietly = ["-s", "--stderr", "/dev/null", "-o", "/dev/null", "-w", "%{http_code}\n", "--max-time", "60"]
        let call = ["-X", "POST", "-H", "Authorization: Bearer \(token)", "http://127.0.0.1:\(port)/run?[1-\(times)]"]
        let end = try await Program(
            "/usr/bin/curl",
            quietly + ["-Z", "--parallel-max", "20"] + call,
            stage.environment,
            output: stage.directory + "/" + UUID().uuidString
        ).end()
        return end.output.split(separator: "\n").reduce(into: [:]) { $0[String($1), default: 0] += 1 }
    }

    /// Ends these, and looks for what was shown to them in all that they printed: no part of any token is there.
    func end(_ programs: [Program], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await stage.end(programs)
        for program in programs {
            let output = try program.output
            for token in shown.withLock({ $0 }) {
                for part in token.split(separator: ".").dropFirst() where output.contains(part.prefix(24)) {
                    Issue.record("serve printed a token that was shown to it", sourceLocation: sourceLocation)
                }
            }
        }
    }

    /// How often the keys were fetched.
    var fetches: Int { stage.simulator.counters.requests("certs") }

    /// Proves that nobody was listened to: no turn, no run, no request to Google Photos.
    func expectNothingRuns(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(try await stage.number("SELECT count(*) FROM coldroll.turn") == 0, sourceLocation: sourceLocation)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.run") == 0, sourceLocation: sourceLocation)
        #expect(stage.simulator.counters.requests("list") == 0, sourceLocation: sourceLocation)
    }
}

extension Program {
    /// The most bytes of memory that it has had at once.
    var mostMemory: Int {
        get throws {
            // Files of /proc have no size.
            let handle = try #require(FileHandle(forReadingAtPath: "/proc/\(processID)/status"))
            let text = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
            return try #require(text.firstMatch(of: #/VmHWM:\s+(\d+) kB/#).flatMap { Int($0.1) }) * 1024
        }
    }
}
