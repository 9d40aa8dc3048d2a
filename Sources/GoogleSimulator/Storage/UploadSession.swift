import HTTPServer
import Synchronization

/// One resumable upload (Cloud Storage: resumable uploads).
///
/// Unchecked because every mutable field is read and written under `lock` only, by whichever request holds it.
final class UploadSession: @unchecked Sendable {
    enum Ending: Sendable {
        case complete(ObjectRecord)
        case cancelled
        /// Refused bytes, or a fault: nothing more can be done with it.
        case dead(ServerAnswer)
    }

    let id: String
    let intent: UploadIntent
    let hashHeaderAtStart: String?
    let created = Timestamp.now
    let lock = Mutex(())
    let sink: ContentSink
    /// The size that the client has named, once it has.
    var total: Int64?
    /// Counts requests: a newer one takes the session over, and an older one that still sends is broken off.
    var turn = 0
    var ending: Ending?

    init(id: String, intent: UploadIntent, total: Int64?, hashHeader: String?, sink: ContentSink) {
        self.id = id
        self.intent = intent
        self.total = total
        hashHeaderAtStart = hashHeader
        self.sink = sink
    }

    /// Bytes that are safe.
    var persisted: Int64 { sink.safeCount }

    /// 308 with what is safe; a client may ask for 200 instead (`X-GUploader-No-308`).
    func incomplete(_ call: Call) -> ServerAnswer {
        var headers: [(name: String, value: String)] = []
        if persisted > 0 { headers.append((name: "Range", value: "bytes=0-\(persisted - 1)")) }
        headers.append((name: "X-GUploader-UploadID", value: id))
        if call.header("x-guploader-no-308")?.lowercased() == "yes" {
            headers.append((name: "X-HTTP-Status-Code-Override", value: "308"))
            return ServerAnswer(200, headers: headers)
        }
        return ServerAnswer(308, headers: headers)
    }
}

/// `Content-Range` of a request to a session.
struct UploadRange: Sendable, Equatable {
    /// Nil for a status query.
    var first: Int64?
    /// Nil if the client does not know it.
    var last: Int64?
    /// Nil for `*`.
    var total: Int64?

    /// Reads `bytes a-b/N`, `bytes a-*/*`, `bytes */N`; nil if it is none of these.
    init?(_ text: String) {
        guard text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        if parts[1] != "*" {
            guard let number = Int64(parts[1]), number >= 0 else { return nil }
            total = number
        }
        if parts[0] == "*" { return }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), first >= 0 else { return nil }
        self.first = first
        if ends[1] != "*" {
            guard let last = Int64(ends[1]), last >= first else { return nil }
            if let total, last >= total { return nil }
            self.last = last
        }
    }

    init() {}
}
