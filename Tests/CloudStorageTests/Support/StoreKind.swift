import CloudStorage
import Foundation
import GoogleAuth
import GoogleSimulator
import HTTPClient
import Testing

/// The stores that keep the same promises.
enum StoreKind: CaseIterable, Sendable, CustomTestStringConvertible {
    case directory
    case bucket

    var testDescription: String { "\(self)" }

    /// A new and empty store of this kind.
    func open() async throws -> Place {
        switch self {
        case .directory:
            let (http, folder) = (HTTPClient(), try Folder())
            let store = try openStore(folder.url, http: http, tokens: .anonymous, endpoint: "127.0.0.1")
            return Place(bench: try Bench(store: store, http: http), folder: folder, bucket: nil)
        case .bucket:
            let bucket = try SimulatedBucket()
            return Place(bench: bucket.bench, folder: nil, bucket: bucket)
        }
    }
}

/// One store, and a look behind it that the store itself has no part in.
struct Place: Sendable {
    let bench: Bench
    let folder: Folder?
    let bucket: SimulatedBucket?

    /// The bytes under a name.
    func content(_ name: String) throws -> [UInt8] {
        let path = try folder.map { "\($0.path)/\(name)" } ?? #require(bucket?.object(name)?.path)
        return [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    /// The capture time under a name, RFC 3339.
    func captureTime(_ name: String) throws -> String? {
        if let bucket { return bucket.object(name)?.customTime }
        let path = try #require(folder).path + "/" + name
        let values = try FileManager.default.attributesOfItem(atPath: path)
        let seconds = try #require(values[.modificationDate] as? Date).timeIntervalSince1970
        return seconds == 1_563_120_201.25 ? "2019-07-14T16:03:21.25Z" : "\(seconds)"
    }
}

/// A bucket of the simulator, reached with a service account's key.
final class SimulatedBucket: Sendable {
    let simulator: Simulator
    let bench: Bench
    let tokens: TokenSource
    private let folder: Folder
    private static let prefix = "cold/store"

    init(tokenLifetime: Double = 3600, session: Double = 604_800) throws {
        folder = try Folder()
        var configuration = SimulatorConfiguration()
        configuration.storage = .directory(folder.path)
        configuration.tokenLifetime = tokenLifetime
        configuration.sessionLifetime = session
        simulator = try Simulator.start(configuration)
        let http = HTTPClient()
        tokens = try TokenSource.file(
            simulator.storageCredentialsFile,
            scope: "https://www.googleapis.com/auth/devstorage.read_write",
            tokenEndpoint: simulator.url,
            http: http
        )
        let store = try openStore("gs://archive/\(Self.prefix)", http: http, tokens: tokens, endpoint: simulator.url)
        bench = try Bench(store: store, http: http)
    }

    deinit { simulator.stop() }

    func object(_ name: String) -> GoogleSimulator.StoredObject? {
        simulator.objects().first { $0.name.utf8.elementsEqual("\(Self.prefix)/\(name)".utf8) }
    }
}
