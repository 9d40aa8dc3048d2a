import CloudStorage
import Foundation
import GoogleAuth
import HTTPClient
import Testing

/// `fake-gcs-server` in a process of its own, with one empty bucket: Cloud Storage as other hands have understood it.
///
/// Its resumable uploads are wrong (a status query ends them), so that only multipart uploads, reads and lists are tried.
final class FakeServer: Sendable {
    let bench: Bench
    let endpoint: String
    private let process: Process
    static let bucket = "archive"

    init() async throws {
        let http = HTTPClient()
        // Another process may take the port between its choice and the start: then with the next one.
        for _ in 0..<10 {
            let port = try Self.freePort()
            let endpoint = "http://127.0.0.1:\(port)"
            let process = try Self.start(port, endpoint)
            guard try await Self.becomesReady(process, endpoint, http) else { continue }
            let store = try openStore("gs://\(Self.bucket)", http: http, tokens: .anonymous, endpoint: endpoint)
            bench = try Bench(store: store, http: http)
            self.endpoint = endpoint
            self.process = process
            return
        }
        throw Unusable(words: "fake-gcs-server did not start in ten tries")
    }

    /// Ends the process; to be called at the end of each test, which also keeps it alive until then.
    func stop() { process.terminate() }

    struct Unusable: Error { let words: String }

    /// What stands under a name, by a request that the store has no part in.
    func content(_ name: String) async throws -> [UInt8] { try await get(name, "?alt=media").body }

    /// The object's resource.
    func resource(_ name: String) async throws -> [String: Any] {
        let body = Data(try await get(name, "").body)
        return try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
    }

    private func get(_ name: String, _ query: String) async throws -> HTTPResponse {
        let encoded = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let url = "\(endpoint)/storage/v1/b/\(Self.bucket)/o/\(encoded)\(query)"
        let response = try await bench.http.send(HTTPRequest("GET", url))
        try #require(response.status == 200, "\(url)")
        return response
    }

    private static func start(_ port: UInt16, _ endpoint: String) throws -> Process {
        // scripts/python-venv puts it on the PATH of scripts/test.
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let program = try #require(
            folders.map { "\($0)/fake-gcs-server" }.first { FileManager.default.isExecutableFile(atPath: $0) },
            "fake-gcs-server is not on the PATH: run tests with the directory that scripts/python-venv prints on it"
        )
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = [
            "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", "\(port)", "-external-url",
            endpoint,
            "-log-level", "error",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Makes the bucket as soon as the server answers; false if the process ended, or somebody else answers there.
    private static func becomesReady(_ process: Process, _ endpoint: String, _ http: HTTPClient) async throws -> Bool {
        let request = HTTPRequest(
            "POST",
            "\(endpoint)/storage/v1/b?project=p",
            headers: [HTTPField("Content-Type", "application/json")],
            body: .bytes(Array(#"{"name":"\#(bucket)"}"#.utf8))
        )
        while process.isRunning {
            if let answer = try? await http.send(request) { return answer.status == 200 && process.isRunning }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }
}
