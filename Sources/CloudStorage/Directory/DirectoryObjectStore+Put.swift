import Checksums
import HTTPClient

extension DirectoryObjectStore {
    /// A directory has no sessions: `session` is ignored, `began` and `confirmed` are never called.
    func put(
        _ object: NewObject,
        from buffer: BodyBuffer,
        length: Int64?,
        session: UploadSession?,
        began: @Sendable (UploadSession) async throws -> Void,
        confirmed: @Sendable (Int64) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome {
        try checkName(object.name)
        try await keeper.prepare()
        if let there = try await head(object.name) { return .exists(there) }
        if try await keeper.isOccupied(object.name) { return .occupied }
        let file = TemporaryFile(for: "\(keeper.root)/\(object.name)", below: keeper.root)
        do {
            try await file.create()
            try await fill(file, from: buffer, subject: "Storing \(String(reflecting: object.name)) in \(url)")
            try await accept()
            return try await publish(file, object, from: buffer, length: length)
        } catch {
            await file.discard()
            throw error
        }
    }

    /// Writes pieces of half the allowance, so that the download refills one half while the disk takes the other.
    private func fill(_ file: TemporaryFile, from buffer: BodyBuffer, subject: String) async throws {
        let piece = min(max(ByteBudget.block, buffer.allowance / 2), 1 << 20)
        while true {
            try await fromSource(subject) { () async throws(HTTPError) in try await buffer.wait(for: piece) }
            let hasEnded = buffer.hasEnded
            let bytes = buffer.take(piece)
            if !bytes.isEmpty { try await file.append(bytes) }
            if hasEnded, buffer.available == 0 { return }
        }
    }

    private func publish(
        _ file: TemporaryFile,
        _ object: NewObject,
        from buffer: BodyBuffer,
        length: Int64?
    ) async throws -> PutOutcome {
        let subject = "Storing \(String(reflecting: object.name)) in \(url)"
        if let length, length != buffer.received {
            throw StorageError(
                code: .sourceFailed,
                message: "\(subject): the download announced \(length) bytes and gave \(buffer.received)."
            )
        }
        let time = object.customTime.flatMap { CaptureTime($0) }
        let written = try await file.finish(modified: time ?? DirectoryKeeper.now)
        guard written.size == buffer.received, written.crc32c == buffer.crc32c else {
            throw StorageError(
                code: .checksumMismatch,
                message: "\(subject): the bytes that were written are not the bytes that arrived."
            )
        }
        let line = ManifestLine(
            name: object.name,
            size: written.size,
            crc32c: written.crc32c.base64,
            generation: 0,
            modifiedSeconds: written.modified.seconds,
            modifiedNanoseconds: written.modified.nanoseconds,
            contentType: object.contentType,
            customTime: time == nil ? nil : object.customTime,
            metadata: object.metadata
        )
        if let stored = try await keeper.publish(file, line) { return .created(stored) }
        await file.discard()
        if let there = try await head(object.name) { return .exists(there) }
        return .occupied
    }
}
