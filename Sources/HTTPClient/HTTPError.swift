/// Why no whole answer came.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The part that decides what a caller does next.
    package enum Code: Sendable, Equatable {
        /// Name not resolved, connection refused, TLS handshake refused.
        case cannotConnect
        /// The peer went away, or the body was shorter than its Content-Length, or chunking was broken.
        case cut
        /// No byte moved for the stall timeout.
        case stalled
        /// The answer's body was larger than the caller allowed, or a buffer larger than the whole byte budget was asked for.
        case tooLarge
        /// The other half of a splice failed: look at its own error first.
        case bodyFailed
        /// The URL cannot be used (not http/https, malformed), or a header field contains a line break.
        case badURL
        /// The task was cancelled, the buffer abandoned or the client shut down.
        case cancelled
        /// TLS certificate not trusted: a settings problem rather than a passing fault.
        case untrusted
    }

    package let code: Code
    /// Sentence with the host in it; never a path, a query, a header or a body.
    package let message: String
    /// Bytes of the request body handed to the network so far; those of a `.drain` are gone from their buffer.
    package let bytesSent: Int64

    package init(code: Code, message: String, bytesSent: Int64 = 0) {
        self.code = code
        self.message = message
        self.bytesSent = bytesSent
    }

    package var description: String { message }

    /// The message, and what a person can do where nothing but a person can mend it.
    package var advice: String {
        guard code == .untrusted else { return message }
        return "\(message) If the certificate is right, name its CA bundle in SSL_CERT_FILE."
    }

    /// How the sentence of `.cannotConnect` begins, which stands also in the errors that others make of it.
    package static let noConnection = "No connection to "

    static let cancelled = HTTPError(code: .cancelled, message: "The transfer was cancelled by its own task.")
    static let abandoned = HTTPError(code: .cancelled, message: "The download was abandoned by its own task.")
}
