import Foundation

/// An advisory lock on a file, `flock(2)`: the system releases it when the process ends, however it ends.
final class FileLock: Sendable {
    /// Inherited by a program, the lock is held until that ends too.
    let descriptor: Int32
    private let path: String

    /// - Throws: `PrivatePostgresError` where the file cannot be opened.
    init(_ path: String) throws {
        // Closed on exec: a server that inherited it would hold the lock.
        descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        self.path = path
        guard descriptor >= 0 else {
            throw PrivatePostgresError("\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        giveToOwner(of: URL(fileURLWithPath: path).deletingLastPathComponent().path, descriptor)
    }

    deinit {
        close(descriptor)
    }

    /// Takes it exclusively, waiting as long as it takes.
    ///
    /// - Parameter waiting: called once if that is more than a second.
    /// - Throws: `CancellationError`, `PrivatePostgresError`.
    func acquire(waiting: () -> Void) async throws {
        let began = ContinuousClock.now
        var hasTold = false
        while try !attempt(LOCK_EX) {
            if !hasTold, ContinuousClock.now - began > .seconds(1) {
                hasTold = true
                waiting()
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func acquireShared() async throws {
        while try !attempt(LOCK_SH) {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Makes a shared lock an exclusive one if nobody else holds it; on failure the shared lock is gone as well.
    func becomesExclusive() throws -> Bool {
        try attempt(LOCK_EX)
    }

    func release() {
        flock(descriptor, LOCK_UN)
    }

    private func attempt(_ operation: Int32) throws -> Bool {
        while true {
            if flock(descriptor, operation | LOCK_NB) == 0 { return true }
            switch errno {
            case EWOULDBLOCK: return false
            case EINTR: continue
            default: throw PrivatePostgresError("\(path) cannot be locked: \(String(cString: strerror(errno)))")
            }
        }
    }
}
