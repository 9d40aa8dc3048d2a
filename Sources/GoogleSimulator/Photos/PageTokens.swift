import Synchronization

/// Where a listing goes on.
struct PageTicket: Sendable {
    let place: PhotoLibrary.Place
    /// Pages that were given before.
    let page: UInt32
}

/// Makes and reads page tokens, each good only for the parameters it was made for.
final class PageTokens: Sendable {
    private let lifetimeSeconds: Double
    private let deadBefore = Mutex(Timestamp(microseconds: 0))
    private let key = UInt64.random(in: 0...UInt64.max)

    init(lifetimeSeconds: Double) { self.lifetimeSeconds = lifetimeSeconds }

    /// A token that works only with the same `parameters`: everything that must not change from page to page.
    func mint(_ ticket: PageTicket, parameters: String) -> String {
        var words = [
            UInt64(bitPattern: ticket.place.creation), UInt64(UInt32(bitPattern: ticket.place.reference)),
            UInt64(ticket.page), UInt64(bitPattern: Timestamp.now.microseconds),
        ]
        words.append(seal(words, parameters))
        return "Ck" + base64URL(words.enumerated().flatMap { ($0.element ^ mask($0.offset)).bigEndianBytes })
    }

    /// Nil if the token is unknown, expired, or was made for other parameters.
    func read(_ text: String, parameters: String) -> PageTicket? {
        guard text.hasPrefix("Ck"), let bytes = bytes(base64URL: text.dropFirst(2)), bytes.count == 40 else {
            return nil
        }
        let words = (0..<5).map { UInt64(bigEndian: bytes[$0 * 8..<$0 * 8 + 8]) ^ mask($0) }
        guard seal(Array(words[0..<4]), parameters) == words[4] else { return nil }
        let issued = Timestamp(microseconds: Int64(bitPattern: words[3]))
        guard issued.adding(seconds: lifetimeSeconds) > .now, issued > deadBefore.withLock({ $0 }) else { return nil }
        let reference = Int32(bitPattern: UInt32(truncatingIfNeeded: words[1]))
        let place = PhotoLibrary.Place(creation: Int64(bitPattern: words[0]), reference: reference)
        return PageTicket(place: place, page: UInt32(truncatingIfNeeded: words[2]))
    }

    /// All that were given out die now.
    func expireAll() { deadBefore.withLock { $0 = .now } }

    private func mask(_ index: Int) -> UInt64 { index == 4 ? 0 : mixed(key &+ UInt64(index)) }

    private func seal(_ words: [UInt64], _ parameters: String) -> UInt64 {
        let start = parameters.utf8.reduce(key) { mixed($0 ^ UInt64($1)) }
        return words.reduce(start) { mixed($0 ^ $1) }
    }
}
