/// The answer of `mediaItems.list` and `mediaItems:search`; `{}` is an empty last page.
///
/// A list or a token of another shape fails the page: passing over it would lose the items behind it.
struct WirePage: Decodable {
    private let entries: [Lenient<WireItem>?]
    private let nextPageToken: String?

    private enum Key: String, CodingKey { case mediaItems, nextPageToken }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        entries = try container.decodeIfPresent([Lenient<WireItem>?].self, forKey: .mediaItems) ?? []
        let token = try container.decodeIfPresent(String.self, forKey: .nextPageToken)
        if token?.utf8.contains(0) == true {
            throw DecodingError.dataCorruptedError(
                forKey: .nextPageToken,
                in: container,
                debugDescription: "a token that cannot be kept"
            )
        }
        nextPageToken = token?.isEmpty == true ? nil : token
    }

    func page(received: ContinuousClock.Instant) -> MediaPage {
        let items = entries.compactMap { $0?.value?.item(received: received) }
        return MediaPage(items: items, unreadable: entries.count - items.count, nextPageToken: nextPageToken)
    }
}
