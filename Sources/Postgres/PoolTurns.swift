/// Who gets which connection when: the bookkeeping of a pool, without any waiting in it.
struct PoolTurns {
    /// What a caller gets.
    enum Turn: Sendable {
        /// An open connection that was used before.
        case idle(Connection)
        /// The right to open one; given back by `pass`, also where opening fails.
        case vacancy
        case cancelled
        case closed
    }

    typealias Waiter = CheckedContinuation<Turn, Never>

    private var idle: [Connection] = []
    private var vacancies: Int
    private var waiting: [(ticket: Int, waiter: Waiter)] = []
    private var lastTicket = 0
    private var isClosed = false

    init(limit: Int) {
        precondition(limit >= 1, "a pool needs at least one connection")
        vacancies = limit
    }

    var waitingCount: Int { waiting.count }

    mutating func makeTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// - Returns: nil where the caller has to wait; its continuation is kept then.
    mutating func take(_ ticket: Int, orWait waiter: Waiter) -> Turn? {
        if isClosed { return .closed }
        // The one used last: its memory is warm here and at the server.
        if let connection = idle.popLast() { return .idle(connection) }
        if vacancies > 0 {
            vacancies -= 1
            return .vacancy
        }
        waiting.append((ticket, waiter))
        return nil
    }

    /// - Returns: the continuation of a caller that does not wait any longer; nil where it has its turn already.
    mutating func withdraw(_ ticket: Int) -> Waiter? {
        guard let position = waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiting.remove(at: position).waiter
    }

    /// Takes back a connection, or with nil the right to open one, and hands it on.
    /// - Returns: whom to resume with what; nil where the pool is closed.
    mutating func pass(_ connection: Connection?) -> (waiter: Waiter?, turn: Turn)? {
        guard !isClosed else { return nil }
        let turn = connection.map(Turn.idle) ?? .vacancy
        guard waiting.isEmpty else { return (waiting.removeFirst().waiter, turn) }
        if let connection { idle.append(connection) } else { vacancies += 1 }
        return (nil, turn)
    }

    /// - Returns: what the caller has to close and to resume.
    mutating func close() -> (idle: [Connection], waiters: [Waiter]) {
        isClosed = true
        defer {
            idle = []
            waiting = []
        }
        return (idle, waiting.map(\.waiter))
    }
}
