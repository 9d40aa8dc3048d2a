import Glibc
import Synchronization

/// Breaks connections that have lasted too long: a client that sends a byte now and then is idle at no time.
final class ConnectionLives: Sendable {
    private struct Life {
        let socket: Int32
        let ends: ContinuousClock.Instant
    }

    private let lifetime: Duration
    private let lives = Mutex<[UInt: Life]>([:])

    init(_ lifetime: Duration) { self.lifetime = lifetime }

    /// A connection has come; `name` is its own until it ends.
    func begin(_ name: UInt, socket: Int32) {
        guard socket >= 0 else { return }
        lives.withLock { $0[name] = Life(socket: socket, ends: .now + lifetime) }
    }

    /// It goes; called before its socket is closed.
    func end(_ name: UInt) { lives.withLock { _ = $0.removeValue(forKey: name) } }

    /// Shuts down those whose time is over, so that their threads see the end.
    ///
    /// Under the lock, which `end` takes: a number of a socket that is closed may be another connection's already.
    func breakOld() {
        let now = ContinuousClock.now
        lives.withLock { lives in
            for (name, life) in lives where life.ends <= now {
                shutdown(life.socket, Int32(SHUT_RDWR))
                lives[name] = nil
            }
        }
    }
}
