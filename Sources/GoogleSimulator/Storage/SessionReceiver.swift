import HTTPServer
import Synchronization

/// Takes the data of one request to an upload session.
final class SessionReceiver: BodyReceiver {
    private let service: StorageService
    private let session: UploadSession
    private let call: Call
    private let range: UploadRange
    private let turn: Int
    /// Bytes at the start of the body that are safe already.
    private let skip: Int64
    /// Bytes of the body that are taken at most.
    private let room: Int64
    // Unchecked because one connection's thread makes all calls, one after the other (see BodyReceiver).
    nonisolated(unsafe) private var received: Int64 = 0
    // Likewise, because the same thread alone reads and writes it.
    nonisolated(unsafe) private var failure: (any Error)?

    /// Made under the session's lock, for the request whose turn it is.
    ///
    /// `range` has a first byte, which is not beyond what is safe; `keep` is what a rule lets of the body become safe, nil all.
    init(service: StorageService, session: UploadSession, call: Call, range: UploadRange, keep: Int64?) {
        self.service = service
        self.session = session
        self.call = call
        self.range = range
        turn = session.turn
        let skip = session.persisted - (range.first ?? 0)
        self.skip = skip
        room = keep.map { skip + max(0, $0 - skip) / ContentSink.quantum * ContentSink.quantum } ?? .max
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = unsafe received
        unsafe received += Int64(bytes.count)
        let low = max(0, skip - start)
        let high = min(Int64(bytes.count), room - start)
        return session.lock.withLock { _ in
            guard session.turn == turn else { return false }
            guard low < high, unsafe failure == nil else { return true }
            do {
                try unsafe session.sink.append(UnsafeRawBufferPointer(rebasing: bytes[Int(low)..<Int(high)]))
            } catch {
                unsafe failure = error
            }
            return true
        }
    }

    func finish() -> ServerAnswer {
        session.lock.withLock { _ in
            guard session.turn == turn else { return ServerAnswer(503, fault: .reset) }
            if let failure = unsafe failure {
                session.sink.rewind()
                return service.refusal(failure)
            }
            let end = unsafe (range.first ?? 0) + received
            if let last = range.last, last + 1 != end {
                session.sink.rewind()
                return .text(
                    400,
                    "Invalid request.  The number of bytes uploaded does not agree with the Content-Range header."
                )
            }
            // Without a last byte the request holds all the rest.
            guard let total = range.total ?? (range.last == nil ? end : nil), session.sink.count >= total else {
                session.sink.rewind()
                return session.incomplete(call)
            }
            return service.finalize(session, call)
        }
    }

    /// What a broken request brought stays as far as whole quanta go; the next one drops the rest.
    func abandon() {}
}
