import Checksums
import CloudStorage
import Foundation
import GoogleAuth
import HTTPClient
import HTTPServer
import Synchronization

/// A bucket that answers what a test tells it to, in order, and remembers what it was asked.
final class ScriptedBucket: Sendable {
    /// One request as it arrived.
    struct Seen: Sendable {
        let request: ServerRequest
        let body: [UInt8]

        var method: String { request.method }
        var range: String? { request.header("Content-Range") }
        var hash: String? { request.header("X-Goog-Hash") }
        var idempotency: String? { request.header("x-goog-gcs-idempotency-token") }
        var authorization: String? { request.header("Authorization") }

        /// The JSON part of a multipart upload, or a JSON body.
        var json: [String: Any]? {
            let text = String(decoding: body, as: UTF8.self)
            let start = text.hasPrefix("--") ? text.range(of: "\r\n\r\n")?.upperBound : text.startIndex
            guard let start else { return nil }
            let end = text[start...].range(of: "\r\n--")?.lowerBound ?? text.endIndex
            return try? JSONSerialization.jsonObject(with: Data(text[start..<end].utf8)) as? [String: Any]
        }

        /// The line that tests compare: what was asked for.
        var line: String {
            if request.path.hasPrefix("/upload/session") { return "\(method) session \(range ?? "-")" }
            let type = request.query.split(separator: "&").first { $0.hasPrefix("uploadType=") }.map {
                " \($0.dropFirst(11))"
            }
            return "\(method)\(type ?? (request.path.hasSuffix("/o") ? " list" : " object"))"
        }
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
            script.next(Seen(request: request, body: body.withLock { $0 }))
        }

        func abandon() {}
    }

    final class Script: Sendable {
        private let answers = Mutex<[ServerAnswer]>([])
        let seen = Mutex<[Seen]>([])

        /// Answers what the script does not; a test that expects nothing more gets a status that nobody expects.
        let last: @Sendable ([Seen]) -> ServerAnswer

        init(last: @escaping @Sendable ([Seen]) -> ServerAnswer) { self.last = last }

        func add(_ answer: ServerAnswer) { answers.withLock { $0.append(answer) } }

        func next(_ request: Seen) -> ServerAnswer {
            seen.withLock { $0.append(request) }
            guard let answer = answers.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
                return last(seen.withLock { $0 })
            }
            return answer
        }

        var isUsedUp: Bool { answers.withLock { $0.isEmpty } }
    }

    private let server: HTTPServer
    private let script: Script
    let url: String
    private let length: Int64?

    init(
        _ answers: [ServerAnswer],
        length: Int64? = 600_000,
        last: @escaping @Sendable ([Seen]) -> ServerAnswer = { _ in ServerAnswer(418) }
    ) throws {
        let script = Script(last: last)
        server = try HTTPServer { request in .receive(Collector(request, script)) }
        url = "http://127.0.0.1:\(server.port)"
        self.script = script
        self.length = length
        for answer in answers { script.add(answer.pointing(to: url)) }
    }

    /// The session that the script begins.
    var session: UploadSession { UploadSession(uri: "\(url)/upload/session?upload_id=SECRET", length: length) }
    var seen: [Seen] { script.seen.withLock { $0 } }
    var lines: [String] { seen.map(\.line) }
    /// Whether every answer was fetched, so that every fault has struck.
    var isUsedUp: Bool { script.isUsedUp }

    func bench(prefix: String = "", tokens: TokenSource = .anonymous) throws -> Bench {
        let http = HTTPClient()
        return try Bench(
            store: try openStore("gs://bucket" + prefix, http: http, tokens: tokens, endpoint: url),
            http: http
        )
    }
}

extension ServerAnswer {
    /// The object's JSON, as the answer to an upload or a lookup.
    static func object(_ body: Origin.Body, name: String = "a.jpg", generation: Int = 7, metadata: String = "{}")
        -> ServerAnswer
    {
        var sum = CRC32C()
        sum.consume(body.bytes.span.bytes)
        return json(
            200,
            #"{"name":"\#(name)","generation":"\#(generation)","size":"\#(body.count)","crc32c":"\#(sum.base64)","metadata":\#(metadata)}"#
        )
    }

    static func json(_ status: Int, _ text: String) -> ServerAnswer {
        ServerAnswer(
            status,
            headers: [(name: "Content-Type", value: "application/json")],
            body: .bytes(Array(text.utf8))
        )
    }

    static func failure(_ status: Int, _ message: String, reason: String = "x", retryAfter: Int? = nil) -> ServerAnswer
    {
        var answer = json(
            status,
            #"{"error":{"code":\#(status),"message":"\#(message)","errors":[{"domain":"global","reason":"\#(reason)"}]}}"#
        )
        if let retryAfter { answer.headers.append((name: "Retry-After", value: "\(retryAfter)")) }
        return answer
    }

    /// The start of a session; nil for the script's own address.
    static func began(_ location: String = "SELF/upload/session?upload_id=SECRET") -> ServerAnswer {
        ServerAnswer(200, headers: [(name: "Location", value: location)])
    }

    static func persisted(_ count: Int64) -> ServerAnswer {
        ServerAnswer(308, headers: count > 0 ? [(name: "Range", value: "bytes=0-\(count - 1)")] : [])
    }

    /// An answer that breaks off; without its first byte libcurl would repeat the request by itself on a new connection.
    static var lost: ServerAnswer {
        ServerAnswer(200, body: .bytes(Array("{\"kind\":\"storage#object\"}".utf8)), fault: .cut(after: 5))
    }

    fileprivate func pointing(to url: String) -> ServerAnswer {
        var answer = self
        answer.headers = headers.map { ($0.name, $0.value.replacingOccurrences(of: "SELF", with: url)) }
        return answer
    }
}
