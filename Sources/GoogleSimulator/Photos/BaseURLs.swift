import Synchronization

/// What a base URL's path stands for.
struct BaseURLTicket: Sendable {
    let reference: Int32
    let issued: Timestamp
    /// Number of the picker session it was given out in; 0 for one of the Library API.
    let session: UInt32
}

/// Makes and reads the opaque paths of base URLs; nothing is remembered, so any number can live at once.
final class BaseURLs: Sendable {
    private let lifetimeSeconds: Double
    // Paths from before this moment are dead.
    private let deadBefore = Mutex(Timestamp(microseconds: 0))
    private let key = UInt64.random(in: 0...UInt64.max)

    init(lifetimeSeconds: Double) { self.lifetimeSeconds = lifetimeSeconds }

    /// Text that names an item for a while; each call gives another.
    func mint(_ reference: Int32, session: UInt32 = 0, now: Timestamp = .now) -> String {
        let salt = UInt64.random(in: 0...UInt64.max)
        let time = UInt64(bitPattern: now.microseconds)
        let number = UInt64(session) << 32 | UInt64(UInt32(bitPattern: reference))
        let hidden = [salt, time ^ mixed(salt ^ key), number ^ mixed(salt &+ key)]
        return base64URL((hidden + [seal(salt, time, number)]).flatMap(\.bigEndianBytes))
    }

    /// What a text names, and whether it still does; nil if `mint` never gave it.
    func read(_ text: some StringProtocol) -> (ticket: BaseURLTicket, isAlive: Bool)? {
        guard let bytes = bytes(base64URL: text), bytes.count == 32 else { return nil }
        let words = (0..<4).map { UInt64(bigEndian: bytes[$0 * 8..<$0 * 8 + 8]) }
        let time = words[1] ^ mixed(words[0] ^ key)
        let number = words[2] ^ mixed(words[0] &+ key)
        guard seal(words[0], time, number) == words[3] else { return nil }
        let issued = Timestamp(microseconds: Int64(bitPattern: time))
        let isAlive =
            issued.adding(seconds: lifetimeSeconds) > .now && issued > deadBefore.withLock { $0 }
        let reference = Int32(bitPattern: UInt32(truncatingIfNeeded: number))
        let session = UInt32(truncatingIfNeeded: number >> 32)
        return (BaseURLTicket(reference: reference, issued: issued, session: session), isAlive)
    }

    /// All that were given out die now.
    func expireAll() { deadBefore.withLock { $0 = .now } }

    private func seal(_ salt: UInt64, _ time: UInt64, _ number: UInt64) -> UInt64 {
        mixed(mixed(mixed(salt ^ key) &+ time) ^ number &+ key)
    }
}
