import Foundation
import GoogleSimulator
import HTTPServer
import Synchronization
import TestSupport
import Testing

/// The token server that a machine inside Google Cloud has, as the real program asks it.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct MetadataServerTests {
    /// Answers every request alike, and knows what it was asked.
    private final class Server: Sendable {
        private let paths = Mutex<[String]>([])
        private let running = Mutex<HTTPServer?>(nil)

        init(_ token: String, scopes: [String] = []) throws {
            let answer = #"{"access_token":"\#(token)","expires_in":3599,"token_type":"Bearer"}"#
            let list = scopes.map { "https://www.googleapis.com/auth/\($0)\n" }.joined()
            let server = try HTTPServer { [self] request in
                paths.withLock { $0.append(request.path) }
                let text = request.path.hasSuffix("/scopes") ? list : answer
                return .answer(ServerAnswer(200, body: .bytes(Array(text.utf8))))
            }
            running.withLock { $0 = server }
        }

        var host: String { "127.0.0.1:\(running.withLock { $0?.port ?? 0 })" }
        /// Requests for a token, and for whose it is.
        var metadata: [String] { paths.withLock { $0.filter { $0.contains("computeMetadata") } } }
        func stop() { running.withLock { $0?.stop() } }
    }

    @Test func `a proxy of the environment is not asked for the machine's own token`() async throws {
        let stage = try Stage { $0.synthesis = SynthesisOptions(count: 1, sizes: 1_000...2_000, videoPercent: 0) }
        let (proxy, own) = (try Server("TOKEN-OF-THE-PROXY"), try Server("TOKEN-OF-THIS-MACHINE"))
        defer {
            proxy.stop()
            own.stop()
        }
        let end = try await stage.run(
            "setup",
            changing: [
                "http_proxy": "http://\(proxy.host)", "GCE_METADATA_HOST": own.host,
                "GOOGLE_APPLICATION_CREDENTIALS": "", "STORAGE_EMULATOR_HOST": "", "HOME": stage.directory,
            ]
        )
        // Cloud Storage itself is not there.
        #expect(end.status != 0, "\(end.output)")
        #expect(proxy.metadata.isEmpty)
        #expect(!own.metadata.isEmpty, "\(end.output)")
        #expect(!end.output.contains("TOKEN-OF"))
    }

    @Test(arguments: [
        (["devstorage.read_only", "logging.write"], true), (["devstorage.read_write"], false),
        (["cloud-platform"], false),
    ])
    func `a machine whose access scopes let it only read is told by doctor`(scopes: [String], isTold: Bool)
        async throws
    {
        let stage = try Stage { $0.synthesis = SynthesisOptions(count: 1, sizes: 1_000...2_000, videoPercent: 0) }
        let own = try Server("TOKEN-OF-THIS-MACHINE", scopes: scopes)
        defer { own.stop() }
        let end = try await stage.run(
            "doctor",
            changing: [
                "GCE_METADATA_HOST": own.host, "GOOGLE_APPLICATION_CREDENTIALS": "", "STORAGE_EMULATOR_HOST": "",
                "HOME": stage.directory,
            ]
        )
        #expect(own.metadata.contains { $0.hasSuffix("/scopes") })
        let words =
            "The access scopes of this machine (devstorage.read_only, logging.write) let it write into no bucket"
        #expect(end.output.contains(words) == isTold, "\(end.output)")
        #expect(end.output.contains("--scopes=cloud-platform") == isTold)
        #expect(!end.output.contains("TOKEN-OF"))
    }
}
