/// Makes up a body while it is sent, so that 20 GB need no memory and no disk.
package protocol BodyGenerator: Sendable {
    /// Bytes of the whole body.
    var count: Int64 { get }
    /// Fills a buffer, which never reaches beyond `count`, with the bytes that stand at an offset.
    ///
    /// Called on the connection's own thread, in order of offsets.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int64)
}

/// What goes back for one request, faults included.
package struct ServerAnswer: Sendable {
    /// Where the body's bytes come from.
    package enum Body: Sendable {
        case bytes([UInt8])
        /// `count` bytes of a file from `offset`; on plain HTTP the kernel sends them itself (sendfile).
        case file(path: String, offset: Int64, count: Int64)
        case generated(any BodyGenerator)

        /// How many bytes a whole body has.
        package var count: Int64 {
            switch self {
            case .bytes(let bytes): Int64(bytes.count)
            case .file(_, _, let count): count
            case .generated(let generator): generator.count
            }
        }
    }

    /// How the client learns where the body ends.
    package enum Framing: Sendable {
        case contentLength
        case chunked
        /// Neither: the end of the connection is the end of the body.
        case untilClose
    }

    /// What goes wrong, on purpose, while the answer is sent.
    package enum Fault: Sendable {
        /// The connection ends after so many bytes of the body.
        case cut(after: Int64)
        /// Nothing moves for so long after so many bytes of the body; then it goes on.
        case stall(after: Int64, seconds: Double)
        /// No answer: the connection ends in good order.
        case closeWithoutAnswer
        /// No answer: the connection is reset.
        case reset
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body
    package var framing: Framing
    package var fault: Fault?
    /// How long to wait before the first byte of the answer.
    package var delaySeconds: Double

    package init(
        _ status: Int,
        headers: [(name: String, value: String)] = [],
        body: Body = .bytes([]),
        framing: Framing = .contentLength,
        fault: Fault? = nil,
        delaySeconds: Double = 0
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.framing = framing
        self.fault = fault
        self.delaySeconds = delaySeconds
    }
}
