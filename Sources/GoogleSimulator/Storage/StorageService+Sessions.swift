import HTTPServer
import Synchronization

extension StorageService {
    /// Starts a resumable upload: 200 with the session URI; conditions are checked at its end only.
    func start(_ bucket: String, _ call: Call, body: [UInt8]) -> ServerAnswer {
        guard let resource = body.isEmpty ? .object([]) : JSONValue.parse(body), resource.fields != nil else {
            return StorageRefusal(status: 400, reason: "parseError", message: "Parse Error").answer
        }
        do {
            let type = call.header("x-upload-content-type")
            let intent = try UploadIntent(
                bucket: bucket,
                call: call,
                resource: resource,
                contentType: type,
                store: store
            )
            let sink = try ContentSink(path: store.shelf.uploadPath(), hasMD5: store.hasMD5)
            let session = UploadSession(
                id: "A" + randomText(bytes: 60),
                intent: intent,
                total: call.header("x-upload-content-length").flatMap { Int64($0) },
                hashHeader: call.header("x-goog-hash"),
                sink: sink
            )
            sessions.add(session)
            let echoed = call.query.fields.filter { $0.name != "upload_id" }
                .map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
            let location = "\(call.origin)\(call.path)?\(echoed)&upload_id=\(session.id)"
            return ServerAnswer(
                200,
                headers: [
                    (name: "Location", value: location), (name: "X-GUploader-UploadID", value: session.id),
                    (name: "Content-Type", value: "text/plain; charset=utf-8"),
                ]
            )
        } catch {
            return refusal(error)
        }
    }

    /// A request to a session URI: data, or a question for what is safe.
    func sessionWork(_ id: String, _ call: Call, strikes: Strikes) -> Work {
        guard let session = sessions.find(id) else { return .answer { .text(404, "Not Found") } }
        if let rule = strikes.first(.status), rule.status == 404 || rule.status == 410 {
            // Such an answer means that the session is gone, so it is.
            session.lock.withLock { _ in
                if session.ending == nil { session.ending = .dead(Strikes.refusal(rule)) }
            }
        }
        let header = call.header("content-range")
        var range: UploadRange
        if let header {
            guard let parsed = UploadRange(header) else {
                return .answer { .text(400, "Invalid request.  Failed to parse the Content-Range header.") }
            }
            range = parsed
        } else {
            range = UploadRange()
            range.first = 0
            range.total = call.request.contentLength ?? (call.header("transfer-encoding") == nil ? 0 : nil)
        }
        let settled = range
        return session.lock.withLock { _ in
            if let answer = ended(session) { return .answer { answer } }
            if let total = settled.total, settled.first != nil || total == session.persisted {
                if let known = session.total, known != total {
                    return .answer {
                        .text(400, "Invalid request.  The total size \(total) is not the \(known) of before.")
                    }
                }
            }
            guard let first = settled.first else { return query(session, settled, call) }
            // Data takes the session over from a request that still hangs; a question does not.
            session.turn += 1
            session.sink.rewind()
            if let refusal = tooShort(settled, call) { return .answer { refusal } }
            if first > session.persisted {
                let text =
                    "Invalid request.  According to the Content-Range header, the upload offset is \(first) byte(s), "
                    + "which exceeds already uploaded size of \(session.persisted) byte(s)."
                return .answer { .text(503, text) }
            }
            session.total = settled.total ?? session.total
            let keep = strikes.first(.persistLess).map { rule in
                Int64(Double(call.request.contentLength ?? 0) * (rule.at ?? 0.5))
            }
            return .receive(SessionReceiver(service: self, session: session, call: call, range: settled, keep: keep))
        }
    }

    /// The text of 400 for a request that is not the last and too small (fake-gcs-server issue 1080 has the words).
    private func tooShort(_ range: UploadRange, _ call: Call) -> ServerAnswer? {
        guard let first = range.first, let last = range.last, range.total.map({ last + 1 < $0 }) ?? true,
            last + 1 - first < ContentSink.quantum
        else { return nil }
        return .text(
            400,
            "Invalid request.  The number of bytes uploaded is required to be equal or greater than 262144, except for "
                + "the final request (it's recommended to be the exact multiple of 262144).  The received request "
                + "contained \(last + 1 - first) bytes, which does not meet this requirement."
        )
    }

    /// A status query: `*/N` with exactly N bytes safe ends the upload, anything else only asks.
    ///
    /// Called under the session's lock.
    private func query(_ session: UploadSession, _ range: UploadRange, _ call: Call) -> Work {
        guard let total = range.total, total == session.persisted else {
            let answer = session.incomplete(call)
            return .answer { answer }
        }
        session.turn += 1
        session.sink.rewind()
        return .answer { session.lock.withLock { _ in self.finalize(session, call) } }
    }

    private func ended(_ session: UploadSession) -> ServerAnswer? {
        switch session.ending {
        case .complete(let object): describe(object, session.intent)
        case .cancelled: ServerAnswer(499)
        case .dead(let answer): answer
        case nil: nil
        }
    }

    /// Makes the object of a session whose bytes are all there, once.
    ///
    /// Called under the session's lock.
    func finalize(_ session: UploadSession, _ call: Call) -> ServerAnswer {
        if let answer = ended(session) { return answer }
        do {
            let object = try store.insert(
                session.intent,
                content: session.sink,
                hashHeader: call.header("x-goog-hash") ?? session.hashHeaderAtStart
            )
            session.ending = .complete(object)
            return describe(object, session.intent)
        } catch {
            let answer = refusal(error)
            // Refused bytes end a session. A condition or a rate is looked at again by the next request.
            if answer.status == 400 {
                session.ending = .dead(.text(410, "The upload was terminated."))
                session.sink.discard()
            }
            return answer
        }
    }
}
