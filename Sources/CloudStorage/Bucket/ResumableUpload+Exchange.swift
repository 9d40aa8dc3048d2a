import FoundationEssentials
import HTTPClient

extension ResumableUpload {
    /// How one data request ended.
    enum Sent {
        case persisted(Int64)
        case done(PutOutcome)
        case fault(Fault)
    }

    /// Sends bytes `offset..<end`; with `length` and `end` equal it is the request that creates the object.
    mutating func send(
        _ body: HTTPRequestBody,
        to end: Int64,
        of length: Int64?,
        extra: [HTTPField]? = nil
    ) async throws -> Sent {
        let request = HTTPRequest(
            "PUT",
            session.uri,
            headers: [HTTPField("Content-Range", SessionRange.header(from: offset, to: end, of: length))]
                + (extra ?? [store.idempotencyToken()]),
            body: body
        )
        let isLast = end == length
        switch try await store.once(request, subject: subject, attempts: &attempts) {
        case .fault(let fault): return .fault(fault)
        case .answer(let response):
            switch response.status {
            case 200, 201:
                // To a session that is complete already any request has the finished object as its answer.
                return .done(
                    isLast
                        ? .created(try store.created(response, name: name, from: buffer))
                        : .exists(try store.object(response, name: name))
                )
            case 308: return .persisted(try persisted(response))
            case 412: return .done(try await store.existing(name, subject: subject))
            default: return .done(.exists(try await refused(response, afterLast: isLast)))
            }
        }
    }

    /// Asks how much the bucket has, until it says so.
    mutating func status(afterLast: Bool = false) async throws -> Status {
        while true {
            let request = HTTPRequest(
                "PUT",
                session.uri,
                headers: [HTTPField("Content-Range", SessionRange.query), store.idempotencyToken()],
                body: .bytes([])
            )
            switch try await store.once(request, subject: subject, attempts: &attempts) {
            case .fault(let fault): try await attempts.pause(after: fault)
            case .answer(let response):
                switch response.status {
                case 200, 201: return .complete(response)
                case 308: return .persisted(try persisted(response))
                default:
                    return .found(try await refused(response, afterLast: afterLast))
                }
            }
        }
    }

    private func persisted(_ response: HTTPResponse) throws -> Int64 {
        guard let count = SessionRange.persisted(response.head.header("Range")) else {
            throw StorageError(code: .malformed, message: "\(subject): the bucket's Range cannot be understood.")
        }
        return count
    }

    /// A 4xx of the session: dead (404, 410, 499), bad bytes, or a refusal.
    ///
    /// Where the last request had been sent before, the object may exist although the session is forgotten: then it is looked up.
    private func refused(_ response: HTTPResponse, afterLast: Bool) async throws -> StoredObject {
        switch response.status {
        case 404, 410, 499:
            if afterLast, let object = try await store.head(name) { return object }
            throw StorageError(code: .sessionLost, message: "\(subject): the bucket has given up the upload.")
        default:
            let refusal = Refusal(response)
            if refusal.isChecksum {
                await cancel()
                throw store.mismatch(subject)
            }
            if isResumed, refusal.status == 400 {
                // Begun for another download: what it does not like about this one, a session of its own may.
                await cancel()
                throw StorageError(
                    code: .sessionLost,
                    message: "\(subject): the upload that was begun before does not take this download."
                )
            }
            throw refusal.error(.create, subject, bucket: store.bucket)
        }
    }

    func interrupted() -> StorageError {
        StorageError(
            code: .interrupted(session),
            message: "\(subject): the upload broke off; it goes on with another download of the same bytes."
        )
    }

    /// The bucket claims bytes that it was never sent, or that this download does not have: the session cannot be trusted.
    func overrun() async -> StorageError {
        await cancel()
        return StorageError(
            code: .sessionLost,
            message: "\(subject): the bucket has more bytes in the upload than this download gave it."
        )
    }

    /// Ends the session so that nobody goes on with it; only a courtesy, since it would expire after a week.
    func cancel() async {
        var attempts = Attempts()
        _ = try? await store.once(
            HTTPRequest("DELETE", session.uri, body: .bytes([])),
            subject: subject,
            attempts: &attempts
        )
    }
}
