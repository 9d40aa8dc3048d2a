package import GoogleAuth
package import HTTPClient

/// What stands in a bucket under a name.
package struct StoredObject: Sendable, Equatable {
    package let name: String
    package let generation: Int64
    package let size: Int64
    package let crc32c: UInt32
    /// Base64 as the bucket answered; nil for composite objects and directories.
    package let md5: String?
    package let contentType: String?
    /// Custom metadata: the identity lives here.
    package let metadata: [String: String]
    package init(name: String, generation: Int64, size: Int64, crc32c: UInt32, md5: String?, contentType: String?, metadata: [String: String]) {
        self.name = name; self.generation = generation; self.size = size; self.crc32c = crc32c; self.md5 = md5; self.contentType = contentType; self.metadata = metadata
    }
}

/// An object to create, once, never over another.
package struct NewObject: Sendable {
    package var name: String
    package var contentType: String
    package var metadata: [String: String]
    /// Capture time, RFC 3339; nil or before 1970 leaves customTime out.
    package var customTime: String?
    package var storageClass: String?
    package init(name: String, contentType: String, metadata: [String: String], customTime: String?, storageClass: String? = "ARCHIVE") {
        self.name = name; self.contentType = contentType; self.metadata = metadata; self.customTime = customTime; self.storageClass = storageClass
    }
}

/// A half-done upload: bearer secret, never logged.
package struct UploadSession: Sendable, Equatable, CustomStringConvertible {
    package let uri: String
    package init(uri: String) { self.uri = uri }
    package var description: String { "an upload session" }
}

/// How a put ended well.
package enum PutOutcome: Sendable, Equatable {
    /// The bucket answered with size and crc32c equal to the bytes sent.
    case created(StoredObject)
    /// Something is already there under this name (412); whose it is, the caller decides by metadata.
    case exists(StoredObject)
}

/// What a store refused, by what the caller does next.
package struct StorageError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// 400 for a checksum: the bytes that arrived are not the bytes that were hashed; download again, new session.
        case checksumMismatch
        /// The upload was interrupted: download again and call `put` with this session.
        case interrupted(UploadSession)
        /// The session is dead (404, 410, 499): start without one.
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
        /// The caller's `accept` closure threw: rethrown as is instead of this, listed for completeness.
        case malformed
    }
    package let code: Code
    package let message: String
    package init(code: Code, message: String) { self.code = code; self.message = message }
    package var description: String { message }
}

/// A place for objects that are written once: a bucket or a directory.
package protocol ObjectStore: Sendable {
    /// `gs://bucket/prefix` or `file:///dir`: what identifies the archive in the ledger.
    var url: String { get }
    /// Throws with what to do when the place does not exist or cannot be written.
    func check() async throws
    /// Creates one object from a buffer whose download may still run.
    /// - Parameters:
    ///   - length: size if known (Content-Length).
    ///   - session: a half-done upload of the same object to go on with; the buffer must start at byte 0 all the same.
    ///   - began: called with a new session before any byte is sent to it.
    ///   - accept: called once when every byte has arrived and before the object can exist; throws to give up the upload (rethrown).
    func put(
        _ object: NewObject, from buffer: BodyBuffer, length: Int64?, session: UploadSession?,
        began: @Sendable (UploadSession) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome
    /// nil if there is none.
    func head(_ name: String) async throws -> StoredObject?
    /// Objects whose names start with `prefix`, a page (≤ 1000) at a time, in name order; nil token ends.
    func list(prefix: String, pageToken: String?) async throws -> (objects: [StoredObject], nextPageToken: String?)
    /// Whole content of a small object (state store); nil if there is none.
    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)?
    /// Replaces a small object of the state store. `generation` 0: only if absent; nil: whatever is there. False: somebody else was first.
    func replace(_ name: String, with bytes: [UInt8], contentType: String, ifGeneration generation: Int64?) async throws -> Bool
}

/// Opens `gs://bucket[/prefix]` or `file:///dir`.
/// - Parameters:
///   - tokens: unused for directories.
///   - endpoint: `https://storage.googleapis.com` or `STORAGE_EMULATOR_HOST` (with or without scheme, trailing slash).
package func openStore(_ url: String, http: HTTPClient, tokens: TokenSource, endpoint: String) throws(StorageError) -> any ObjectStore { fatalError() }
