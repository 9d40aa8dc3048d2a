/// One header field; names compare without case.
package struct HTTPField: Sendable, Equatable {
    package let name: String
    package let value: String

    /// Neither part may contain a line break: a request with such a field fails as `.badURL`.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package static func == (a: HTTPField, b: HTTPField) -> Bool {
        a.value == b.value && a.name.lowercased() == b.name.lowercased()
    }
}

/// What a request carries.
package enum HTTPRequestBody: Sendable {
    case none
    /// Sent with Content-Length.
    case bytes([UInt8])
    /// Sent as `head`, then everything the (ended) buffer holds, then `tail`, with Content-Length.
    ///
    /// The buffer is read, not consumed, so that the request can be repeated. This is how a multipart upload avoids a copy.
    case framed(head: [UInt8], BodyBuffer, tail: [UInt8])
    /// The first `count` bytes that the buffer holds while its download goes on, with Content-Length.
    ///
    /// Read, not consumed, so that the request can be repeated until the caller skips them.
    case held(BodyBuffer, count: Int)
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
    /// How long it may wait for our own other half without a byte: longer than anything takes there, so that what would wait for
    /// ever, since nobody drains or fills its buffer any more, ends as an error and is tried again.
    package var pauseTimeout: Duration = .seconds(1800)
    /// Whether it goes to its host itself, whatever proxy the environment names (`http_proxy` and the like).
    package var isDirect = false

    /// A request with the default stall timeout; no error text will contain its URL's path or query, its headers or body.
    package init(_ method: String, _ url: String, headers: [HTTPField] = [], body: HTTPRequestBody = .none) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}
