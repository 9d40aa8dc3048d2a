import Foundation
import Synchronization

/// Decides what each signal does to the command that runs.
final class InterruptionPolicy: Sendable {
    private struct State {
        var kind = Command.Interruption.immediate
        var cancel: (@Sendable () -> Void)?
        var tell: (@Sendable (_ isGraceful: Bool) -> Void)?
    }

    private let stop: StopSignal
    /// Ends the process `lastPatience` after a second signal; a parameter for tests.
    private let giveUp: @Sendable () -> Void
    private let state = Mutex(State())

    /// Seconds after a second signal in which a command must have ended: a worker waits 5 for a database that is away,
    /// the rest is for stopping a private PostgreSQL.
    static let lastPatience: UInt32 = 15

    init(stop: StopSignal, giveUp: @escaping @Sendable () -> Void = InterruptionPolicy.endAfterLastPatience) {
        self.stop = stop
        self.giveUp = giveUp
    }

    /// A statement that is on its way to a host which vanished is not to be cancelled by anything but this.
    private static func endAfterLastPatience() {
        Thread.detachNewThread {
            sleep(lastPatience)
            StandardStream.error.write("coldroll: interrupted; something did not answer, and is not waited for\n")
            _exit(ExitStatus.interrupted.code)
        }
    }

    /// Says, before the command starts, what signals mean to it; a graceful one is cancelled while it opens things.
    func begin(_ kind: Command.Interruption) { state.withLock { $0.kind = kind == .own ? .own : .immediate } }

    /// Says how to cancel the command; one that was asked to stop before is cancelled now.
    func onCancel(_ cancel: @escaping @Sendable () -> Void) {
        state.withLock { $0.cancel = cancel }
        if hasCancelled { cancel() }
    }

    /// Says how a person learns that the first signal came; called on a thread of its own, since nobody may read.
    func onFirstSignal(_ tell: @escaping @Sendable (_ isGraceful: Bool) -> Void) { state.withLock { $0.tell = tell } }

    /// Says that the command watches `StopSignal` from now on.
    func becomeGraceful() { state.withLock { $0.kind = .graceful } }

    /// Whether a signal has cancelled the command.
    var hasCancelled: Bool { stop.isRequested && state.withLock { $0.kind == .immediate } }

    /// Called for every SIGINT and SIGTERM.
    ///
    /// The first asks, the second insists, and is obeyed within `lastPatience`. One more than the command can need ends the process on the spot: what it held is
    /// given back by the database, as after a crash.
    func signalled(_ number: Int32) {
        let state = state.withLock { $0 }
        // Ctrl-C at psql's prompt reaches psql by itself.
        if state.kind == .own, number == SIGINT { return }
        stop.request()
        if stop.requests == 1, let tell = state.tell { Thread.detachNewThread { tell(state.kind == .graceful) } }
        switch (state.kind, stop.requests) {
        case (.graceful, 1), (.own, _): break
        case (.graceful, 2): giveUp()
        case (.immediate, 1): state.cancel?()
        default: _exit(ExitStatus.interrupted.code)
        }
    }
}
