import Synchronization

/// What a command has opened; closed in reverse order on every way out.
final class OpenResources: Sendable {
    private let closers = Mutex<[@Sendable () async -> Void]>([])

    /// Notes how to close something; call right after it was opened.
    func add(_ close: @escaping @Sendable () async -> Void) { closers.withLock { $0.append(close) } }

    /// Closes everything, last opened first; safe to call twice.
    func closeAll() async {
        let all = closers.withLock { closers in
            defer { closers = [] }
            return closers
        }
        // A task of its own: closing must not be cut short by the cancellation that ended the command.
        await Task { for close in all.reversed() { await close() } }.value
    }
}
