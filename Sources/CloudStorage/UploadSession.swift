/// A half-done upload: bearer secret, never logged.
package struct UploadSession: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The session URI, verbatim from the bucket's `Location`; good for a week (Cloud Storage docs: "Resumable uploads").
    package let uri: String
    /// Size that was announced when it was opened; nil: not known then.
    ///
    /// A body of another size cannot go on with it.
    package let length: Int64?
    /// Both as they are.
    package init(uri: String, length: Int64?) {
        self.uri = uri
        self.length = length
    }
    /// Says what it is and nothing of the secret.
    package var description: String { "an upload session" }
    /// The same, since a debugger's output ends in logs too.
    package var debugDescription: String { description }
}

/// How a put ended well.
package enum PutOutcome: Sendable, Equatable {
    /// The bucket answered with size and crc32c equal to the bytes sent.
    case created(StoredObject)
    /// Something is already there under this name (412); whose it is, the caller decides by metadata.
    case exists(StoredObject)
    /// What has the name is no object: a folder or a broken link in a directory. As with a foreign object, the part needs
    /// another name.
    case occupied
}
