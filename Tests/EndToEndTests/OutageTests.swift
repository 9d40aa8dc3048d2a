import Foundation
import GoogleSimulator
import Postgres
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct OutageTests {
    /// A service, the operations by which the simulator knows it, and the most requests of one neutral try.
    private static let services: [(name: String, operations: [String], most: Int)] = [
        ("media", ["download", "downloadVideo", "redirectTarget"], 4),
        ("library", ["list", "search", "get", "batchGet"], 1),
        ("storage", ["uploadMultipart", "uploadStart", "uploadData", "objectGet", "objectList", "bucketGet"], 1),
    ]

    private func stage(_ count: Int) throws -> Stage {
        try Stage { $0.synthesis = SynthesisOptions(count: count, sizes: 20_000...60_000, videoPercent: 10) }
    }

    private func requests(_ stage: Stage, _ operations: [String]) -> Int {
        operations.reduce(0) { $0 + stage.simulator.counters.requests($1) }
    }

    /// Waits until no request came for some seconds: what was under way has been given up.
    private func settled(_ stage: Stage, _ operations: [String]) async throws {
        var (last, since) = (-1, ContinuousClock.now)
        try await stage.until("the requests that were under way end") {
            let now = requests(stage, operations)
            if now != last { (last, since) = (now, .now) }
            return since.duration(to: .now) > .seconds(8)
        }
    }

    @Test(.serialized, arguments: ["media", "library", "storage"])
    func `a service away for longer than a lease costs no attempt and few requests, and full speed comes back`(
        _ name: String
    ) async throws {
        let service = try #require(Self.services.first { $0.name == name })
        let stage = try stage(900)
        #expect(try await stage.run("scan").status == 0)
        // Slow enough that the outage meets them at work.
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 400
        stage.simulator.setFaults([slow])
        let workers = try (0..<3).map { _ in try stage.start("work", "--drain", "--slots", "4") }
        try await stage.until("the first objects") {
            try await stage.number("SELECT count(*) FROM coldroll.object") >= 60
        }
        let outage = FaultRule(on: service.operations.joined(separator: ","), .status)
        stage.simulator.setFaults([outage, slow])
        if name == "library" {
            // Base URLs that are known would last for a while.
            stage.simulator.expireBaseURLs()
        }
        let jobs = "SELECT concat_ws(' ', state, count(*)) FROM coldroll.job GROUP BY state"
        try await stage.until(
            "the breaker opens (jobs: \(try await stage.texts(jobs)), failed requests: \(stage.simulator.faults[0].struck))"
        ) {
            try await stage.number("SELECT count(*) FROM coldroll.breaker WHERE since IS NOT NULL") >= 1
        }
        try await settled(stage, service.operations)
        let status = try await stage.run("status")
        #expect(status.output.contains("outage ") && status.output.contains("next try in"), "\(status.output)")
        let json = try await stage.run("status", "--json")
        #expect(json.output.contains("\"service\":\"\(name)\""), "\(json.output)")
        let before = requests(stage, service.operations)
        let began = ContinuousClock.now
        try await Task.sleep(for: .seconds(36))
        let sent = requests(stage, service.operations) - before
        let probes = Int(began.duration(to: .now) / .seconds(15)) + 1
        #expect(sent >= 1, "nobody tried the service")
        #expect(sent <= probes * service.most, "\(sent) requests in \(probes) intervals")
        #expect(stage.simulator.faults[0].struck >= sent)
        #expect(try await stage.number("SELECT coalesce(max(attempt), 0)::bigint FROM coldroll.job") == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.worker WHERE state = 'alive'") == 3)

        stage.simulator.setFaults([slow])
        let ended = ContinuousClock.now
        let stored = try await stage.number("SELECT count(*) FROM coldroll.object")
        try await stage.until("all slots are at work again") {
            if try await stage.number("SELECT sum(busy)::bigint FROM coldroll.worker") == 12 { return true }
            return try await stage.number("SELECT count(*) FROM coldroll.object") >= stored + 120
        }
        #expect(ended.duration(to: .now) < .seconds(45))
        for worker in workers {
            let end = try await worker.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.breaker WHERE since IS NOT NULL") == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a database that takes no writes, as after a failover, is waited for, and no part is blamed`()
        async throws
    {
        let stage = try stage(200)
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 300
        stage.simulator.setFaults([slow])
        let run = try stage.start("run", "--slots", "4")
        try await stage.until("the first objects") {
            try await stage.number("SELECT count(*) FROM coldroll.object") >= 20
        }
        let database = try await stage.texts("SELECT current_database()")[0]
        let writable = stage.conninfo + " options=-cdefault_transaction_read_only=off"
        func order(_ sql: String) async throws {
            let connection = try await Connection.connect(writable)
            _ = try await connection.run(Statement("test", sql))
            await connection.close()
        }
        try await order("ALTER DATABASE \(database) SET default_transaction_read_only = on")
        try await stage.texts(
            """
            SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )
        try await stage.until("it is told that nothing can be written: \(try run.output)") {
            try run.output.contains("read-only transaction")
        }
        let before = try await stage.number("SELECT count(*) FROM coldroll.object")
        try await Task.sleep(for: .seconds(10))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == before)
        try await order("ALTER DATABASE \(database) RESET default_transaction_read_only")
        let end = try await run.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a bucket whose port is closed is waited for, by a scan and workers of one run too`() async throws {
        let stage = try stage(300)
        let relay = try await Relay(stage)
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 300
        stage.simulator.setFaults([slow])
        let run = try stage.start("run", "--slots", "4", changing: ["STORAGE_EMULATOR_HOST": relay.url])
        try await stage.until("the first objects") {
            try await stage.number("SELECT count(*) FROM coldroll.object") >= 20
        }
        try await relay.cut()
        try await stage.until("the breaker opens") {
            try await stage.number("SELECT count(*) FROM coldroll.breaker WHERE since IS NOT NULL") == 1
        }
        try await Task.sleep(for: .seconds(10))
        try await stage.until("the line of progress says what is waited for: \(try run.output)") {
            try run.output.contains(#""waits":"The archive has been away for "#)
        }
        #expect(try await stage.number("SELECT coalesce(max(attempt), 0)::bigint FROM coldroll.job") == 0)
        try await relay.heal()
        let end = try await run.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
        try await relay.cut()
    }

    @Test func `a worker that alone is cut off from the bucket stops alone, and the others do its work`() async throws {
        let stage = try stage(700)
        let relay = try await Relay(stage)
        #expect(try await stage.run("scan").status == 0)
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 300
        stage.simulator.setFaults([slow])
        let cut = try stage.start("work", "--slots", "4", changing: ["STORAGE_EMULATOR_HOST": relay.url])
        let sound = try stage.start("work", "--drain", "--slots", "4")
        try await stage.until("both have stored something") {
            try await stage.number("SELECT count(DISTINCT worker_id) FROM coldroll.object") == 2
        }
        try await relay.cut()
        let end = try await sound.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
        cut.signal(SIGTERM)
        let last = try await cut.end()
        #expect(last.output.contains("service is away"), "the cut was not noticed: \(last.output)")
    }
}

/// A TCP relay in front of the simulator, as a process of its own: cut, its port refuses connections.
private final class Relay: Sendable {
    private let stage: Stage
    private let port: HeldPort
    private let process: LockedProgram
    let url: String

    private static let script = """
        import asyncio, sys
        async def pump(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            except OSError:
                pass
            writer.close()
        async def accept(reader, writer):
            try:
                there = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
            except OSError:
                return writer.close()
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
        async def main():
            server = await asyncio.start_server(accept, "127.0.0.1", int(sys.argv[1]), reuse_address=True)
            open(sys.argv[3], "w").close()
            await server.serve_forever()
        asyncio.run(main())
        """

    init(_ stage: Stage) async throws {
        self.stage = stage
        port = try HeldPort()
        process = LockedProgram(try Self.start(stage, port))
        url = "https://localhost:\(port.number)"
        try await isListening()
    }

    private static func start(_ stage: Stage, _ port: HeldPort) throws -> Program {
        let target = try #require(stage.simulator.url.split(separator: ":").last)
        return try Program(
            "/usr/bin/env",
            ["python3", "-c", script, String(port.number), String(target), stage.directory + "/relay-listens"],
            stage.environment,
            output: stage.directory + "/" + UUID().uuidString
        )
    }

    func cut() async throws {
        process.value.signal(SIGKILL)
        _ = try await process.value.end()
    }

    func heal() async throws {
        try FileManager.default.removeItem(atPath: stage.directory + "/relay-listens")
        process.set(try Self.start(stage, port))
        try await isListening()
    }

    private func isListening() async throws {
        try await stage.until("the relay listens") {
            FileManager.default.fileExists(atPath: stage.directory + "/relay-listens")
        }
    }
}

/// A free port of 127.0.0.1, bound but not listened on.
///
/// Connections to it are refused, nobody else is given it, and
/// whoever names it with SO_REUSEADDR may listen: between a cut and its end, no other test can take it.
private final class HeldPort: Sendable {
    let number: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { socket in
                bind(descriptor, socket, size) == 0 && getsockname(descriptor, socket, &size) == 0
            }
        }
        try #require(isBound)
        number = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}

/// The relay's present process.
private final class LockedProgram: Sendable {
    private let program: Mutex<Program>
    init(_ program: Program) { self.program = Mutex(program) }
    var value: Program { program.withLock { $0 } }
    func set(_ value: Program) { program.withLock { $0 = value } }
}
