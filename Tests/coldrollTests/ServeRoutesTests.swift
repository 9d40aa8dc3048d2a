import Dispatch
import Foundation
import GoogleAuth
import HTTPClient
import HTTPServer
import JobQueue
import Logging
import Synchronization
import TestSupport
import Testing

@testable import coldroll

/// The addresses of `serve`, over a real connection each.
@Suite(.timeLimit(.minutes(5))) struct ServeRoutesTests {
    private static let secret = "correct-horse-battery-staple"

    private final class Bench: Sendable {
        let http = HTTPClient()
        let asked = Atomic(0)
        let logged = Mutex<[String]>([])
        let isBroken = Atomic(false)
        private let running = Mutex<HTTPServer?>(nil)

        /// Seconds that each step of a call takes.
        private let slowness: Double

        init(
            hasSecret: Bool = true,
            lifetime: Duration = .seconds(15),
            patience: Duration = .seconds(10),
            slowness: Double = 0
        ) throws {
            self.slowness = slowness
            let path = NSTemporaryDirectory() + "secret-" + UUID().uuidString
            try Data((secret + "\n").utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let gate = Gate(verifier: nil, secret: hasSecret ? try SharedSecret(file: path) : nil)
            let routes = ServeRoutes(
                judge: { [self] shown in
                    await slowly()
                    return await gate.judge(shown)
                },
                logger: Logger { [self] _, message, fields in
                    logged.withLock { $0.append(message + fields.map { "\($0.key) \($0.value)" }.joined()) }
                },
                ask: { [self] in
                    await slowly()
                    if isBroken.load(ordering: .relaxed) { throw CancellationError() }
                    return (7, asked.add(1, ordering: .relaxed).newValue > 1)
                },
                unready: { [self] in isBroken.load(ordering: .relaxed) ? Readiness.foreign : nil },
                metrics: { [self] in
                    if isBroken.load(ordering: .relaxed) { throw CancellationError() }
                    return "coldroll_workers 1\n"
                },
                closing: StopSignal(),
                patience: patience
            )
            let server = try HTTPServer(connectionLimit: 16, memory: 64 << 10, lifetime: lifetime) {
                routes.receive($0)
            }
            running.withLock { $0 = server }
        }

        private func slowly() async {
            if slowness > 0 { try? await Task.sleep(for: .seconds(slowness)) }
        }

        var port: UInt16 { running.withLock { $0?.port ?? 0 } }
        var runs: Int { asked.load(ordering: .relaxed) }

        func send(
            _ method: String,
            _ path: String,
            _ fields: [(String, String)] = [],
            body: [UInt8]? = nil
        ) async throws -> HTTPResponse {
            try await http.send(
                HTTPRequest(
                    method,
                    "http://127.0.0.1:\(port)\(path)",
                    headers: fields.map { HTTPField($0.0, $0.1) },
                    body: body.map { .bytes($0) } ?? .none
                )
            )
        }

        func run(_ authorization: String?, body: [UInt8]? = []) async throws -> HTTPResponse {
            try await send("POST", "/run", authorization.map { [("Authorization", $0)] } ?? [], body: body)
        }

        func stop() { running.withLock { $0?.stop() } }
    }

    private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func `who shows the secret is answered the run's number`() async throws {
        let bench = try Bench()
        let first = try await bench.run("Bearer \(Self.secret)")
        #expect(first.status == 202 && text(first) == "{\"run\":7,\"joined\":false}\n")
        #expect(first.head.header("Content-Type") == "application/json")
        #expect(first.head.header("Connection")?.lowercased() == "close")
        let second = try await bench.run("bearer  \(Self.secret)", body: Array(repeating: 0x78, count: 60_000))
        #expect(second.status == 202 && text(second) == "{\"run\":7,\"joined\":true}\n")
        #expect(bench.runs == 2)
        bench.stop()
    }

    @Test func `who shows nothing, or something else, asks for no run and is not told why`() async throws {
        let bench = try Bench()
        for shown in [
            nil, "", "Bearer", "Bearer ", "Bearer x", "Basic \(Self.secret)", Self.secret, "Bearer \(Self.secret) x",
            "Bearer \(Self.secret)x", "Bearer \(Self.secret.dropLast())", "Bearer \(Self.secret.uppercased())",
        ] {
            let answer = try await bench.run(shown)
            #expect(answer.status == 401, "\(shown ?? "nothing")")
            #expect(answer.head.header("WWW-Authenticate") == "Bearer")
            #expect(text(answer) == "Who calls must show a bearer token that is good now.\n")
        }
        #expect(bench.runs == 0)
        // One line a second at most, and nothing of what was shown.
        let logged = bench.logged.withLock { $0 }
        #expect(!logged.isEmpty && logged.count < 11)
        #expect(!logged.joined().contains("correct"))
        bench.stop()
    }

    @Test func `where nobody is allowed, the answer says what to set`() async throws {
        let bench = try Bench(hasSecret: false)
        let answer = try await bench.run("Bearer \(Self.secret)")
        #expect(answer.status == 403 && text(answer).contains("COLDROLL_SERVE_SECRET_FILE"))
        #expect(bench.runs == 0)
        bench.stop()
    }

    @Test func `what does not exist is not there, and what exists takes its own methods only`() async throws {
        let bench = try Bench()
        for (method, path, status) in [
            ("GET", "/healthz", 200), ("HEAD", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200),
            ("GET", "/run", 405), ("PUT", "/run", 405), ("POST", "/metrics", 405), ("DELETE", "/healthz", 405),
            ("GET", "/", 404), ("GET", "/run/", 404), ("POST", "/Run", 404), ("GET", "/%72un", 404),
            ("GET", "/healthz?x=1", 200),
        ] {
            let answer = try await bench.send(method, path)
            #expect(answer.status == status, "\(method) \(path)")
            if status == 405 { #expect(answer.head.header("Allow") != nil) }
        }
        let metrics = try await bench.send("GET", "/metrics")
        #expect(metrics.head.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(bench.runs == 0)
        bench.stop()
    }

    @Test func `without a database it lives, is not ready, and takes no call`() async throws {
        let bench = try Bench()
        bench.isBroken.store(true, ordering: .relaxed)
        #expect(try await bench.send("GET", "/healthz").status == 200)
        let ready = try await bench.send("GET", "/readyz")
        #expect(ready.status == 503 && text(ready) == Readiness.foreign + "\n")
        #expect(try await bench.send("GET", "/metrics").status == 503)
        let run = try await bench.run("Bearer \(Self.secret)")
        #expect(run.status == 503 && run.head.header("Retry-After") == "10")
        bench.stop()
    }

    @Test func `heads and bodies that are too long are refused before they are read`() async throws {
        let bench = try Bench()
        let head = "POST /run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(Self.secret)\r\n"
        // Nothing of these bodies is ever sent.
        for (fields, status) in [
            ("Content-Length: 10000000\r\n", 413), ("Content-Length: 65537\r\n", 413),
            ("Content-Length: 99999999999999999999\r\n", 413),
            ("Content-Length: 10000000\r\nExpect: 100-continue\r\n", 413),
            ("Transfer-Encoding: chunked\r\n", 411), ("X-Long: \(String(repeating: "x", count: 17_000))\r\n", 431),
            ("X-Longer: \(String(repeating: "x", count: 500_000))\r\n", 431),
        ] {
            let client = try #require(RawClient(port: bench.port))
            client.send(head + fields + "\r\n")
            let answer = await client.read(for: 10)
            #expect(
                answer.text.hasPrefix("HTTP/1.1 \(status) ")
                    || (status != 411 && answer.text.isEmpty && fields.count > 100_000),
                "\(status): \(answer.text.prefix(80))"
            )
            #expect(answer.ended)
        }
        let big = try? await bench.run("Bearer \(Self.secret)", body: [UInt8](repeating: 0x78, count: 10_000_000))
        #expect(big == nil || big?.status == 413)
        #expect(bench.runs == 0)
        #expect(try await bench.send("GET", "/healthz").status == 200)
        bench.stop()
    }

    @Test func `clients that are slow, or say nothing, are cut off and keep nobody out`() async throws {
        let bench = try Bench(lifetime: .seconds(2))
        // All connections there are: silent, in the middle of a head, in the middle of a body.
        let parts = ["", "GET /hea", "POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"]
        let clients = try (0..<16).map { number in
            let client = try #require(RawClient(port: bench.port))
            client.send(parts[number % parts.count])
            return client
        }
        // One that sends something all the time is idle at no time.
        let trickle = Task {
            for _ in 0..<40 {
                try await Task.sleep(for: .milliseconds(100))
                clients[1].send("x")
            }
        }
        let ended = await withTaskGroup(of: Bool.self) { group in
            for client in clients { group.addTask { await client.read(for: 8).ended } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ended == clients.count)
        trickle.cancel()
        // The server counts a connection as closed a moment after its peer sees the end.
        var status: Int?
        for _ in 0..<100 where status != 200 {
            status = try? await bench.send("GET", "/healthz").status
            if status != 200 { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(status == 200)
        #expect(bench.runs == 0)
        bench.stop()
    }

    @Test func `all that a call waits for has one time, in which it is answered`() async throws {
        let bench = try Bench(patience: .seconds(2), slowness: 1.5)
        let began = ContinuousClock.now
        let answer = try await bench.run("Bearer \(Self.secret)")
        #expect(answer.status == 503 && answer.head.header("Retry-After") == "10")
        #expect(began.duration(to: .now) < .seconds(2.9))
        bench.stop()
    }

    @Test func `servers that wait for their threads keep none from whoever must end what these wait for`() async throws
    {
        let inside = Atomic(0)
        let door = DispatchSemaphore(value: 0)
        let servers = try (0..<24).map { _ in
            try HTTPServer { _ in
                inside.add(1, ordering: .relaxed)
                _ = door.wait(timeout: .now() + .seconds(20))
                return .answer(ServerAnswer(200))
            }
        }
        let clients = try servers.map { try #require(RawClient(port: $0.port)) }
        for client in clients { client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
        while inside.load(ordering: .relaxed) < servers.count { try await Task.sleep(for: .milliseconds(10)) }
        let began = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { await server.stopped() } }
            group.addTask { for _ in servers { door.signal() } }
        }
        #expect(began.duration(to: .now) < .seconds(10))
        withExtendedLifetime(clients) {}
    }
}
