import Foundation
import Logging
import Postgres
import PrivatePostgres
import Synchronization
import Testing

/// A home for one test, in a directory that the server's user may pass through.
final class Home: Sendable {
    /// The test's own directory; the home is in it.
    let directory: String
    let path: String
    private let log = Mutex<[String]>([])
    /// Messages that were logged.
    var messages: [String] { log.withLock { $0 } }

    private init(_ name: String) throws {
        var template = Array("/tmp/coldroll-home-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(directory, 0o711)
        path = directory + "/" + name
    }

    /// Runs a test in a home, and leaves neither a server nor a file behind.
    static func with(_ name: String = "home", _ body: (Home) async throws -> Void) async throws {
        let home = try Home(name)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(home))
        } catch {
            result = .failure(error)
        }
        // SIGQUIT: immediate shutdown (postgres(1)).
        if let postmaster = try? home.postmaster() { kill(postmaster, SIGQUIT) }
        // It removes files of its own meanwhile.
        for _ in 0..<100 where FileManager.default.fileExists(atPath: home.directory) {
            do {
                try FileManager.default.removeItem(atPath: home.directory)
            } catch {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(!FileManager.default.fileExists(atPath: home.directory))
        try result.get()
    }

    var logger: Logger {
        Logger { [self] _, message, _ in log.withLock { $0.append(message) } }
    }

    func open() async throws -> PrivatePostgres {
        try await PrivatePostgres.open(home: path, logger: logger)
    }

    /// What opening the home is refused with.
    func refusal() async throws -> String {
        let error = await #expect(throws: PrivatePostgresError.self) { try await self.open() }
        return try #require(error).message
    }

    func file(_ name: String) -> String { path + "/postgresql/" + name }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// Process number of the running server.
    func postmaster() throws -> pid_t {
        let text = try String(contentsOfFile: file("data/postmaster.pid"), encoding: .utf8)
        return try #require(text.split(separator: "\n").first.flatMap { pid_t($0) })
    }

    /// Runs SQL as the owner and gives back the first column of the first row.
    @discardableResult func query(_ server: PrivatePostgres, _ sql: String) async throws -> String? {
        let connection = try await Connection.connect(server.conninfo)
        let text = try await connection.run(Statement("test.query", sql)).first?.textOrNil(0)
        await connection.close()
        return text
    }
}

/// Another process that uses the private PostgreSQL of a home.
final class Member: Sendable {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ home: Home) throws {
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = [home.path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Returns once it has opened the server.
    func opened() async throws {
        let line = await blocking { String(decoding: self.output.fileHandleForReading.availableData, as: UTF8.self) }
        #expect(line == "open\n")
    }

    /// Lets it leave in good order.
    func leave() async throws {
        try input.fileHandleForWriting.close()
        await blocking { self.process.waitUntilExit() }
        #expect(process.terminationStatus == 0)
    }

    func killed() async {
        kill(process.processIdentifier, SIGKILL)
        await blocking { self.process.waitUntilExit() }
    }

    private func blocking<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "member").async { continuation.resume(returning: body()) }
        }
    }

    /// Beside the test bundle, where SwiftPM puts every product.
    private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("private-postgres-member").path
}
