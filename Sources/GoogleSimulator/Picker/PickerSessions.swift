import Synchronization

/// Why a session cannot be used; each is a status of google.rpc.
enum PickerRefusal: Error, Equatable, CustomStringConvertible {
    /// Nobody's, or already deleted.
    case unknown
    case expired
    /// Done has been pressed, so nothing more can be picked.
    case finished
    /// The person has not pressed Done.
    case unfinished
    case tooMany
    /// The person has no Google Photos account.
    case noAccount
    case invalid(String)

    var description: String {
        switch self {
        case .unknown: "Requested entity was not found."
        case .expired: "The session has expired."
        case .finished: "The user has already finished picking media items for this session."
        case .unfinished: "The user has not finished picking media items for this session."
        case .tooMany: "Too many sessions for this user."
        case .noAccount: "The user does not have an active Google Photos account."
        case .invalid(let message): message
        }
    }
}

/// All sessions of the picker.
final class PickerSessions: Sendable {
    private struct State {
        var all: [String: PickerSession] = [:]
        var order: [String] = []
        var made: UInt32 = 0
        var hasAccount = true
    }

    private let times: PickerTimes
    /// Sessions that the person may have at once.
    private let limit: Int
    private let state = Mutex(State())

    init(times: PickerTimes, limit: Int) {
        self.times = times
        self.limit = limit
    }

    /// Whether the person has a Google Photos account.
    func setAccount(_ exists: Bool) { state.withLock { $0.hasAccount = exists } }

    /// A new session; nil for `maxItemCount` means that the request named none.
    func create(maxItemCount: Int64?) throws(PickerRefusal) -> PickerSession {
        try state.withLock { state throws(PickerRefusal) in
            guard state.hasAccount else { throw .noAccount }
            if let maxItemCount, maxItemCount < 0 { throw .invalid("max_item_count must not be negative.") }
            guard state.all.values.count(where: { !$0.isExpired }) < limit else { throw .tooMany }
            state.made += 1
            let now = Timestamp.now
            let session = PickerSession(
                id: randomText(bytes: 18),
                number: state.made,
                created: now,
                expires: now.adding(seconds: times.lifetime),
                // 0 is what proto3 has for a number that is not there.
                maxItemCount: maxItemCount.flatMap { $0 == 0 ? nil : min($0, PickerSession.limit) }
            )
            state.all[session.id] = session
            state.order.append(session.id)
            return session
        }
    }

    /// A session that can be used.
    func get(_ id: String) throws(PickerRefusal) -> PickerSession {
        guard let session = state.withLock({ $0.all[id] }) else { throw .unknown }
        guard !session.isExpired else { throw .expired }
        return session
    }

    /// Deletes a session, expired or not.
    func delete(_ id: String) throws(PickerRefusal) {
        guard state.withLock({ $0.all.removeValue(forKey: id) }) != nil else { throw .unknown }
    }

    /// The person presses Done; only once, and not with nothing.
    func pick(_ id: String, _ items: [Int32]) throws(PickerRefusal) {
        try state.withLock { state throws(PickerRefusal) in
            guard let session = state.all[id] else { throw .unknown }
            guard !session.isExpired else { throw .expired }
            guard session.picked == nil else { throw .finished }
            guard !items.isEmpty else { throw .invalid("Select at least one item.") }
            guard items.count <= session.room else {
                throw .invalid("Select no more than \(session.room) items; these are \(items.count).")
            }
            state.all[id]?.picked = items
        }
    }

    /// Whether what was picked in a session can still be fetched.
    func isAlive(number: UInt32) -> Bool {
        state.withLock { state in state.all.values.contains { $0.number == number && !$0.isExpired } }
    }

    /// Access to a session ends now.
    func expire(_ id: String) throws(PickerRefusal) {
        let exists = state.withLock { state in
            state.all[id]?.expires = .now
            return state.all[id] != nil
        }
        if !exists { throw .unknown }
    }

    /// The newest session in which nothing has been picked.
    var open: PickerSession? { everything.last { $0.picked == nil && !$0.isExpired } }

    /// All that have not been deleted, oldest first.
    var everything: [PickerSession] { state.withLock { state in state.order.compactMap { state.all[$0] } } }

    /// A session as the API gives it, with the address of its page.
    ///
    /// `pollingConfig` is there until the person is done; a false `mediaItemsSet` is not written (proto3 JSON mapping).
    func describe(_ session: PickerSession, pickerURI: String) -> JSONValue {
        let age = Double(Timestamp.now.microseconds - session.created.microseconds) / 1e6
        let polling = JSONValue.members(
            ("pollInterval", .span(times.pollInterval)),
            ("timeoutIn", .span((times.timeout - age).rounded(.up)))
        )
        let picking = session.maxItemCount.map { JSONValue.members(("maxItemCount", .int64($0))) }
        return .members(
            ("id", .string(session.id)),
            ("pickerUri", .string(pickerURI)),
            ("pollingConfig", session.picked == nil ? polling : nil),
            ("expireTime", .time(session.expires)),
            ("pickingConfig", picking),
            ("mediaItemsSet", session.picked == nil ? nil : .boolean(true))
        )
    }
}
