package import Postgres

/// A half-done upload as the queue keeps it for whoever claims the job next.
package struct KeptUpload: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// URI of the session: whoever has it can write to the object, so it is never logged.
    package let session: String
    /// Size that was announced when the session was opened; nil: not known then.
    package let length: Int64?
    /// URL of the archive that the session belongs to.
    package let archive: String
    /// Name of the object that the session makes.
    package let objectName: String

    package init(session: String, length: Int64?, archive: String, objectName: String) {
        self.session = session
        self.length = length
        self.archive = archive
        self.objectName = objectName
    }

    /// Says nothing of the secret.
    package var description: String { "a half-done upload of \(objectName)" }
    /// The same, since a debugger's output ends in logs too.
    package var debugDescription: String { description }
}

/// Half-done uploads; a row goes away with its job, in the statement that ends the job.
extension JobQueue {
    /// Keeps a session for whoever claims the job next, in place of any other; `offset` is what the bucket has.
    ///
    /// False if the claim is lost: stop the transfer.
    package func keepUpload(
        worker: Int64,
        _ job: JobReference,
        _ upload: KeptUpload,
        offset: Int64
    ) async throws(PostgresError) -> Bool {
        try await !pool.run(
            UploadStatements.keep,
            fence(worker, job) + [
                .integer(offset), .integer(upload.length), .text(upload.archive),
                .text(upload.objectName), .text(upload.session),
            ]
        ).isEmpty
    }

    /// The session that an earlier claim left, which is this claim's from now on; nil if there is none, or the claim is lost.
    package func takeUpload(worker: Int64, _ job: JobReference) async throws(PostgresError) -> KeptUpload? {
        guard let row = try await pool.run(UploadStatements.take, fence(worker, job)).first else { return nil }
        return KeptUpload(
            session: try row.text(3),
            length: try row.integerOrNil(0),
            archive: try row.text(1),
            objectName: try row.text(2)
        )
    }

    /// Notes how many bytes the bucket has, for people; whoever goes on asks the bucket.
    ///
    /// False if the claim is lost, or another claim has taken the upload: stop the transfer.
    package func noteUpload(worker: Int64, _ job: JobReference, offset: Int64) async throws(PostgresError) -> Bool {
        try await !pool.run(UploadStatements.note, fence(worker, job) + [.integer(offset)]).isEmpty
    }

    /// Forgets a session that is of no use any more; one that another claim has taken is left alone.
    package func forgetUpload(worker: Int64, _ job: JobReference) async throws(PostgresError) {
        _ = try await pool.run(UploadStatements.forget, fence(worker, job))
    }

    private func fence(_ worker: Int64, _ job: JobReference) -> [PostgresValue] {
        [.integer(worker), .integer(job.part), .integer(job.lease)]
    }
}
