import HTTPServer

/// Takes a multipart or media upload and makes the object.
final class InsertReceiver: BodyReceiver {
    /// How the bytes stand in the request's body.
    enum Form: Sendable {
        /// All of the body is the object.
        case media(contentType: String?)
        case multipart(boundary: String)
    }

    private struct Progress {
        var parser: MultipartParser?
        var sink: ContentSink?
        var intent: UploadIntent?
        var failure: (any Error)?
    }

    private let service: StorageService
    private let bucket: String
    private let call: Call
    // Unchecked because one connection's thread makes all calls, one after the other (see BodyReceiver).
    nonisolated(unsafe) private var progress = Progress()

    init(service: StorageService, bucket: String, call: Call, form: Form) {
        self.service = service
        self.bucket = bucket
        self.call = call
        switch form {
        case .media(let contentType):
            do {
                _ = try open(resource: .object([]), contentType: contentType)
            } catch {
                unsafe progress.failure = error
            }
        case .multipart(let boundary):
            unsafe progress.parser = MultipartParser(boundary: boundary) { [unowned self] resource, contentType in
                try open(resource: resource, contentType: contentType)
            }
        }
    }

    private func open(resource: JSONValue, contentType: String?) throws -> ContentSink {
        let intent = try UploadIntent(
            bucket: bucket,
            call: call,
            resource: resource,
            contentType: contentType,
            store: service.store
        )
        let sink = try ContentSink(path: service.store.shelf.uploadPath(), hasMD5: service.store.hasMD5)
        unsafe progress.intent = intent
        unsafe progress.sink = sink
        return sink
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard unsafe progress.failure == nil else { return true }
        do {
            if let parser = unsafe progress.parser {
                try unsafe parser.take(bytes)
            } else {
                try unsafe progress.sink?.append(bytes)
            }
        } catch {
            unsafe progress.failure = error
        }
        return true
    }

    func finish() -> ServerAnswer {
        do {
            if let failure = unsafe progress.failure { throw failure }
            if let parser = unsafe progress.parser, !parser.isComplete {
                throw StorageRefusal(
                    status: 400,
                    reason: "badRequest",
                    message: "Failed to parse the multipart body: it is not complete."
                )
            }
            guard let intent = unsafe progress.intent, let sink = unsafe progress.sink else {
                throw StorageRefusal.invalid("Missing object data.")
            }
            // Whether X-Goog-Hash counts here is not documented: only checksums in the metadata do.
            let object = try service.store.insert(intent, content: sink, hashHeader: nil)
            return service.describe(object, intent)
        } catch {
            unsafe progress.sink?.discard()
            return service.refusal(error)
        }
    }

    func abandon() { unsafe progress.sink?.discard() }
}
