import CMicroHTTPD

/// One request and its answer, from the request line to the last byte.
final class Exchange {
    let core: ServerCore
    let path: String
    let query: String
    private var isBegun = false
    private var receiver: (any BodyReceiver)?
    private var answer: ServerAnswer?

    init(core: ServerCore, target: String) {
        self.core = core
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map(String.init) ?? ""
        query = parts.count > 1 ? String(parts[1]) : ""
    }

    /// What the first look at a head gave.
    enum Beginning {
        /// It was looked at before.
        case goesOn
        case begun
        /// Answered before the body.
        case refused(ServerAnswer)
    }

    /// The head is there: asks the handler what to do with it.
    func begin(method: String, connection: OpaquePointer) -> Beginning {
        guard !isBegun else { return .goesOn }
        isBegun = true
        let request = unsafe ServerRequest(
            method: method,
            path: path,
            query: query,
            headers: requestHeaders(of: connection)
        )
        switch core.handler(request) {
        case .answer(let answer): self.answer = answer
        case .receive(let receiver): self.receiver = receiver
        case .refuse(let answer): return .refused(answer)
        }
        return .begun
    }

    /// Takes body bytes; false if the connection is to be broken.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let receiver else { return true }
        if unsafe receiver.receive(bytes) { return true }
        receiver.abandon()
        self.receiver = nil
        return false
    }

    /// The body has ended: what to answer.
    func end() -> ServerAnswer {
        if let receiver {
            self.receiver = nil
            return receiver.finish()
        }
        return answer ?? ServerAnswer(500)
    }

    /// The request is over, whichever way.
    func close() {
        receiver?.abandon()
        receiver = nil
    }
}

private func requestHeaders(of connection: OpaquePointer) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    unsafe withUnsafeMutablePointer(to: &headers) { pointer in
        _ = unsafe MHD_get_connection_values(connection, .HEADER_KIND, collectHeader, pointer)
    }
    return headers
}

private func collectHeader(
    _ into: UnsafeMutableRawPointer?,
    _: MHD_ValueKind,
    _ key: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> MHD_Result {
    guard let into = unsafe into, let key = unsafe key else { return .YES }
    let field = unsafe (name: String(cString: key), value: value.map { unsafe String(cString: $0) } ?? "")
    unsafe into.assumingMemoryBound(to: [(name: String, value: String)].self).pointee.append(field)
    return .YES
}
