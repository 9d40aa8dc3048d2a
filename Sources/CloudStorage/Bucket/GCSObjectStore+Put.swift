import Checksums
import FoundationEssentials
import HTTPClient

extension GCSObjectStore {
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
        let subject = "Storing \(quoted(object.name))"
        if let session, endpoint.mayGoOn(with: session) {
            var upload = ResumableUpload(
                store: self,
                name: object.name,
                buffer: buffer,
                session: session,
                isResumed: true
            )
            switch try await upload.resume(length: length, confirmed: confirmed) {
            case .over(let outcome): return outcome
            case .goesOn: return try await upload.run(length: length, confirmed: confirmed, accept: accept)
            case .useless: break
            }
        }
        if buffer.hasEnded || length.map({ $0 <= Int64(buffer.allowance) }) ?? true {
            try await fromSource(subject) { () async throws(HTTPError) in try await buffer.wait(for: .max) }
            if buffer.hasEnded {
                try checkLength(buffer.received, announced: length, subject: subject)
                try await accept()
                return try await insert(object, from: buffer, subject: subject)
            }
        }
        guard let session = try await begin(object, length: length, subject: subject) else {
            return try await existing(object.name, subject: subject)
        }
        try await began(session)
        var upload = ResumableUpload(store: self, name: object.name, buffer: buffer, session: session)
        return try await upload.run(length: length, confirmed: confirmed, accept: accept)
    }

    /// What stands under the name of an object that the bucket refused to overwrite.
    func existing(_ name: String, subject: String) async throws -> PutOutcome {
        guard let object = try await head(name) else {
            throw StorageError(
                code: .unavailable(retryAfter: nil),
                message: "\(subject): the bucket holds that name and then does not; somebody else is writing there."
            )
        }
        return .exists(object)
    }

    /// The answer about a new object, if it speaks of the bytes that were sent.
    func created(_ response: HTTPResponse, name: String, from buffer: BodyBuffer) throws -> StoredObject {
        let stored = try object(response, name: name)
        guard stored.size == buffer.received, stored.crc32c == buffer.crc32c.value else {
            throw StorageError(
                code: .checksumMismatch,
                message: """
                    Storing \(quoted(name)): the bucket says \(stored.size) bytes with crc32c \(stored.crc32c), but \
                    \(buffer.received) bytes with crc32c \(buffer.crc32c.value) were sent.
                    """
            )
        }
        return stored
    }

    func insertResource(_ object: NewObject) -> InsertResource {
        // Cloud Storage takes times from 1970 on only as customTime.
        let customTime = object.customTime.flatMap { text in
            CaptureTime(text).flatMap { $0.seconds >= 0 ? text : nil }
        }
        return InsertResource(
            name: prefix + object.name,
            contentType: mediaType(object.contentType),
            metadata: object.metadata,
            customTime: customTime,
            storageClass: object.storageClass
        )
    }

    /// One request that carries metadata and bytes; repeated with one idempotency token, so the service may replay its answer.
    private func insert(_ object: NewObject, from buffer: BodyBuffer, subject: String) async throws -> PutOutcome {
        var resource = insertResource(object)
        resource.crc32c = buffer.crc32c.base64
        let response = try await repeated(
            try multipart(resource, url: insertURL(object.name, type: "multipart") + "&ifGenerationMatch=0", buffer),
            subject: subject
        )
        switch response.status {
        case 200, 201: return .created(try created(response, name: object.name, from: buffer))
        case 412: return try await existing(object.name, subject: subject)
        default:
            let refusal = Refusal(response)
            if refusal.isChecksum { throw mismatch(subject) }
            throw refusal.error(.create, subject, bucket: bucket)
        }
    }

    /// A `multipart/related` upload: CRLF, two parts, each with its own type (RFC 2387; Cloud Storage docs: "Single-request uploads").
    func multipart(_ resource: InsertResource, url: String, _ buffer: BodyBuffer) throws -> HTTPRequest {
        // 122 random bits: no photo holds them.
        let boundary = "coldroll" + UUID().uuidString.filter { $0 != "-" }
        var head = Array("--\(boundary)\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".utf8)
        head += try resource.json()
        head += Array("\r\n--\(boundary)\r\nContent-Type: \(resource.contentType)\r\n\r\n".utf8)
        return HTTPRequest(
            "POST",
            url,
            headers: [HTTPField("Content-Type", "multipart/related; boundary=\(boundary)"), idempotencyToken()],
            body: .framed(head: head, buffer, tail: Array("\r\n--\(boundary)--\r\n".utf8))
        )
    }

    /// Starts a session; the object's metadata is fixed from here on.
    ///
    /// - Returns: nil where the bucket holds the name already and says so at once: it need not, the last request is
    ///   refused all the same.
    private func begin(_ object: NewObject, length: Int64?, subject: String) async throws -> UploadSession? {
        let resource = insertResource(object)
        var request = HTTPRequest(
            "POST",
            insertURL(object.name, type: "resumable") + "&ifGenerationMatch=0",
            headers: [
                HTTPField("Content-Type", "application/json; charset=UTF-8"),
                HTTPField("X-Upload-Content-Type", resource.contentType), idempotencyToken(),
            ],
            body: .bytes(try resource.json())
        )
        if let length { request.headers.append(HTTPField("X-Upload-Content-Length", String(length))) }
        let response = try await repeated(request, subject: subject)
        if response.status == 412 { return nil }
        guard response.status == 200 || response.status == 201 else {
            throw Refusal(response).error(.create, subject, bucket: bucket)
        }
        guard let location = response.head.header("Location") else {
            throw StorageError(
                code: .malformed,
                message: "\(subject): the bucket began an upload and did not say where."
            )
        }
        let session = UploadSession(uri: location, length: length)
        guard endpoint.owns(session) else {
            throw StorageError(
                code: .malformed,
                message: "\(subject): the bucket sends the upload to another host than its own."
            )
        }
        return session
    }

    func mismatch(_ subject: String) -> StorageError {
        StorageError(
            code: .checksumMismatch,
            message: "\(subject): the bytes that arrived are not the bytes that were sent; the bucket stored nothing."
        )
    }

    /// One value for all tries of one request (google-cloud-go sends it since v0.115).
    func idempotencyToken() -> HTTPField {
        HTTPField("x-goog-gcs-idempotency-token", UUID().uuidString)
    }

    func checkLength(_ received: Int64, announced: Int64?, subject: String) throws {
        guard let announced, announced != received else { return }
        throw StorageError(
            code: .sourceFailed,
            message: "\(subject): the download announced \(announced) bytes and gave \(received)."
        )
    }
}

/// A media type that can stand in a header.
private func mediaType(_ text: String) -> String {
    let fits = !text.isEmpty && text.utf8.count <= 200 && text.utf8.allSatisfy { $0 >= 32 && $0 < 127 }
    return fits ? text : "application/octet-stream"
}
