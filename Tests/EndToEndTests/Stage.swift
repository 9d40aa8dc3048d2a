import Foundation
import GoogleSimulator
import Postgres
import Synchronization
import TestSupport
import Testing

/// A simulated Google, a database, and coldroll's real program to run against them.
final class Stage: Sendable {
    let simulator: Simulator
    let directory: String
    let conninfo: String
    let environment: [String: String]

    /// Starts the simulator as `configure` changes it; `archive` is a URL, nil the simulator's bucket; `beat` is COLDROLL_BEAT.
    init(archive: String? = nil, beat: String = "", _ configure: (inout SimulatorConfiguration) -> Void) throws {
        var configuration = SimulatorConfiguration()
        configuration.hasTLS = true
        configuration.buckets = ["archive", "state"]
        configure(&configuration)
        let simulator = try Simulator.start(configuration)
        let directory = NSTemporaryDirectory() + "coldroll-e2e-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.simulator = simulator
        self.directory = directory
        conninfo = MigratedDatabase.conninfo
        environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "COLDROLL_HOME": directory + "/home",
            "COLDROLL_DATABASE_URL": Self.uri(MigratedDatabase.conninfo),
            "COLDROLL_PHOTOS_ENDPOINT": simulator.url,
            "COLDROLL_PICKER_ENDPOINT": simulator.url,
            "COLDROLL_OAUTH_ENDPOINT": simulator.url,
            "STORAGE_EMULATOR_HOST": simulator.url,
            "SSL_CERT_FILE": try #require(simulator.certificateAuthorityFile),
            "COLDROLL_PHOTOS_CREDENTIALS": simulator.photosCredentialsFile,
            "GOOGLE_APPLICATION_CREDENTIALS": simulator.storageCredentialsFile,
            "COLDROLL_ARCHIVE": archive?.replacing("DIRECTORY", with: directory) ?? "gs://archive",
            "COLDROLL_STATE": "file://" + directory + "/state",
            "COLDROLL_SOURCE": "library",
            "COLDROLL_BEAT": beat,
        ]
        try FileManager.default.createDirectory(atPath: directory + "/state", withIntermediateDirectories: true)
    }

    deinit {
        simulator.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A key/value conninfo as the URI that the setting wants.
    private static func uri(_ conninfo: String) -> String {
        let pairs = conninfo.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        let values = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") })
        let others = values.filter { $0.key != "dbname" }.map { "\($0.key)=\($0.value)" }.sorted()
        return "postgresql:///\(values["dbname"] ?? "")?\(others.joined(separator: "&"))"
    }

    /// Where the programs stand: beside the test bundle.
    static let programs: String = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        var directory = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: directory.appending(path: "coldroll").path),
            directory.path != "/"
        { directory.deleteLastPathComponent() }
        return directory.path
    }()

    /// Starts coldroll without waiting for it.
    func start(_ arguments: String..., changing changes: [String: String] = [:]) throws -> Program {
        try Program(
            Self.programs + "/coldroll",
            arguments,
            environment.merging(changes) { $1 },
            output: directory + "/" + UUID().uuidString
        )
    }

    /// Runs coldroll to its end.
    @discardableResult
    func run(_ arguments: String..., changing changes: [String: String] = [:]) async throws -> Program.End {
        try await run(words: arguments, changing: changes)
    }

    /// The same with words from a table.
    @discardableResult
    func run(words arguments: [String], changing changes: [String: String] = [:]) async throws -> Program.End {
        try await Program(
            Self.programs + "/coldroll",
            arguments,
            environment.merging(changes) { $1 },
            output: directory + "/" + UUID().uuidString
        ).end()
    }

    /// A second way to the database, which `close` cuts: for whoever came by it, the server is away.
    func door() throws -> Door {
        let host = try #require(conninfo.split(separator: " ").first { $0.hasPrefix("host=") }).dropFirst(5)
        let path = directory + "/door"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let socket = "/.s.PGSQL.5432"
        try FileManager.default.createSymbolicLink(atPath: path + socket, withDestinationPath: host + socket)
        let url = try #require(environment["COLDROLL_DATABASE_URL"]).replacing("host=\(host)", with: "host=\(path)")
        return Door(socket: path + socket, url: url)
    }

    struct Door {
        let socket: String
        /// For `COLDROLL_DATABASE_URL`.
        let url: String
    }

    /// Cuts the way, and every connection that the programs have.
    func close(_ door: Door) async throws {
        try FileManager.default.removeItem(atPath: door.socket)
        try await texts(
            """
            SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )
    }

    /// First column of the first row as a number.
    func number(_ sql: String) async throws -> Int64 {
        let connection = try await Connection.connect(conninfo)
        let rows = try await connection.run(Statement("test", sql))
        return try rows.first?.integerOrNil(0) ?? 0
    }

    /// Runs SQL and returns the first column as text.
    @discardableResult
    func texts(_ sql: String) async throws -> [String] {
        let connection = try await Connection.connect(conninfo)
        return try await connection.run(Statement("test", sql)).map { $0.textOrNil(0) ?? "" }
    }

    /// Waits until `condition` holds, looking every 20 ms.
    func until(
        _ what: @autoclosure () async throws -> String,
        _ condition: () async throws -> Bool
    ) async throws {
        // What happens at all happens long before, also on a machine that does ten things at once.
        let end = ContinuousClock.now + .seconds(240)
        while try await !condition() {
            guard ContinuousClock.now < end else {
                let what = try await what()
                throw Missed(what: what)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// What a test waited for in vain.
struct Missed: Error, CustomStringConvertible {
    let what: String

    var description: String { "\(what): did not happen" }
}
