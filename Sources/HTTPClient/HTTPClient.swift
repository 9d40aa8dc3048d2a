/// One header field; names compare without case.
package struct HTTPField: Sendable, Equatable {
    package let name: String
    package let value: String
    package init(_ name: String, _ value: String) { self.name = name; self.value = value }
}

/// What a request carries.
package enum HTTPRequestBody: Sendable {
    case none
    /// Sent with Content-Length.
    case bytes([UInt8])
    /// Sent as `head`, then everything the (ended) buffer holds, then `tail`, with Content-Length; the buffer is read, not consumed,
    /// so that the request can be repeated. This is how a multipart upload avoids a copy.
    case framed(head: [UInt8], BodyBuffer, tail: [UInt8])
    /// Exactly `count` bytes, consumed from the buffer while a download still fills it.
    case drain(BodyBuffer, count: Int64)
}

/// One request; nothing is followed or retried, 3xx comes back as an answer.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Absolute and percent-encoded; only http and https.
    package var url: String
    package var headers: [HTTPField]
    package var body: HTTPRequestBody
    /// How long no byte may move while this side wants to move bytes (time spent waiting for our own other half does not count).
    package var stallTimeout: Duration = .seconds(60)
    /// Extra headers asked to be kept out of every error text and log are not needed: no error contains a URL query, header or body.
    package init(_ method: String, _ url: String, headers: [HTTPField] = [], body: HTTPRequestBody = .none) {
        self.method = method; self.url = url; self.headers = headers; self.body = body
    }
}

/// An answer's head.
package struct HTTPHead: Sendable {
    package let status: Int
    package let headers: [HTTPField]
    /// First value of a field, by case-insensitive name.
    package func header(_ name: String) -> String? { fatalError() }
    /// nil if absent or not a number.
    package var contentLength: Int64? { fatalError() }
    /// Whether Transfer-Encoding was chunked.
    package var isChunked: Bool { fatalError() }
    /// `Retry-After` in seconds or as an HTTP date (relative to the answer's own `Date` header, else this machine's clock).
    package var retryAfter: Duration? { fatalError() }
    package init(status: Int, headers: [HTTPField]) { self.status = status; self.headers = headers }
}

/// An answer with its body in memory.
package struct HTTPResponse: Sendable {
    package let head: HTTPHead
    package let body: [UInt8]
    package var status: Int { head.status }
    package init(head: HTTPHead, body: [UInt8]) { self.head = head; self.body = body }
}

/// Why no whole answer came.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Name not resolved, connection refused, TLS handshake or certificate refused.
        case cannotConnect
        /// The peer went away, or the body was shorter than its Content-Length, or chunking was broken.
        case cut
        /// No byte moved for the stall timeout.
        case stalled
        /// The answer's body was larger than the caller allowed.
        case tooLarge
        /// The other half of a splice failed: look at its own error first.
        case bodyFailed
        /// The URL cannot be used (not http/https, malformed).
        case badURL
        /// The task was cancelled.
        case cancelled
        /// TLS certificate not trusted: a settings problem rather than a passing fault.
        case untrusted
    }
    package let code: Code
    /// Sentence with the host in it; never a path, a query, a header or a body.
    package let message: String
    /// Bytes of the request body handed to the network so far.
    package let bytesSent: Int64
    package init(code: Code, message: String, bytesSent: Int64 = 0) { self.code = code; self.message = message; self.bytesSent = bytesSent }
    package var description: String { message }
}

/// The process's one event loop: one thread that owns one `curl_multi`.
package final class HTTPClient: Sendable {
    package struct Configuration: Sendable {
        /// CA bundle file; nil means libcurl's own default. `SSL_CERT_FILE` is handed in here by the caller.
        package var certificateAuthorities: String?
        package var connectTimeout: Duration = .seconds(20)
        package var userAgent: String = "coldroll"
        /// Idle connections kept for reuse.
        package var idleConnections: Int = 160
        package init() {}
    }
    package init(_ configuration: Configuration = Configuration()) { fatalError() }

    /// Sends a request and returns the whole answer, whatever its status.
    /// - Parameter limit: bytes of answer body accepted.
    package func send(_ request: HTTPRequest, limit: Int = 32 << 20) async throws(HTTPError) -> HTTPResponse { fatalError() }

    /// Sends a request and returns as soon as the final head is there; a body of a 2xx flows into `buffer` with back-pressure from then on,
    /// ends it, or fails it with `HTTPError`. A body of any other status is collected into the returned response (up to 64 KiB) and the buffer stays empty and is failed.
    /// Cancelling the task before the head, or `buffer.abandon()` later, stops the transfer.
    package func download(_ request: HTTPRequest, into buffer: BodyBuffer) async throws(HTTPError) -> HTTPResponse { fatalError() }

    /// Counters since start, for benchmarks and tests.
    package struct Counters: Sendable, Equatable { package var requests = 0, bytesIn: Int64 = 0, bytesOut: Int64 = 0, connections = 0 }
    package var counters: Counters { fatalError() }

    /// Stops the loop; every transfer in flight fails as `.cancelled`.
    package func shutdown() { fatalError() }
}
