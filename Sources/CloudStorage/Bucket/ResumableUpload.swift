import Checksums
import HTTPClient

/// One upload session being filled from a buffer.
///
/// `offset` counts bytes that the bucket has and the buffer has let go of. Only the last request can make the object exist, so
/// everything that may refuse it is asked before that.
struct ResumableUpload {
    /// Bytes per request while the length is unknown, if the budget has them: these stay in memory until the bucket has them.
    static let chunk = 4 << 20
    /// What a buffer may need beyond its content: its blocks are filled one by one.
    static let slack = 2 * ByteBudget.block

    let store: GCSObjectStore
    let name: String
    let buffer: BodyBuffer
    let session: UploadSession
    /// Whether the session was begun for another download.
    let isResumed: Bool
    var offset: Int64 = 0
    var attempts = Attempts()

    init(store: GCSObjectStore, name: String, buffer: BodyBuffer, session: UploadSession, isResumed: Bool = false) {
        self.store = store
        self.name = name
        self.buffer = buffer
        self.session = session
        self.isResumed = isResumed
    }

    var subject: String { "Storing \(store.quoted(name))" }

    /// What the session says that it has.
    enum Status {
        case persisted(Int64)
        case complete(HTTPResponse)
        /// The session is forgotten, and an object stands under the name.
        case found(StoredObject)
    }

    /// How a session that was kept was found.
    enum Resumption {
        /// It is complete already: somebody else, or this process before it died, sent the last byte.
        case over(PutOutcome)
        case goesOn
        /// Dead, empty or for a body of another length; nothing of the buffer has been used.
        case useless
    }

    /// Asks a kept session where it stands and drops what the bucket already has; every byte passes the checksum all the same.
    ///
    /// An empty one is not gone on with: the object's metadata was fixed when it was begun, for a download of which nothing
    /// arrived. What has a unit of the same bytes has the same beginning, and so the same type.
    mutating func resume(
        length: Int64?,
        confirmed: (Int64) async throws -> Void
    ) async throws -> Resumption {
        let count: Int64
        do {
            switch try await status() {
            case .complete(let response): return .over(.exists(try store.object(response, name: name)))
            case .found(let object): return .over(.exists(object))
            case .persisted(let persisted): count = persisted
            }
        } catch let error as StorageError where error.code == .sessionLost {
            return .useless
        }
        guard session.length == length, count >= SessionRange.unit, length.map({ count <= $0 }) ?? true else {
            await cancel()
            return .useless
        }
        try await confirmed(count)
        do throws(HTTPError) {
            try await buffer.skip(count)
        } catch {
            try Task.checkCancellation()
            guard buffer.hasEnded else {
                throw StorageError(code: .sourceFailed, message: "\(subject): \(error.message)")
            }
            throw await overrun()
        }
        offset = count
        return .goesOn
    }

