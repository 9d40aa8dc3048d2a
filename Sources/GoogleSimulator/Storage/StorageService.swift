import HTTPServer
import Synchronization

/// The JSON API of Cloud Storage, as strict as the real one where that is known.
final class StorageService: Sendable {
    let store: BucketStore
    let sessions: UploadSessions
    let projects = Projects()
    private let desk: TokenDesk
    private let replays = Replays()

    init(store: BucketStore, desk: TokenDesk, sessionLifetimeSeconds: Double) {
        self.store = store
        self.desk = desk
        sessions = UploadSessions(lifetimeSeconds: sessionLifetimeSeconds)
    }

    /// What a fault rule may match: the object's or the bucket's name.
    func subjects(_ route: StorageRoute, _ call: Call) -> [String] {
        switch route {
        case .bucketInsert, .bucketList, .unknown: []
        case .bucketGet(let bucket), .bucketPatch(let bucket), .bucketPolicy(let bucket),
            .bucketPermissions(let bucket),
            .bucketLock(let bucket), .objectList(let bucket):
            [bucket]
        case .objectGet(_, let name), .objectDownload(_, let name), .objectDelete(_, let name): [name.text]
        case .uploadMultipart, .uploadMedia, .uploadStart: call.query["name"].map { [$0] } ?? []
        case .uploadData(let id), .uploadStatus(let id), .uploadCancel(let id):
            sessions.find(id).map { [$0.intent.name.text] } ?? []
        }
    }

    /// Starts on a request.
    func work(_ route: StorageRoute, _ call: Call, strikes: Strikes) -> Work {
        do {
            try authorize(route, call)
        } catch {
            let answer = error.answer
            return .answer { answer }
        }
        switch route {
        case .uploadData(let id), .uploadStatus(let id):
            return sessionWork(id, call, strikes: strikes)
        case .uploadCancel(let id): return .answer { self.sessions.cancel(id, self) }
        default: break
        }
        guard let key = Replays.key(call) else { return fresh(route, call) }
        if let earlier = replays.answer(key) { return .answer { earlier } }
        return replays.recording(key, fresh(route, call))
    }

    private func fresh(_ route: StorageRoute, _ call: Call) -> Work {
        switch route {
        case .uploadMultipart(let bucket):
            guard let boundary = MultipartParser.boundary(contentType: call.header("content-type") ?? "") else {
                let refusal = StorageRefusal(
                    status: 400,
                    reason: "badContent",
                    message: "A multipart upload needs multipart/related."
                )
                return .answer { refusal.answer }
            }
            return .receive(
                InsertReceiver(service: self, bucket: bucket, call: call, form: .multipart(boundary: boundary))
            )
        case .uploadMedia(let bucket):
            let form = InsertReceiver.Form.media(contentType: call.header("content-type"))
            return .receive(InsertReceiver(service: self, bucket: bucket, call: call, form: form))
        case .uploadStart(let bucket): return .collect { self.start(bucket, call, body: $0) }
        case .bucketInsert: return .collect { self.insertBucket(call, $0) }
        case .bucketList: return .answer { self.listBuckets(call) }
        case .bucketGet(let name): return .answer { self.getBucket(name, call) }
        case .bucketPatch(let name): return .collect { self.patchBucket(name, call, $0) }
        case .bucketLock(let name): return .answer { self.lockRetention(name, call) }
        case .bucketPolicy(let name): return .answer { self.getPolicy(name, call) }
        case .bucketPermissions(let name): return .answer { self.testPermissions(name, call) }
        case .objectList(let bucket): return .answer { self.list(bucket, call) }
        case .objectGet(let bucket, let name): return .answer { self.get(bucket, name, call) }
        case .objectDownload(let bucket, let name): return .answer { self.download(bucket, name, call) }
        case .objectDelete(let bucket, let name): return .answer { self.delete(bucket, name, call) }
        case .uploadData, .uploadStatus, .uploadCancel, .unknown:
            return .answer { .page(404, "The requested URL was not found on this server") }
        }
    }

