import Synchronization

/// What other threads, and callbacks on the loop's own thread, ask of the loop.
struct Inbox: Sendable {
    enum Command: Sendable {
        case start(Transfer)
        case resume(Transfer)
        case cancel(Transfer)
    }

    private(set) var commands: [Command] = []
    private(set) var isClosed = false
    /// Whether the loop may be waiting for its sockets, and must be woken.
    private var isWaiting = false

    /// - Returns: whether the loop must be woken.
    mutating func add(_ command: Command) -> Bool {
        commands.append(command)
        defer { isWaiting = false }
        return isWaiting
    }

    /// - Returns: whether the loop must be woken.
    mutating func close() -> Bool {
        isClosed = true
        defer { isWaiting = false }
        return isWaiting
    }

    /// Everything that was asked so far.
    mutating func takeAll() -> [Command] {
        defer { commands = [] }
        return commands
    }

    /// - Returns: whether the loop may wait: nothing was asked.
    mutating func beginWaiting() -> Bool {
        isWaiting = commands.isEmpty && !isClosed
        return isWaiting
    }

    /// From here on, the loop looks into its inbox by itself.
    mutating func endWaiting() { isWaiting = false }
}
