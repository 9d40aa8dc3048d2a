import GoogleAuth
import GooglePhotos
import HTTPClient
import HTTPServer
import Synchronization

/// A server that answers by a script: the API, base URLs and the token endpoint on one loopback port.
final class ScriptedGoogle: Sendable {
    struct Request: Sendable {
        let method: String
        let target: String
        let authorization: String?
        let body: String
    }

    typealias Script = @Sendable (Request) -> ServerAnswer

    private let log: Log
    private let server: HTTPServer
    private let http = HTTPClient()

    init(_ script: @escaping Script) throws {
        let log = Log()
        self.log = log
        server = try HTTPServer { request in
            .receive(Answering(request, log: log, script: script))
        }
    }

    /// Answers everything alike.
    convenience init(always answer: ServerAnswer) throws {
        try self.init { _ in answer }
    }

    deinit {
        http.shutdown()
        server.stop()
    }

    var origin: String { "http://127.0.0.1:\(server.port)" }
    /// All but those for tokens.
    var requests: [Request] { log.requests.withLock { $0 } }
    /// How many tokens were handed out.
    var tokens: Int { log.tokens.withLock { $0 } }

    /// A client whose tokens are `token-1`, `token-2` and so on.
    func client(_ tokens: TokenSource? = nil) throws -> PhotosClient {
        PhotosClient(http: http, tokens: try tokens ?? login(), endpoint: origin + "/")
    }

    func buffer() async throws -> BodyBuffer {
        try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 128 << 10)
    }

    private func login() throws -> TokenSource {
        let login = #"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#
        return try .json(Array(login.utf8), named: "a login", scope: "", tokenEndpoint: origin, http: http)
    }

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
        let tokens = Mutex(0)
    }

    private final class Answering: BodyReceiver {
        private let head: ServerRequest
        private let log: Log
        private let script: Script
        private let body = Mutex<[UInt8]>([])

        init(_ head: ServerRequest, log: Log, script: @escaping Script) {
            self.head = head
            self.log = log
            self.script = script
        }

        func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
            let piece = Array(bytes)
            body.withLock { $0 += piece }
            return true
        }

        func finish() -> ServerAnswer {
            if head.path == "/token" {
                let number = log.tokens.withLock { tokens in
                    tokens += 1
                    return tokens
                }
                return .json(#"{"access_token":"token-\#(number)","expires_in":3599,"token_type":"Bearer"}"#)
            }
            let request = Request(
                method: head.method,
                target: head.path + (head.query.isEmpty ? "" : "?" + head.query),
                authorization: head.header("Authorization"),
                body: String(decoding: body.withLock { $0 }, as: UTF8.self)
            )
            log.requests.withLock { $0.append(request) }
            return script(request)
        }

        func abandon() {}
    }
}

extension ServerAnswer {
    static func json(_ text: String, status: Int = 200, headers: [(name: String, value: String)] = []) -> ServerAnswer {
        let type = (name: "Content-Type", value: "application/json; charset=UTF-8")
        return ServerAnswer(status, headers: [type] + headers, body: .bytes(Array(text.utf8)))
    }

    static func page(_ status: Int) -> ServerAnswer {
        let type = (name: "Content-Type", value: "text/html")
        return ServerAnswer(status, headers: [type], body: .bytes(Array("<html>sorry</html>".utf8)))
    }

    static func refusal(_ code: Int, _ status: String, _ message: String, details: String = "[]") -> ServerAnswer {
        json(
            #"{"error":{"code":\#(code),"message":"\#(message)","status":"\#(status)","details":\#(details)}}"#,
            status: code
        )
    }

    static func redirect(_ status: Int, to location: String) -> ServerAnswer {
        ServerAnswer(status, headers: [(name: "Location", value: location)])
    }
}

/// The error that an operation threw; nil if it did not.
func failure<Value>(_ operation: () async throws(PhotosError) -> Value) async -> PhotosError? {
    do {
        _ = try await operation()
        return nil
    } catch {
        return error
    }
}
