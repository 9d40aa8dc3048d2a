import Foundation
import GoogleSimulator
import HTTPClient
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Stage {
    /// For the owner's picker in place of the library.
    var byPicker: [String: String] {
        ["COLDROLL_SOURCE": "picker", "COLDROLL_PHOTOS_CREDENTIALS": simulator.pickerCredentialsFile]
    }

    /// Waits until a process shows the page of a session, as a line of its log; the link.
    func link(shownBy program: Program) async throws -> String {
        func found() throws -> String? {
            for line in try program.output.split(separator: "\n") {
                let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                if let link = event?["link"] as? String { return link }
            }
            return nil
        }
        try await until("the link is shown: \(try program.output)") { try found() != nil }
        return try #require(try found())
    }

    /// Starts a run, and picks as soon as it shows its page; the end of it.
    func runPicking(_ wanted: String, changing changes: [String: String] = [:]) async throws -> Program.End {
        let program = try start("run", changing: byPicker.merging(changes) { $1 })
        _ = try await link(shownBy: program)
        try simulator.pick(json: wanted)
        return try await program.end()
    }

    /// Starts a command at a terminal of its own for both streams (util-linux).
    func startAtTerminal(_ command: String) throws -> Program {
        try Program(
            "/usr/bin/script",
            [
                "--quiet", "--return", "--echo", "never", "--command", "exec \(Stage.programs)/coldroll \(command)",
                "/dev/null",
            ],
            environment.merging(byPicker) { $1 }.merging(["TERM": "xterm", "COLUMNS": "200"]) { $1 },
            output: directory + "/terminal",
            reads: true
        )
    }

    /// A scan of what was picked that stands still behind its second page.
    func scanInTheMiddle() async throws -> Program {
        var late = FaultRule(on: "pickerList", .latency)
        late.milliseconds = 3_000
        late.after = 2
        simulator.setFaults([late])
        let scan = try start("scan", changing: byPicker)
        _ = try await link(shownBy: scan)
        try simulator.pick(json: #"{"all":true}"#)
        try await until("two pages") { try await number("SELECT count(*) FROM coldroll.item") >= 200 }
        return scan
    }

    /// Works until so much is stored, and is killed before it looks at sessions.
    func storeOnly(_ count: Int64) async throws {
        let worker = try start("work", changing: byPicker)
        try await until("all that is queued") {
            try await number("SELECT count(*) FROM coldroll.object") == count
        }
        worker.signal(SIGKILL)
        _ = try await worker.end()
    }

    /// Sets the simulator up, as `POST /control/…` does.
    func control(_ path: String, json: String) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthorities = simulator.certificateAuthorityFile
        let http = HTTPClient(configuration)
        defer { http.shutdown() }
        let request = HTTPRequest("POST", simulator.url + "/control/" + path, body: .bytes(Array(json.utf8)))
        let answer = try await http.send(request, limit: 1 << 20)
        try #require((200...299).contains(answer.status), "\(String(decoding: answer.body, as: UTF8.self))")
    }

    /// All that was picked is in the bucket, once and byte by byte, and Google's sessions are deleted.
    func provePickedIsStored(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try proveEverythingIsStored(id: \.pickerID, sourceLocation: sourceLocation)
        #expect(simulator.pickerSessionCount == 0, sourceLocation: sourceLocation)
    }
}
