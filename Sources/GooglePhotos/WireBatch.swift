import HTTPClient

/// The answer of `mediaItems:batchGet`.
struct WireBatch: Decodable {
    private let entries: [Lenient<Entry>?]

    private enum Key: String, CodingKey { case mediaItemResults }

    private struct Entry: Decodable {
        let item: WireItem?
        let status: WireStatus?

        private enum Key: String, CodingKey { case mediaItem, status }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            item = container.lenient(.mediaItem)
            status = container.lenient(.status)
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        entries = try container.decodeIfPresent([Lenient<Entry>?].self, forKey: .mediaItemResults) ?? []
    }

    /// What the answer says of each id; an id that it leaves out is missing.
    ///
    /// An error names no id: its place counts only if the answer has an entry for each id and no item out of place.
    func results(for ids: [String], received: ContinuousClock.Instant) -> [String: Result<MediaItem, PhotosError>] {
        let items = entries.map { $0?.value?.item?.item(received: received) }
        let asked = Set(ids)
        var results: [String: Result<MediaItem, PhotosError>] = [:]
        for item in items.compactMap({ $0 }) where asked.contains(item.id) && results[item.id] == nil {
            results[item.id] = .success(item)
        }
        let isOrdered = items.count == ids.count && zip(items, ids).allSatisfy { $0 == nil || $0?.id == $1 }
        guard isOrdered else { return results }
        for (entry, id) in zip(entries, ids) where results[id] == nil {
            if let error = entry?.value?.status?.error(for: id) { results[id] = .failure(error) }
        }
        return results
    }
}

/// A `google.rpc.Status` in place of an item.
private struct WireStatus: Decodable {
    private let code: Int64?
    private let message: String?

    private enum Key: String, CodingKey { case code, message }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        code = container.lenient(.code, as: FlexibleInteger.self)?.value
        message = container.lenient(.message)
    }

    /// By the numbers of google/rpc/code.proto; nil for OK.
    func error(for id: String) -> PhotosError? {
        let meaning: PhotosError.Code
        switch code {
        case nil, 0: return nil
        case 5, 7: meaning = .notFound
        case 8: meaning = .quota(retryAfter: nil)
        case 1, 2, 4, 10, 13, 14, 15: meaning = .unavailable(retryAfter: nil)
        case 16: meaning = .unauthenticated
        default: meaning = .rejected(status: 400)
        }
        let words = ServerWords.quoted(message)
        return PhotosError(code: meaning, message: "Google Photos could not fetch item \(id)\(words).")
    }
}
