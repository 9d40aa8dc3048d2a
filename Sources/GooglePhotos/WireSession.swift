/// A `PickingSession`; all but the id may be missing.
struct WireSession: Decodable {
    let id: String?
    let pickerURI: String?
    let mediaItemsSet: Bool?
    let expireTime: String?
    let pollInterval: Duration?
    let timeoutIn: Duration?

    private enum Key: String, CodingKey {
        case id, mediaItemsSet, expireTime, pollingConfig
        case pickerURI = "pickerUri"
    }
    private enum PollingKey: String, CodingKey { case pollInterval, timeoutIn }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        id = container.lenient(.id)
        pickerURI = container.lenient(.pickerURI)
        mediaItemsSet = container.lenient(.mediaItemsSet)
        expireTime = container.lenient(.expireTime)
        let polling = try? container.nestedContainer(keyedBy: PollingKey.self, forKey: .pollingConfig)
        pollInterval = polling?.lenient(.pollInterval, as: String.self).flatMap(Self.duration)
        timeoutIn = polling?.lenient(.timeoutIn, as: String.self).flatMap(Self.duration)
    }

    /// Decimal seconds with an `s` behind them, up to nine digits of a second (protobuf: JSON of `Duration`).
    static func duration(_ text: String) -> Duration? {
        let parts = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
        guard text.hasSuffix("s"), isPlain, let whole = parts.first, whole.count <= 9, let seconds = Int64(whole) else {
            return nil
        }
        guard parts.count == 2 else { return .seconds(seconds) }
        guard (1...9).contains(parts[1].count),
            let nanoseconds = Int64(parts[1] + String(repeating: "0", count: 9 - parts[1].count))
        else { return nil }
        return .seconds(seconds) + .nanoseconds(nanoseconds)
    }
}
