import CloudStorage
import Foundation
import GoogleAuth
import GooglePhotos
import GoogleSimulator
import HTTPClient
import JobQueue
import Logging
import Synchronization
import TestSupport

@testable import Archiver

/// A ledger whose scan is over, a simulated Google, and directories for archive and state.
final class Bench {
    let fixture: QueueFixture
    let simulator: Simulator
    let context: ArchiveContext
    /// Messages that were logged.
    let log = Messages()
    private let http = HTTPClient()
    private let folder: URL

    /// - Parameters:
    ///   - library: files of the library by name; none: one made-up photo.
    ///   - archive: in place of a directory.
    ///   - budget: of bytes for bodies.
    ///   - isLoggedIn: whether requests carry a token, for which Google is asked first.
    ///   - configure: of the simulated Google.
    /// - Throws: what the database, the simulator or the file system refuses.
    init(
        library: [String: [UInt8]] = [:],
        archive: (any ObjectStore)? = nil,
        budget: Int = 32 << 20,
        isLoggedIn: Bool = true,
        _ configure: (inout SimulatorConfiguration) -> Void = { _ in }
    ) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "coldroll-archiver-\(UUID().uuidString)")
        let photos = folder.appending(path: "photos")
        try FileManager.default.createDirectory(at: photos, withIntermediateDirectories: true)
        for (name, bytes) in library { try Data(bytes).write(to: photos.appending(path: name)) }
        var configuration = SimulatorConfiguration()
        if library.isEmpty {
            configuration.synthesis = SynthesisOptions(count: 1, sizes: 5000...9000, videoPercent: 0)
        } else {
            configuration.libraries = [photos.path]
        }
        configure(&configuration)
        simulator = try .start(configuration)
        fixture = try await QueueFixture()
        _ = try await fixture.ledger.finish(fixture.scan, outcome: "complete", reason: nil)
        let tokens =
            isLoggedIn
            ? try TokenSource.file(
                simulator.photosCredentialsFile,
                scope: "",
                tokenEndpoint: simulator.url,
                http: http
            ) : .anonymous
        let directory = try Self.store(folder, "archive", http)
        let state = try Self.store(folder, "state", http)
        try await directory.create()
        try await state.create()
        context = ArchiveContext(
            ledger: fixture.ledger,
            queue: fixture.queue,
            archive: archive ?? directory,
            state: state,
            photos: PhotosClient(http: http, tokens: tokens, endpoint: simulator.url),
            http: http,
            budget: ByteBudget(bytes: budget),
            logger: log.logger,
            account: "default",
            clientID: nil,
            host: "host",
            version: "test",
            listenConninfo: nil
        )
    }

    deinit {
        http.shutdown()
        simulator.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func store(_ folder: URL, _ name: String, _ http: HTTPClient) throws -> any ObjectStore {
        try openStore("file://\(folder.path)/\(name)", http: http, tokens: .anonymous, endpoint: "")
    }

    /// A scan of the simulated library.
    func scan(_ stop: StopSignal = StopSignal()) -> Scan {
        var scan = Scan(
            context: context,
            source: fixture.source,
            since: nil,
            until: nil,
            stop: stop,
            progress: { _ in }
        )
        // However slow the machine is.
        scan.short = .seconds(600)
        return scan
    }

    /// What a worker does its transfers with.
    func transfer(_ worker: Int64) -> Transfer {
        let health = ServiceHealth(breaker: context.breaker)
        return Transfer(
            context: context,
            worker: worker,
            resolver: ItemResolver(source: context.items, cache: context.baseURLs, health: health),
            health: health,
            motion: .auto,
            noteName: { _ in }
        )
    }

    /// How the scans ended that were begun after that of the fixture, the oldest first.
    func outcomes() async throws -> [String] {
        try await fixture.texts(
            "SELECT coalesce(outcome, 'open') FROM coldroll.scan WHERE id > \(fixture.scan.id) ORDER BY id"
        )
    }

    /// Asks until the number is not zero; the suite's time limit ends it.
    func waitUntil(_ query: String) async throws {
        while try await fixture.number(query) == 0 { try await Task.sleep(for: .milliseconds(2)) }
    }
}

/// Remembers what was logged, and lets a test wait for it.
final class Messages: Sendable {
    private let all = Mutex<(told: [String], waiting: [(message: String, CheckedContinuation<Void, Never>)])>(([], []))

    var logger: Logger { Logger(minimum: .debug) { _, message, _ in self.add(message) } }

    func has(_ message: String) -> Bool { all.withLock { $0.told.contains(message) } }

    func wait(for message: String) async {
        await withCheckedContinuation { continuation in
            let isTold = all.withLock { all in
                if all.told.contains(message) { return true }
                all.waiting.append((message, continuation))
                return false
            }
            if isTold { continuation.resume() }
        }
    }

    private func add(_ message: String) {
        let over = all.withLock { all in
            all.told.append(message)
            let over = all.waiting.filter { $0.message == message }
            all.waiting.removeAll { $0.message == message }
            return over
        }
        for (_, continuation) in over { continuation.resume() }
    }
}