    private func authorize(_ route: StorageRoute, _ call: Call) throws(StorageRefusal) {
        let isSession =
            switch route {
            case .uploadData, .uploadStatus, .uploadCancel: true
            default: false
            }
        guard let header = call.header("authorization") else {
            // A session URI is its own permission.
            if isSession { return }
            throw StorageRefusal(
                status: 401,
                reason: "required",
                message:
                    "Anonymous caller does not have storage access to the Google Cloud Storage resource. Permission "
                    + "denied on resource (or it may not exist).",
                location: "Authorization"
            )
        }
        guard let grant = desk.grant(authorization: header) else {
            throw StorageRefusal(
                status: 401,
                reason: "authError",
                message: "Invalid Credentials",
                location: "Authorization"
            )
        }
        guard route.isCovered(by: grant.scopes) else {
            throw StorageRefusal(
                status: 403,
                reason: "insufficientPermissions",
                message: "Request had insufficient authentication scopes."
            )
        }
        if let need = route.need { try store.bucket(need.bucket)?.require(need.permission) }
    }

    /// An object as the answer to its insert.
    func describe(_ object: ObjectRecord, _ intent: UploadIntent) -> ServerAnswer {
        let kept = store.bucket(object.bucket)?.expiration(of: object)
        let resource = object.resource(origin: intent.origin, kept: kept)
        return .json(200, intent.fields.map { FieldMask($0).applied(to: resource) } ?? resource)
    }

    /// What a thrown error becomes on the wire.
    func refusal(_ error: any Error) -> ServerAnswer {
        if let refusal = error as? StorageRefusal { return refusal.answer }
        return StorageRefusal(
            status: 500,
            reason: "internalError",
            message: "We encountered an internal error. \(error)"
        ).answer
    }
}

/// Answers that are given again when a request comes again with its idempotency token.
final class Replays: Sendable {
    private struct State {
        var answers: [String: ServerAnswer] = [:]
        var order: [String] = []
    }
    // Enough for every request that may be under way, many times over.
    private static let limit = 10_000
    private let state = Mutex(State())

    /// What a request is known by; nil if it has no token.
    static func key(_ call: Call) -> String? {
        call.header("x-goog-gcs-idempotency-token").map { "\($0) \(call.method) \(call.path)?\(call.request.query)" }
    }

    func answer(_ key: String) -> ServerAnswer? { state.withLock { $0.answers[key] } }

    /// The same work, with its answer remembered if it went well.
    func recording(_ key: String, _ work: Work) -> Work {
        switch work {
        case .answer(let make): .answer { self.remember(key, make()) }
        case .receive(let receiver): .receive(RememberingReceiver(inner: receiver) { self.remember(key, $0) })
        }
    }

    private func remember(_ key: String, _ answer: ServerAnswer) -> ServerAnswer {
        guard answer.status < 300 else { return answer }
        state.withLock { state in
            if state.answers.updateValue(answer, forKey: key) == nil { state.order.append(key) }
            if state.order.count > Self.limit {
                for old in state.order.prefix(Self.limit / 2) { state.answers[old] = nil }
                state.order.removeFirst(Self.limit / 2)
            }
        }
        return answer
    }
}

/// Hands everything on and shows the answer to somebody.
private final class RememberingReceiver: BodyReceiver {
    private let inner: any BodyReceiver
    private let remember: @Sendable (ServerAnswer) -> ServerAnswer

    init(inner: any BodyReceiver, remember: @escaping @Sendable (ServerAnswer) -> ServerAnswer) {
        self.inner = inner
        self.remember = remember
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool { unsafe inner.receive(bytes) }
    func finish() -> ServerAnswer { remember(inner.finish()) }
    func abandon() { inner.abandon() }
}
