/// The process's one event loop: one thread that owns one `curl_multi`.
package final class HTTPClient: Sendable {
    package struct Configuration: Sendable {
        /// CA bundle file; nil means libcurl's own default.
        ///
        /// `SSL_CERT_FILE` is handed in here by the caller.
        package var certificateAuthorities: String?
        /// For name resolution, TCP and TLS together.
        package var connectTimeout: Duration = .seconds(20)
        package var userAgent: String = "coldroll"
        /// Idle connections kept for reuse.
        package var idleConnections: Int = 160
        package init() {}
    }

    private let loop: EventLoop

    /// Starts the loop's thread.
    package init(_ configuration: Configuration = Configuration()) {
        loop = EventLoop(configuration)
        loop.startThread()
    }

    deinit { loop.close() }

    /// Sends a request and returns the whole answer, whatever its status.
    /// - Parameters:
    ///   - request: its stall timeout also covers the wait for the answer's head.
    ///   - limit: bytes of answer body accepted.
    /// - Returns: the answer; a status is never an error.
    /// - Throws: `HTTPError`; when it is thrown, the request's body is not read any more.
    package func send(_ request: HTTPRequest, limit: Int = 32 << 20) async throws(HTTPError) -> HTTPResponse {
        try await perform(request, .memory(limit: limit))
    }

    /// Sends a request and returns as soon as the final head is there; a body of a 2xx flows into `buffer` from then on.
    ///
    /// It flows with back-pressure, and ends the buffer or fails it with `HTTPError`. A body of any other status is collected
    /// into the returned response (up to 64 KiB) and the buffer stays empty and is failed. Cancelling the task before the
    /// head, or `buffer.abandon()` later, stops the transfer.
    /// - Parameters:
    ///   - request: as for `send`.
    ///   - buffer: takes one body.
    ///   - leavingItOpen: whether an answer other than 2xx leaves the buffer as it was, for another download into it after a
    ///     redirect or with another token.
    /// - Returns: the head; for other answers than 2xx with the body.
    /// - Throws: `HTTPError`, if no head came; the buffer failed with the same error.
    package func download(
        _ request: HTTPRequest,
        into buffer: BodyBuffer,
        leavingItOpen: Bool = false
    ) async throws(HTTPError) -> HTTPResponse {
        try await perform(request, .store(buffer.store), leavingItOpen: leavingItOpen)
    }

    private func perform(
        _ request: HTTPRequest,
        _ sink: Transfer.Sink,
        leavingItOpen: Bool = false
    ) async throws(HTTPError) -> HTTPResponse {
        let transfer: Transfer
        do {
            let target = try Self.check(request)
            transfer = Transfer(request, target: target, sink: sink, leavesStoreOpen: leavingItOpen, loop: loop)
        } catch {
            if case .store(let store) = sink { store.finish(error) }
            throw error
        }
        let result = await withTaskCancellationHandler {
            loop.post(.start(transfer))
            return await transfer.outcome.value()
        } onCancel: {
            transfer.cancel()
        }
        // The bodies that the request names must live until their last byte is read.
        return try withExtendedLifetime(request) { () throws(HTTPError) in try result.get() }
    }

    private static func check(_ request: HTTPRequest) throws(HTTPError) -> Target {
        let target = try Target(request.url)
        let parts = request.headers.flatMap { [$0.name, $0.value] } + [request.method]
        // "Name: value" goes to libcurl as one line; a line break in it would smuggle a second field in.
        guard !parts.contains(where: { $0.utf8.contains { $0 == 10 || $0 == 13 || $0 == 0 } }) else {
            throw HTTPError(code: .badURL, message: "A header field for \(target.host) contains a line break.")
        }
        return target
    }

    /// Counters since start, for benchmarks and tests; a transfer is added when it ends.
    package struct Counters: Sendable, Equatable {
        package var requests = 0
        /// Bytes of answer bodies.
        package var bytesIn: Int64 = 0
        /// Bytes of request bodies.
        package var bytesOut: Int64 = 0
        /// Connections made; the other requests found one to reuse.
        package var connections = 0
    }

    package var counters: Counters { loop.tally.current }

    /// What the loop has done since start, up to this moment.
    package struct Pace: Sendable, Equatable {
        /// Bytes of bodies that came or went, those of transfers under way too.
        package var moved: Int64 = 0
        /// Time in which the loop's thread had nothing to do: no socket was ready.
        package var waited = Duration.zero

        package init() {}
    }

    package var pace: Pace { loop.pace.current() }

    /// Stops the loop; every transfer in flight fails as `.cancelled`.
    package func shutdown() { loop.close() }
}
