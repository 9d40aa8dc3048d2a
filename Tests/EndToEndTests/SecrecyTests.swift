import Foundation
import GoogleSimulator
import Synchronization
import TestSupport
import Testing

/// What others on the machine can see of a process that knows secrets.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct SecrecyTests {
    private func stage() throws -> Stage {
        try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: 60, sizes: 5_000...20_000, videoPercent: 10)
            configuration.photosLatency = 0.05
        }
    }

    private func text(_ path: String) -> String {
        // Of /proc, whose files have no size.
        let handle = FileHandle(forReadingAtPath: path)
        return String(decoding: (try? handle?.readToEnd()) ?? Data(), as: UTF8.self)
    }

    /// Command lines of a process and of all that it started.
    private func commandLines(_ root: pid_t) throws -> [String] {
        var parents: [pid_t: pid_t] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let id = pid_t(name) else { continue }
            // Behind the name in parentheses: state, then the parent.
            let words = text("/proc/\(id)/stat").split(separator: ")").last?.split(separator: " ") ?? []
            parents[id] = words.count > 1 ? pid_t(words[1]) : nil
        }
        let family = parents.keys.filter { id in
            var next: pid_t? = id
            while let one = next, one != root { next = parents[one] }
            return next == root
        }
        return family.map { text("/proc/\($0)/cmdline") }
    }

    @Test func `a process shows no secret in its arguments, its output or the server's list, and leaves no core`()
        async throws
    {
        let stage = try stage()
        let password = "hunter2-" + UUID().uuidString
        let scan = try await stage.run("scan")
        #expect(scan.status == 0, "\(scan.output)")
        // A worker that stays when all is done, so that it is there to be looked at.
        let program = try stage.start(
            "work",
            changing: ["COLDROLL_DATABASE_URL": stage.shared + "&password=" + password]
        )
        try await stage.until("it works") { try await stage.number("SELECT count(*) FROM coldroll.object") > 3 }
        let lines = try commandLines(program.processID)
        let seen = try await stage.texts(
            "SELECT concat_ws(' ', usename, application_name, query) FROM pg_stat_activity WHERE datname = current_database()"
        )
        let limit = text("/proc/\(program.processID)/limits").split(separator: "\n").first {
            $0.hasPrefix("Max core file size")
        }
        program.signal(SIGTERM)
        let end = try await program.end()
        #expect(end.status == 130, "\(end.output)")
        #expect(lines.contains { $0.contains("coldroll") } && seen.count > 1)
        for text in lines + seen + [end.output] {
            #expect(!text.contains(password))
            #expect(SecretPatterns.found(in: text).isEmpty)
        }
        #expect(limit?.split(separator: " ").dropFirst(4).first == "0", "\(limit ?? "no limit")")
    }

    @Test func `a browser learns the link, and nothing of the settings`() async throws {
        let stage = try stage()
        let (browser, seen) = (stage.directory + "/browser", stage.directory + "/seen")
        try "#!/bin/sh\n(echo \"$*\"; env) > \(seen).new && mv \(seen).new \(seen)\n"
            .write(toFile: browser, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: browser)
        let program = try stage.startLogin(
            ["--client", stage.simulator.clientFile],
            changing: [
                "BROWSER": browser, "PGPASSWORD": "hunter2", "OF_THE_DESKTOP": "stays",
                "COLDROLL_DATABASE_URL": stage.shared + "&password=hunter2",
            ]
        )
        let link = try await stage.link(of: program)
        try await stage.until("the browser has started") { FileManager.default.fileExists(atPath: seen) }
        program.signal(SIGTERM)
        _ = try await program.end()
        let lines = try String(contentsOfFile: seen, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines.first == link)
        #expect(lines.contains("OF_THE_DESKTOP=stays"))
        #expect(!lines.contains { $0.hasPrefix("COLDROLL_") || $0.hasPrefix("PG") || $0.contains("hunter2") })
        #expect(SecretPatterns.found(in: lines.joined(separator: "\n")).isEmpty)
    }

    @Test(
        "a secret that a program prints fails its test by its name, whether the test waits for the end or not",
        arguments: [
            ("an access token", "ya29."), ("a refresh token", "1//0"), ("an authorization code", "4/0A"),
            ("an OAuth client's secret", "GOCSPX-"), ("the way to an upload", "https://host/o?upload_id="),
            ("an Authorization header", "Authorization: Bearer "), ("a base URL", "https://127.0.0.1:1/lr/"),
            ("a base URL of Google's", "https://lh3.googleusercontent.com/"),
            ("a private key", "-----BEGIN RSA |PRIVATE KEY "),
            ("the key of the logins", "coldroll-key-1 "), ("a signed token (JWT)", "eyJhbGciOiJSUzI1NiJ9|.eyJ"),
        ]
    )
    func secretsAreFound(_ name: String, _ start: String) async throws {
        let stage = try stage()
        // The log of the tests shows the arguments as they stand, and is searched as well.
        let text = start.replacing("|", with: "") + String(repeating: "a", count: 43)
        for waits in [true, false] {
            let found = Mutex<[String]>([])
            do {
                let program = try Program("/bin/echo", [text], [:], output: stage.directory + "/\(waits)") { name in
                    found.withLock { $0.append(name) }
                }
                if waits {
                    _ = try await program.end()
                } else {
                    try await stage.until("it has printed") { try !program.output.isEmpty }
                }
            }
            #expect(found.withLock { $0 } == [name])
        }
    }
}
