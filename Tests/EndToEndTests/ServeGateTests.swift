import Foundation
import GoogleSimulator
import TestSupport
import Testing

/// Who gets `coldroll serve` to run, tried with curl and with sockets against the real program.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct ServeGateTests {
    private func stage() throws -> Stage {
        try Stage { $0.synthesis = SynthesisOptions(count: 12, sizes: 5_000...20_000, videoPercent: 10) }
    }

    /// Who is known to Google, and is not the caller.
    private static let known: Set<IdentityFault> = [.otherAudience, .otherAccount, .unverifiedEmail]

    /// Requests of one listing: the only page, which as the last is asked for twice; once more where that took long.
    private static let listing = 2

    @Test func `a token that is bad in any way is refused, and a good one makes a run`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        let host = try await stage.serve(changing: Callers.alone)
        for fault in IdentityFault.allCases {
            let answer = try await callers.call(host.port, try callers.token(fault))
            #expect(answer.status == (Self.known.contains(fault) ? 403 : 401), "\(fault): \(answer)")
            #expect(answer.body.contains("WWW-Authenticate: Bearer") == (answer.status == 401), "\(fault): \(answer)")
            // Who is refused learns nothing of what would do.
            for word in ["expire", "issuer", "audience", "archive.example.com", "monthly", "verified", "RS256", "kid"] {
                #expect(!answer.body.contains(word), "\(fault): \(answer)")
            }
        }
        let good = try callers.token()
        for header in [
            "Authorization: \(good)", "Authorization: Basic \(good)", "Authorization: Bearer",
            "X-Authorization: Bearer \(good)",
            "Authorization: Bearer \(good) \(good)", "Authorization: Bearer \(good),", "Cookie: Bearer=\(good)",
        ] {
            let answer = try await stage.curl(["-X", "POST", "-H", header, "http://127.0.0.1:\(host.port)/run"])
            #expect(answer.status == 401, "\(header.prefix(30)): \(answer)")
        }
        let asked = "http://127.0.0.1:\(host.port)/run?access_token=\(good)"
        #expect(try await stage.curl(["-X", "POST", "-d", "access_token=\(good)", asked]).status == 401)
        try await callers.expectNothingRuns()

        let answer = try await callers.call(host.port, good)
        #expect(answer.status == 202 && answer.body.hasSuffix("{\"run\":1,\"joined\":false}\n"), "\(answer)")
        #expect(try await stage.endOfTurn().hasPrefix("0 1 "))
        #expect((Self.listing..<2 * Self.listing).contains(stage.simulator.counters.requests("list")))
        try stage.proveEverythingIsStored()
        // A scheme's name has no case.
        let lower = try await stage.curl([
            "-X", "POST", "-H", "authorization: bearer \(good)", "http://127.0.0.1:\(host.port)/run",
        ])
        #expect(lower.status == 202)
        // The log tells what the callers are not told.
        #expect(try host.program.output.contains("The token has expired."))
        try await callers.end([host.program])
    }

    @Test func `ten good calls at once on three processes list the library once`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        // The run lasts until all calls have come.
        var slow = FaultRule(on: "list", .latency)
        slow.milliseconds = 3_000
        stage.simulator.setFaults([slow])
        var hosts: [(program: Program, port: Int)] = []
        for _ in 0..<3 { hosts.append(try await stage.serve(changing: Callers.alone)) }
        let ports = hosts.map(\.port)
        let answers = try await withThrowingTaskGroup(of: (status: Int, body: String).self) { group in
            for call in 0..<10 {
                let token = try callers.token()
                group.addTask { try await callers.call(ports[call % 3], token) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 202 && $0.body.contains("{\"run\":1,") }, "\(answers)")
        #expect(answers.count { $0.body.contains("\"joined\":false") } == 1, "\(answers)")
        #expect(try await stage.endOfTurn().hasPrefix("0 1 "))
        #expect((Self.listing..<2 * Self.listing).contains(stage.simulator.counters.requests("list")))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.run") == 1)
        #expect(callers.fetches == 3)
        try stage.proveEverythingIsStored()
        try await callers.end(hosts.map(\.program))
    }

    @Test func `a key that changes costs one more fetch, and a hundred unknown ones none`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        let host = try await stage.serve(changing: Callers.alone)
        let old = try callers.token()
        let stranger = try callers.token(.unknownKeyID)
        // The first to come are strangers: all of them together have the keys fetched once.
        let hundred = try await callers.call(host.port, stranger, times: 100)
        #expect(hundred == ["401": 100])
        #expect(callers.fetches == 1)
        try await callers.expectNothingRuns()
        #expect(try await callers.call(host.port, old).status == 202)

        try stage.simulator.rotateIdentityKey()
        let new = try callers.token()
        var statuses: Set<Int> = []
        // Keys are looked for again a minute after they were fetched.
        try await stage.until("the new key is found") {
            try await Task.sleep(for: .seconds(1))
            statuses.insert(try await callers.call(host.port, new).status)
            return statuses.contains(202)
        }
        #expect(statuses.subtracting([202]) == [401])
        #expect(callers.fetches == 2)
        #expect(try await callers.call(host.port, old).status == 202)
        let again = try await callers.call(host.port, stranger, times: 100)
        #expect(again == ["401": 100])
        #expect(callers.fetches == 2)
        try await callers.end([host.program])
    }

    @Test func `while Google's keys are away the answer is 503 and nothing runs`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        let host = try await stage.serve(changing: Callers.alone)
        let good = try callers.token()
        var away = FaultRule(on: "certs", .status)
        away.status = 500
        let silent = FaultRule(on: "certs", .stall)
        for rule in [
            away, FaultRule(on: "certs", .reset), FaultRule(on: "certs", .html), FaultRule(on: "certs", .empty), silent,
        ] {
            stage.simulator.setFaults([rule])
            // Each of them is asked for anew, a few seconds after the one before.
            try await stage.until("the keys are asked for: \(rule.action)") {
                // Without an end of its own this call would fail by the caller's.
                let answer = try await callers.call(host.port, good)
                try #require(
                    answer.status == 503 && answer.body.contains("Retry-After: 10"),
                    "\(rule.action): \(answer)"
                )
                return stage.simulator.faults[0].struck > 0
            }
            // What no key could make good needs none; and the process is alive.
            #expect(try await callers.call(host.port, try callers.token(.algNone)).status == 401)
            #expect(try await stage.curl(["http://127.0.0.1:\(host.port)/healthz"]).status == 200)
        }
        try await callers.expectNothingRuns()

        stage.simulator.setFaults([])
        try await stage.until("the keys are there") { try await callers.call(host.port, good).status == 202 }
        #expect(try await stage.endOfTurn().hasPrefix("0 1 "))
        // What was fetched is good for hours, whether Google answers or not.
        stage.simulator.setFaults([away])
        #expect(try await callers.call(host.port, try callers.token()).status == 202)
        try await callers.end([host.program])
    }

    @Test func `ten megabytes and long heads are refused unread, and cost no memory`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        let host = try await stage.serve(changing: Callers.alone)
        let big = stage.directory + "/big"
        try Data(count: 10_000_000).write(to: URL(filePath: big))
        let good = try callers.token()
        let ways = [
            ["--data-binary", "@\(big)"], ["-H", "Expect:", "--data-binary", "@\(big)"],
            ["-H", "Transfer-Encoding: chunked", "--data-binary", "@\(big)"],
            ["-H", "Transfer-Encoding: chunked", "-H", "Expect:", "--data-binary", "@\(big)"],
            ["-H", "X-Long: " + String(repeating: "x", count: 100_000)],
        ]
        // The first of each makes what is kept for all later ones.
        for way in ways {
            let answer = try await callers.call(host.port, good, way)
            // 0: the connection was closed while curl was still sending.
            #expect([411, 413, 431, 0].contains(answer.status), "\(way[1].prefix(30)): \(answer)")
        }
        let before = try host.program.mostMemory
        try await withThrowingTaskGroup(of: Void.self) { group in
            for call in 0..<30 {
                group.addTask {
                    let answer = try await callers.call(host.port, good, ways[call % ways.count])
                    #expect([411, 413, 431, 0].contains(answer.status), "\(answer)")
                }
            }
            try await group.waitForAll()
        }
        // 240 MB were offered; one body that is kept would be 10 MB.
        #expect(try host.program.mostMemory - before < 8_000_000)
        try await callers.expectNothingRuns()

        // What is allowed is not refused.
        let small = stage.directory + "/small"
        try Data(count: 65_536).write(to: URL(filePath: small))
        #expect(try await callers.call(host.port, good, ["--data-binary", "@\(small)"]).status == 202)
        try await callers.end([host.program])
    }

    @Test func `slow and silent callers are cut off, and keep nobody out for longer than they may last`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        let host = try await stage.serve(changing: Callers.alone)
        let address = "http://127.0.0.1:\(host.port)/healthz"
        let began = ContinuousClock.now
        let slow = [
            // A head, a field of a head, and a body that never end.
            "", "POST /run HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            "POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
        ]
        let clients = try (0..<64).map { number in
            let client = try #require(RawClient(port: UInt16(host.port)))
            client.send(slow[number % 4 < 3 ? number % 4 : 0])
            return client
        }
        // Every fourth says nothing at all; the others a byte each second, so that they are idle at no time.
        let trickle = Task {
            while !Task.isCancelled {
                for (number, client) in clients.enumerated() where number % 4 < 3 { client.send("x") }
                try await Task.sleep(for: .seconds(1))
            }
        }
        let ends = Task {
            await withTaskGroup(of: Bool.self) { group in
                for client in clients { group.addTask { await client.read(for: 60).ended } }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
        }
        var isShutOut = false
        try await stage.until("somebody else is served") {
            let answer = try await stage.curl(["--max-time", "2", address])
            if answer.status != 200 { isShutOut = true }
            return answer.status == 200
        }
        #expect(isShutOut, "more than 64 are served at once")
        #expect(began.duration(to: .now) < .seconds(40), "callers may last 15 seconds")
        #expect(await ends.value == 64)
        #expect(began.duration(to: .now) < .seconds(50))
        trickle.cancel()
        #expect(try await callers.call(host.port, try callers.token()).status == 202)
        try await callers.end([host.program])
    }
    @Test func `nobody who is connected keeps a process from ending`() async throws {
        let stage = try stage()
        let callers = Callers(stage)
        let host = try await stage.serve(changing: Callers.alone)
        stage.simulator.setFaults([FaultRule(on: "certs", .stall)])
        let idle = try (0..<20).map { _ in try #require(RawClient(port: UInt16(host.port))) }
        let token = try callers.token()
        let waiting = Task { try await callers.call(host.port, token) }
        try await stage.until("the call waits for Google's keys") { callers.fetches > 0 }
        let began = ContinuousClock.now
        try await callers.end([host.program])
        #expect(began.duration(to: .now) < .seconds(5))
        #expect([503, 0].contains(try await waiting.value.status))
        withExtendedLifetime(idle) {}
    }
}
