import CloudStorage
import Foundation
import HTTPClient
import Synchronization
import Testing

/// A store to test, something to download from, and the two tied together.
struct Bench: Sendable {
    let store: any ObjectStore
    let http: HTTPClient
    let origin: Origin
    let budget = ByteBudget(bytes: 8 << 20)

    init(store: any ObjectStore, http: HTTPClient) throws {
        self.store = store
        self.http = http
        origin = try Origin()
    }

    /// What a put told its caller on the way.
    final class Record: Sendable {
        let sessions = Mutex<[UploadSession]>([])
        let confirmed = Mutex<[Int64]>([])
        let accepted = Mutex(0)
        var acceptances: Int { accepted.withLock { $0 } }
        var session: UploadSession? { sessions.withLock { $0.last } }
    }

    struct Refused: Error, Equatable {}

    func buffer(_ allowance: Int = 384 << 10) async throws -> BodyBuffer {
        try await BodyBuffer(budget: budget, allowance: allowance)
    }

    /// Downloads and stores a body in one go.
    func put(
        _ object: NewObject,
        _ body: Origin.Body,
        session: UploadSession? = nil,
        record: Record = Record(),
        accept: @Sendable () async throws -> Void = {}
    ) async throws -> PutOutcome {
        let buffer = try await buffer()
        try await origin.download(body, with: http, into: buffer)
        defer { buffer.abandon() }
        return try await store.put(
            object,
            from: buffer,
            length: body.isChunked ? nil : body.count,
            session: session,
            began: { session in record.sessions.withLock { $0.append(session) } },
            confirmed: { count in record.confirmed.withLock { $0.append(count) } },
            accept: {
                record.accepted.withLock { $0 += 1 }
                try await accept()
            }
        )
    }

    /// Stores bytes that are in memory.
    func put(_ object: NewObject, _ bytes: [UInt8]) async throws -> PutOutcome {
        try await store.put(
            object,
            from: BodyBuffer(ended: bytes),
            length: Int64(bytes.count),
            session: nil,
            began: { _ in },
            confirmed: { _ in },
            accept: {}
        )
    }

    /// Stores an object of one byte under each name.
    ///
    /// Some at a time: Foundation's `Process` reads the names in /proc/self/fd past the end of their buffer in a process
    /// that has over 1,300 descriptors (swift-corelibs-foundation, findMaximumOpenFromProcSelfFD), and suites run side by
    /// side in one.
    func putEach(of names: [String]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, name) in names.enumerated() {
                if index >= 32 { try await group.next() }
                group.addTask { _ = try await put(NewObject(name), [UInt8(name.utf8.count)]) }
            }
            try await group.waitForAll()
        }
    }

    /// Every object of the store.
    func all(prefix: String = "") async throws -> [StoredObject] {
        var objects: [StoredObject] = []
        var token: String?
        repeat {
            let page = try await store.list(prefix: prefix, pageToken: token)
            objects += page.objects
            token = page.nextPageToken
        } while token != nil
        return objects
    }
}

extension NewObject {
    /// An object with an identity, as coldroll makes them.
    init(_ name: String, identity: String = "one", customTime: String? = "2019-07-14T16:03:21.25Z") {
        self.init(
            name: name,
            contentType: "image/jpeg",
            metadata: ["coldroll-item": identity, "coldroll-name": "Größe 📷.jpg"],
            customTime: customTime
        )
    }
}

extension PutOutcome {
    var created: StoredObject? { if case .created(let object) = self { object } else { nil } }
    var existing: StoredObject? { if case .exists(let object) = self { object } else { nil } }
}

/// A folder that is removed with its last holder.
final class Folder: Sendable {
    let path: String
    var url: String { "file://" + path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)! }

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/coldroll-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A body as expectations see it: compared byte by byte, shown by its size.
struct Bytes: Equatable, CustomStringConvertible, CustomTestStringConvertible {
    let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    var description: String { "\(bytes.count) bytes" }
    var testDescription: String { description }
}
