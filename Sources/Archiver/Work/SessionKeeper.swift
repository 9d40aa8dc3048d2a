import CloudStorage
import JobQueue
import Logging
import Postgres
import Synchronization

/// The upload session of one job: kept in the queue where it is worth it, so that another worker can go on with it.
///
/// What the queue knows of it is a convenience, not a promise: without the row, or with an old one, an upload starts over.
/// So a database that is away holds no upload up; a lost claim does, since the bytes are somebody else's by then.
final class SessionKeeper: Sendable {
    /// Bytes below which an upload is not kept: sending them again takes 30 s at 8 Mbit/s, the time that Google advises
    /// to be willing to lose (Cloud Storage docs: "Uploads and downloads"), and a crash is rarer than a row is dear.
    static let worthwhile: Int64 = 32 << 20
    /// Bytes between two notes of how far an upload has got.
    ///
    /// The bucket says so only between requests: a body of known length is one request, and is noted when it begins and
    /// when somebody goes on with it.
    static let step: Int64 = 64 << 20

    private struct State {
        var session: UploadSession?
        /// Whether the queue has a row that is this claim's.
        var isKept = false
        /// Whether the session comes from another claim, and nothing has been heard of it yet.
        var isTaken = false
        var noted: Int64 = 0
    }
    private let state = Mutex(State())
    private let context: ArchiveContext
    private let worker: Int64
    private let job: JobReference

    init(_ context: ArchiveContext, worker: Int64, job: JobReference) {
        self.context = context
        self.worker = worker
        self.job = job
    }

    /// The session to go on with.
    var session: UploadSession? { state.withLock { $0.session } }

    /// Looks whether an earlier claim left a session that makes this very object.
    ///
    /// - Parameter job: under the name that its object is to have.
    /// - Throws: `PostgresError`.
    func take(for job: ClaimedJob) async throws {
        guard job.hasUpload, let kept = try await context.queue.takeUpload(worker: worker, self.job) else { return }
        state.withLock { $0.isKept = true }
        guard kept.archive == context.archive.url, kept.objectName == job.objectName else {
            return await drop()
        }
        state.withLock { state in
            state.session = UploadSession(uri: kept.session, length: kept.length)
            state.isTaken = true
        }
    }

    /// A session was opened for an object of this name; any other is of no use any more.
    ///
    /// - Throws: `CancellationError` if the claim is lost.
    func began(_ session: UploadSession, as name: String) async throws {
        if let length = session.length, length >= Self.worthwhile {
            return try await keep(session, as: name, offset: 0)
        }
        await drop()
        state.withLock { $0.session = session }
    }

    /// The bucket has so many bytes.
    ///
    /// - Throws: `CancellationError` if the claim is lost.
    func confirmed(_ offset: Int64, as name: String) async throws {
        let now = state.withLock { state in
            defer { state.isTaken = false }
            return state
        }
        if now.isTaken {
            context.logger.log(
                .info,
                "goes on with an upload that another worker began",
                ["part": .integer(job.part), "bytes": .integer(offset)]
            )
        }
        if now.isKept {
            guard now.isTaken || offset - now.noted >= Self.step else { return }
            try await holding {
                try await context.queue.noteUpload(worker: worker, job, offset: offset)
            }
            state.withLock { $0.noted = offset }
        } else if offset >= Self.worthwhile, let session = now.session {
            // Only now is it known that a body of unknown length is large.
            try await keep(session, as: name, offset: offset)
        }
    }

    /// Forgets the session: it is dead, or not this object's.
    func drop() async {
        let wasKept = state.withLock { state in
            defer { state = State() }
            return state.isKept
        }
        guard wasKept else { return }
        do {
            try await context.queue.forgetUpload(worker: worker, job)
        } catch {
            // Who finds it will find it dead.
            warn("could not forget an upload session", error)
        }
    }

    private func keep(_ session: UploadSession, as name: String, offset: Int64) async throws {
        let upload = KeptUpload(
            session: session.uri,
            length: session.length,
            archive: context.archive.url,
            objectName: name
        )
        state.withLock { $0.session = session }
        let isKept = try await holding {
            try await context.queue.keepUpload(worker: worker, job, upload, offset: offset)
        }
        state.withLock { state in
            // If it failed, a row of an older session may still be there: this claim's to forget.
            state.isKept = isKept || state.isKept
            state.isTaken = false
            state.noted = offset
        }
    }

    /// Runs a statement that answers whether the claim holds; false if the database did not answer.
    @discardableResult
    private func holding(_ statement: () async throws -> Bool) async throws -> Bool {
        let holds: Bool
        do {
            holds = try await statement()
        } catch {
            try Task.checkCancellation()
            warn("could not keep an upload session", error)
            return false
        }
        guard holds else { throw CancellationError() }
        return true
    }

    private func warn(_ message: StaticString, _ error: any Error) {
        context.logger.log(.warning, message, ["part": .integer(job.part), "error": .string("\(error)")])
    }
}
