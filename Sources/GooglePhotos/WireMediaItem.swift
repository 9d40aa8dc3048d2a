/// An item as one of Google's two APIs writes it; whatever is missing or of another shape is nil.
protocol WireMediaItem: Decodable {
    /// What is known of an entry that is no item.
    var unreadable: MediaPage.Unreadable { get }

    /// The item, or nil if it has no id that could be kept.
    func item(received: ContinuousClock.Instant) -> MediaItem?
}

/// Reads what the items of both APIs have in common.
enum WireMedia {
    /// Nil if empty; without U+0000, which JSON can write and PostgreSQL cannot keep.
    static func storable(_ text: String?) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }

    /// An id that can be kept and asked for.
    static func id(_ text: String?) -> String? {
        guard let text, !text.isEmpty, !text.utf8.contains(0) else { return nil }
        return text
    }

    static func baseURL(_ text: String?, received: ContinuousClock.Instant) -> BaseURL? {
        text.flatMap { $0.isEmpty ? nil : BaseURL($0, received: received) }
    }

    /// What a media type says of an item that does not say it otherwise.
    static func kind(ofType mimeType: String?) -> MediaItem.Kind {
        guard let type = mimeType?.lowercased() else { return .unknown }
        if type.hasPrefix("image/") { return .photo }
        return type.hasPrefix("video/") ? .video(.unspecified) : .unknown
    }

    /// How far Google is with a video.
    static func status(_ text: String?) -> MediaItem.VideoStatus {
        switch text {
        case nil, "", "UNSPECIFIED": .unspecified
        case "PROCESSING": .processing
        case "READY": .ready
        case "FAILED": .failed
        case .some(let other): .other(other)
        }
    }
}

extension MediaItem.Kind {
    /// Nil if nothing shows it.
    var isVideo: Bool? {
        switch self {
        case .photo: false
        case .video: true
        case .unknown: nil
        }
    }
}

extension KeyedDecodingContainer {
    /// Pixels, which one API writes as a string and the other as a number; nil unless positive.
    func pixels(_ key: Key) -> Int64? {
        lenient(key, as: FlexibleInteger.self).flatMap { $0.value > 0 ? $0.value : nil }
    }
}
