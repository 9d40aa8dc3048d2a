import Foundation
import GoogleSimulator
import HTTPServer
import Synchronization
import TestSupport
import Testing

/// The token server that a machine inside Google Cloud has, as the real program asks it.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct MetadataServerTests {
    /// Answers every request alike, and knows what it was asked.
    private final class Server: Sendable {
        private let paths = Mutex<[String]>([])
        private let running = Mutex<HTTPServer?>(nil)

        init(_ token: String) throws {
            let answer = #"{"access_token":"\#(token)","expires_in":3599,"token_type":"Bearer"}"#
            let server = try HTTPServer { [self] request in
                paths.withLock { $0.append(request.path) }
                return .answer(ServerAnswer(200, body: .bytes(Array(answer.utf8))))
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
}
