package import HTTPClient

/// A place for objects that are written once: a bucket or a directory.
///
/// Everything here throws `StorageError`, what the closures of `put` throw, or `CancellationError` after the task was cancelled.
package protocol ObjectStore: Sendable {
    /// `gs://bucket/prefix` or `file:///dir`: what identifies the archive in the ledger.
    var url: String { get }
    /// Makes the place if coldroll can (a directory with its parents), then checks it; for `coldroll setup`.
    func create() async throws
    /// Throws with what to do when the place does not exist or cannot be written.
    func check() async throws
    /// A mark of this very place, made on first use, where its URL may lead to another place on another host or at another
    /// time (a directory); nil where the URL alone says it (a bucket).
    func identity() async throws -> String?
    /// What `check` and `identity` would find, as far as that can be seen without writing anything; for `coldroll doctor`.
    ///
    /// Returns nil also for a directory that has no mark yet; throws as `check`.
    func look() async throws -> String?
    /// Sends one cheap request, without repeats, to see whether the place answers at all.
    ///
    /// Throws `.unavailable` if it does not; a refusal is an answer.
    func probe() async throws
    /// Creates one object from a buffer whose download may still run.
    ///
    /// The buffer stays the caller's: after an error, or an object that exists, it may hold unread bytes; abandon it.
    /// - Parameters:
    ///   - object: what to create.
    ///   - buffer: the bytes, from byte 0; allowance ≥ 384 KiB (a resumable upload waits for its last 256 KiB in memory).
    ///   - length: size if known (Content-Length).
    ///   - session: a half-done upload of the same object to go on with; the buffer must start at byte 0 all the same.
    ///     One that is dead, empty, of another endpoint or another length is left, and a new one begun.
    ///   - began: called with a new session before any byte is sent to it.
    ///   - confirmed: called with how many bytes the bucket has, where it says so before the last request: when `session` is
    ///     gone on with, and after each chunk of a body of unknown length.
    ///   - accept: called once when every byte has arrived and before the object can exist; throws to give up the upload (rethrown).
    ///     Not called where something is found under the name before that.
    /// - Returns: what now stands under the name.
    /// - Throws: `StorageError`; its code says what to do with the session.
    func put(
        _ object: NewObject,
        from buffer: BodyBuffer,
        length: Int64?,
        session: UploadSession?,
        began: @Sendable (UploadSession) async throws -> Void,
        confirmed: @Sendable (Int64) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome
    /// nil if there is none.
    func head(_ name: String) async throws -> StoredObject?
    /// Objects whose names start with `prefix`, a page (≤ 1000) at a time, in name order; nil token ends.
    ///
    /// A page may be empty and still have a token. Order is that of the names' UTF-8 bytes.
    func list(prefix: String, pageToken: String?) async throws -> (objects: [StoredObject], nextPageToken: String?)
    /// Whole content of a small object (state store); nil if there is none.
    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)?
    /// Replaces a small object of the state store. `generation` 0: only if absent; nil: whatever is there. False: somebody else was first.
    func replace(
        _ name: String,
        with bytes: [UInt8],
        contentType: String,
        ifGeneration generation: Int64?
    ) async throws -> Bool
}

extension ObjectStore {
    package func identity() async throws -> String? { nil }
}
