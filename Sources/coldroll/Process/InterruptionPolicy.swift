import Foundation
import Synchronization

/// Decides what each signal does to the command that runs.
final class InterruptionPolicy: Sendable {
    private struct Governed {
        let kind: Command.Interruption
        let cancel: @Sendable () -> Void
    }

    private let stop: StopSignal
    private let governed = Mutex<Governed?>(nil)

    init(stop: StopSignal) { self.stop = stop }

    /// Names the command that the signals are for, and how to cancel it; one that was asked to stop before is stopped now.
    func govern(_ kind: Command.Interruption, cancel: @escaping @Sendable () -> Void) {
        governed.withLock { $0 = Governed(kind: kind, cancel: cancel) }
        if kind == .immediate, stop.isRequested { cancel() }
    }

    /// Called for every SIGINT and SIGTERM.
    ///
    /// The first asks, the second insists. One more than the command can need ends the process on the spot: what it held is
    /// given back by the database, as after a crash.
    func signalled(_ number: Int32) {
        let governed = governed.withLock { $0 }
        // Ctrl-C at psql's prompt reaches psql by itself.
        if governed?.kind == .own, number == SIGINT { return }
        stop.request()
        switch (governed?.kind, stop.requests) {
        case (.graceful, 1), (.graceful, 2), (.own, _): break
        case (.immediate, 1): governed?.cancel()
        default: _exit(ExitStatus.interrupted.code)
        }
    }
}
