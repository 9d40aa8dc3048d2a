import HTTPServer
import Synchronization

/// A token endpoint that answers what a test tells it to, in order, and remembers what it was asked.
final class TokenServer: Sendable {
    struct Asked: Sendable {
        let method: String
        let path: String
        let query: String
        let flavor: String?
        let form: String
    }

    private final class Script: Sendable {
        let answers: Mutex<[ServerAnswer]>
        let asked = Mutex<[Asked]>([])

        init(_ answers: [ServerAnswer]) { self.answers = Mutex(answers) }

        /// The last answer is repeated for ever.
        func next() -> ServerAnswer { answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
    }

    private final class Collector: BodyReceiver {
        private let request: ServerRequest
        private let script: Script
        private let body = Mutex<[UInt8]>([])

        init(_ request: ServerRequest, _ script: Script) {
            self.request = request
            self.script = script
        }

        func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
            body.withLock { $0 += bytes }
            return true
        }

        func finish() -> ServerAnswer {
            let form = body.withLock { String(decoding: $0, as: UTF8.self) }
            script.asked.withLock {
                $0.append(
                    Asked(
                        method: request.method,
                        path: request.path,
                        query: request.query,
                        flavor: request.header("Metadata-Flavor"),
                        form: form
                    )
                )
            }
            return script.next()
        }

        func abandon() {}
    }

    private let script: Script
    private let server: HTTPServer

    var host: String { "127.0.0.1:\(server.port)" }
    var url: String { "http://\(host)" }
    var asked: [Asked] { script.asked.withLock { $0 } }

    init(_ answers: ServerAnswer...) throws {
        let script = Script(answers)
        server = try HTTPServer { request in .receive(Collector(request, script)) }
        self.script = script
    }
}

extension ServerAnswer {
    static func json(_ status: Int, _ text: String, delay: Double = 0, retryAfter: Int? = nil) -> ServerAnswer {
        ServerAnswer(
            status,
            headers: [(name: "Content-Type", value: "application/json")]
                + (retryAfter.map { [(name: "Retry-After", value: "\($0)")] } ?? []),
            body: .bytes(Array(text.utf8)),
            delaySeconds: delay
        )
    }

    static func token(_ value: String, lives seconds: Double = 3599, delay: Double = 0) -> ServerAnswer {
        json(
            200,
            #"{"access_token":"\#(value)","expires_in":\#(seconds),"token_type":"Bearer"}"#,
            delay: delay
        )
    }
}
