/// The answer of `mediaItems.list` of either API, and of `mediaItems:search`; `{}` is an empty last page.
///
/// A list or a token of another shape fails the page, and so does an error, or an object that says neither: passing over
/// it would lose the items behind it.
struct WirePage<Item: WireMediaItem>: Decodable {
    private let entries: [Lenient<Item>?]
    private let nextPageToken: String?
    /// What stands in place of a page, under a status that promises one.
    let refusal: WireRefusal?

    private enum Key: String, CodingKey { case mediaItems, nextPageToken, error }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard !container.has(.error) else {
            entries = []
            nextPageToken = nil
            refusal = try WireRefusal(from: decoder)
            return
        }
        refusal = nil
        let isPage = container.contains(.mediaItems) || container.contains(.nextPageToken)
        guard try isPage || decoder.container(keyedBy: AnyKey.self).allKeys.isEmpty else {
            let context = DecodingError.Context(codingPath: [], debugDescription: "neither items nor a token nor empty")
            throw DecodingError.dataCorrupted(context)
        }
        entries = try container.decodeIfPresent([Lenient<Item>?].self, forKey: .mediaItems) ?? []
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
        let read = entries.map { $0?.value }
        let items = read.map { $0?.item(received: received) }
        return MediaPage(
            items: items.compactMap(\.self),
            unreadable: zip(read, items).compactMap { entry, item in
                item == nil ? entry?.unreadable ?? MediaPage.Unreadable() : nil
            },
            nextPageToken: nextPageToken
        )
    }
}

/// Any name of a member.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
