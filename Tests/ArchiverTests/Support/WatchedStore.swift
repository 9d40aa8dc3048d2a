import CloudStorage
import HTTPClient
import Synchronization

/// A store that lets a test act between its steps.
final class WatchedStore: ObjectStore {
    enum Step: Sendable {
        /// Something was read, and is about to be answered.
        case read
        /// Something is about to be replaced.
        case replace
    }

    private let base: any ObjectStore
    private let act = Mutex<(@Sendable (Step) async throws -> Void)?>(nil)

    init(_ base: any ObjectStore) { self.base = base }

    /// From now on each step waits for `act`, and fails where it throws; nil: for nothing.
    func on(_ act: (@Sendable (Step) async throws -> Void)?) { self.act.withLock { $0 = act } }

    /// Waits for `act` at the next step of that kind, and at no other.
    func once(_ wanted: Step, _ act: @escaping @Sendable () async throws -> Void) {
        on { [self] step in
            guard step == wanted else { return }
            on(nil)
            try await act()
        }
    }

    private func pass(_ step: Step) async throws {
        let act = act.withLock { $0 }
        try await act?(step)
    }

    var url: String { base.url }
    func create() async throws { try await base.create() }
    func check() async throws { try await base.check() }
    func identity() async throws -> String? { try await base.identity() }
    func look() async throws -> String? { try await base.look() }
    func probe() async throws { try await base.probe() }
    func head(_ name: String) async throws -> StoredObject? { try await base.head(name) }

    func put(
        _ object: NewObject,
        from buffer: BodyBuffer,
        length: Int64?,
        session: UploadSession?,
        began: @Sendable (UploadSession) async throws -> Void,
        confirmed: @Sendable (Int64) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome {
        try await base.put(
            object,
            from: buffer,
            length: length,
            session: session,
            began: began,
            confirmed: confirmed,
            accept: accept
        )
    }

    func list(prefix: String, pageToken: String?) async throws -> (objects: [StoredObject], nextPageToken: String?) {
        try await base.list(prefix: prefix, pageToken: pageToken)
    }

    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)? {
        let found = try await base.read(name)
        try await pass(.read)
        return found
    }

    func replace(
        _ name: String,
        with bytes: [UInt8],
        contentType: String,
        ifGeneration generation: Int64?
    ) async throws -> Bool {
        try await pass(.replace)
        return try await base.replace(name, with: bytes, contentType: contentType, ifGeneration: generation)
    }
}
