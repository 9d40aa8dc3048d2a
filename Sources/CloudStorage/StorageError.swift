/// What a store refused, by what the caller does next.
package struct StorageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The part that decides what a caller does next.
    package enum Code: Sendable, Equatable {
        /// 400 for a checksum: the bytes that arrived are not the bytes that were hashed; download again, new session.
        case checksumMismatch
        /// The upload was interrupted: download again and call `put` with this session.
        case interrupted(UploadSession)
        /// The session is dead, used up or not this upload's: download again and call `put` without a session.
        case sessionLost
        /// The download half failed: look at the buffer's error.
        case sourceFailed
        /// 429, 5xx, network, for the service as a whole.
        case unavailable(retryAfter: Duration?)
        /// 401/403: credentials or permissions; the message names the permission.
        case denied
        /// No such bucket or directory.
        case noBucket
        /// Disk full or read-only.
        case noSpace
        /// Any other refusal of this object (bad name, metadata too large).
        case rejected
        /// The bucket's answer is not what its API promises.
        case malformed
    }
    /// What the caller does next.
    package let code: Code
    /// A sentence with the object or place in it; never a session, a URL query or a token.
    package let message: String
    /// Both parts as they are.
    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
    /// The message.
    package var description: String { message }
}