    /// Sends the rest, and the object exists.
    mutating func run(
        length: Int64?,
        confirmed: (Int64) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome {
        let early = if let length { try await sendBulk(of: length) } else { try await sendChunks(confirmed) }
        if let early { return early }
        do {
            try await accept()
            try store.checkLength(buffer.received, announced: length, subject: subject)
        } catch {
            // A shutdown leaves the session to whoever goes on; a refusal makes sure that nobody does.
            if !(error is CancellationError) { await cancel() }
            throw error
        }
        return try await sendLast()
    }

    // MARK: Known length

    /// All but the last 256 KiB in one request, drained while the download runs; then the tail is waited for in memory.
    private mutating func sendBulk(of length: Int64) async throws -> PutOutcome? {
        let tail = SessionRange.tailStart(of: length)
        // A remainder below one unit may only be part of the last request.
        while tail - offset >= SessionRange.unit {
            let body = HTTPRequestBody.drain(buffer, count: tail - offset)
            switch try await send(body, to: tail, of: length) {
            case .done(let outcome): return outcome
            case .persisted(let count): try await drained(count)
            case .fault(let fault):
                try await attempts.pause(after: fault)
                switch try await status() {
                case .complete(let response): return .exists(try store.object(response, name: name))
                case .found(let object): return .exists(object)
                case .persisted(let count): try await drained(count)
                }
            }
        }
        let room = Int(length - offset) + Self.slack
        try await fromSource(subject) { () async throws(HTTPError) in
            if buffer.allowance < room { try await buffer.grow(to: room) }
            try await buffer.waitForEnd()
        }
        return nil
    }

    /// Goes on if the bucket has exactly what left the buffer; bytes in between are gone and take another download.
    private mutating func drained(_ persisted: Int64) async throws {
        let gone = buffer.consumed
        if persisted > gone { throw await overrun() }
        guard persisted == gone else { throw interrupted() }
        if persisted > offset { attempts.progressed() }
        offset = persisted
    }

    // MARK: Unknown length

    /// Chunks that stay in memory until the bucket has them, up to the one that will be the last.
    private mutating func sendChunks(_ confirmed: (Int64) async throws -> Void) async throws -> PutOutcome? {
        while true {
            let before = offset
            let limit = try await chunkLimit()
            try await fromSource(subject) { () async throws(HTTPError) in try await buffer.wait(for: limit) }
            if buffer.hasEnded { return nil }
            let count = Int64(min(buffer.available, limit)) / SessionRange.unit * SessionRange.unit
            switch try await send(.held(buffer, count: Int(count)), to: offset + count, of: nil) {
            case .done(let outcome): return outcome
            case .persisted(let persisted): try await advance(to: persisted, sent: offset + count)
            case .fault(let fault):
                try await attempts.pause(after: fault)
                switch try await status() {
                case .complete(let response): return .exists(try store.object(response, name: name))
                case .found(let object): return .exists(object)
                case .persisted(let persisted): try await advance(to: persisted, sent: offset + count)
                }
            }
            if offset > before { try await confirmed(offset) }
        }
    }

    /// The largest chunk for which there is memory now, a multiple of 256 KiB.
    ///
    /// It waits for the smallest only: uploads that hold a part of the budget each and wait for more could wait for ever.
    private func chunkLimit() async throws -> Int {
        let unit = Int(SessionRange.unit)
        var wanted = Self.chunk
        while wanted > unit, !buffer.tryGrow(to: wanted + Self.slack) { wanted /= 2 }
        if wanted == unit, buffer.allowance < unit + Self.slack {
            try await fromSource(subject) { () async throws(HTTPError) in try await buffer.grow(to: unit + Self.slack) }
        }
        return wanted
    }

    /// Lets go of what the bucket has; it may be less than was sent, and never more.
    private mutating func advance(to persisted: Int64, sent: Int64) async throws {
        if persisted > sent { throw await overrun() }
        guard persisted >= offset else { throw interrupted() }
        guard persisted > offset else { return }
        let step = persisted - offset
        try await fromSource(subject) { () async throws(HTTPError) in try await buffer.skip(step) }
        offset = persisted
        attempts.progressed()
    }

    // MARK: The last request

    /// Sends what is left, with the checksum of every byte; the bucket refuses a mixture.
    private mutating func sendLast() async throws -> PutOutcome {
        let length = buffer.received
        let hash = HTTPField("X-Goog-Hash", "crc32c=\(buffer.crc32c.base64)")
        var token = store.idempotencyToken()
        while true {
            let body: HTTPRequestBody = offset == length ? .bytes([]) : .framed(head: [], buffer, tail: [])
            let before = offset
            switch try await send(body, to: length, of: length, extra: [hash, token]) {
            case .done(let outcome): return outcome
            case .persisted(let count):
                try await advance(to: count, sent: length)
                if offset == before {
                    try await attempts.pause(after: Fault(message: "\(subject): the bucket takes no more bytes."))
                }
            case .fault(let fault):
                try await attempts.pause(after: fault)
                switch try await status(afterLast: true) {
                case .complete(let response):
                    return .created(try store.created(response, name: name, from: buffer))
                case .found(let object): return .exists(object)
                case .persisted(let count): try await advance(to: count, sent: length)
                }
            }
            // Another range is another request.
            if offset != before { token = store.idempotencyToken() }
        }
    }
}
