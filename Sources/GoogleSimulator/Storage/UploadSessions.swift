import HTTPServer
import Synchronization

/// All resumable uploads.
final class UploadSessions: Sendable {
    private let lifetimeSeconds: Double
    private let all = Mutex<[String: UploadSession]>([:])

    /// - Parameter lifetimeSeconds: a week at Google; a session that is older is unknown.
    init(lifetimeSeconds: Double) { self.lifetimeSeconds = lifetimeSeconds }

    func add(_ session: UploadSession) { all.withLock { $0[session.id] = session } }

    func find(_ id: String) -> UploadSession? {
        guard let session = all.withLock({ $0[id] }) else { return nil }
        return session.created.adding(seconds: lifetimeSeconds) > .now ? session : nil
    }

    /// How many are neither complete nor dead.
    var openCount: Int {
        all.withLock { $0.values }.filter { session in session.lock.withLock { _ in session.ending == nil } }.count
    }

    /// `DELETE` of a session URI.
    func cancel(_ id: String, _ service: StorageService) -> ServerAnswer {
        guard let session = find(id) else { return .text(404, "Not Found") }
        return session.lock.withLock { _ in
            if case .complete(let object) = session.ending {
                return service.describe(object, session.intent)
            }
            session.ending = .cancelled
            session.sink.discard()
            return ServerAnswer(499)
        }
    }
}
