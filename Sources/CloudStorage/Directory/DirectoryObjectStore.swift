import Checksums
import HTTPClient

/// A directory as an archive: plain files under the objects' names, and a manifest that says what they are.
struct DirectoryObjectStore: ObjectStore {
    /// Bytes that a listing reads at most to learn what unknown files are; the page ends early then.
    private static let mostHashed: Int64 = 256 << 20

    let keeper: DirectoryKeeper

    /// `root` is an absolute path without a slash at the end.
    init(root: String) { keeper = DirectoryKeeper(root: root) }

    var url: String { "file://" + keeper.root.split(separator: "/").map { "/" + percentEncoded(String($0)) }.joined() }

    func create() async throws {
        try await keeper.create()
        try await check()
    }

    func check() async throws {
        try await keeper.prepare()
        try await keeper.clean()
        try await tryWriting()
    }

    func identity() async throws -> String? { try await keeper.identity() }

    func look() async throws -> String? { try await keeper.inspect() }

    /// Whether the place is there and takes a file.
    ///
    /// Nothing is cleaned up here: that walks over the whole archive, and keeps everybody from beginning a file meanwhile.
    func probe() async throws {
        try await keeper.prepare()
        try await tryWriting()
    }

    private func tryWriting() async throws {
        let trial = TemporaryFile(for: "\(keeper.root)/\(DirectoryNames.own)/trial", below: keeper.root)
        do {
            try await trial.create()
            try await trial.append([0])
            _ = try await trial.finish(modified: CaptureTime(seconds: 0, nanoseconds: 0))
        } catch {
            await trial.discard()
            throw error
        }
        await trial.discard()
    }

    func head(_ name: String) async throws -> StoredObject? {
        try checkName(name)
        guard let sighting = try await keeper.look(name) else {
            try await keeper.checkRoot()
            return nil
        }
        return try await settle(sighting)
    }

    private func settle(_ sighting: Sighting) async throws -> StoredObject {
        // What the manifest knows costs no reading, so no queue either.
        sighting.needsHash ? try await FileHasher().settle(sighting) : try sighting.settled()
    }

    func list(
        prefix: String,
        pageToken: String?
    ) async throws -> (objects: [StoredObject], nextPageToken: String?) {
        let sightings = try await keeper.page(prefix: prefix, after: pageToken, most: 1000)
        var objects: [StoredObject] = []
        var hashed: Int64 = 0
        for sighting in sightings {
            if sighting.needsHash { hashed += sighting.status.size }
            objects.append(try await settle(sighting))
            if hashed > Self.mostHashed { return (objects, sighting.name) }
        }
        return (objects, sightings.count == 1000 ? sightings.last?.name : nil)
    }

    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)? {
        try checkName(name)
        return try await keeper.read(name)
    }

    /// Its content type is not kept: only objects of `put` are in the manifest.
    func replace(
        _ name: String,
        with bytes: [UInt8],
        contentType: String,
        ifGeneration generation: Int64?
    ) async throws -> Bool {
        try checkName(name)
        try await keeper.prepare()
        return try await keeper.replace(name, with: bytes, ifGeneration: generation)
    }

    func checkName(_ name: String) throws(StorageError) {
        guard !DirectoryNames.isAllowed(name) else { return }
        throw StorageError(
            code: .rejected,
            message: """
                \(String(reflecting: name)) is not a name for a file below \(keeper.root): each part has 1 to 255 bytes and \
                is neither . nor .. nor one of coldroll's own.
                """
        )
    }
}
