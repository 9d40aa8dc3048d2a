/// A `MediaItem` of the Library API; whatever is missing or of another shape is nil.
struct WireItem: Decodable {
    private let id: String?
    private let filename: String?
    private let mimeType: String?
    private let baseURL: String?
    private let metadata: WireMetadata?

    private enum Key: String, CodingKey {
        case id, filename, mimeType, mediaMetadata
        case baseURL = "baseUrl"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        id = container.lenient(.id)
        filename = container.lenient(.filename)
        mimeType = container.lenient(.mimeType)
        baseURL = container.lenient(.baseURL)
        metadata = container.lenient(.mediaMetadata)
    }

    /// The item, or nil if it has no id that could be kept.
    func item(received: ContinuousClock.Instant) -> MediaItem? {
        guard let id, !id.isEmpty, !id.utf8.contains(0) else { return nil }
        return MediaItem(
            id: id,
            filename: filename.map(Self.storable).flatMap { $0.isEmpty ? nil : $0 },
            mimeType: mimeType.map(Self.storable).flatMap { $0.isEmpty ? nil : $0 },
            baseURL: baseURL.flatMap { $0.isEmpty ? nil : BaseURL($0, received: received) },
            creationTime: metadata?.creationTime.flatMap(CaptureTime.normalised),
            width: metadata?.width,
            height: metadata?.height,
            kind: kind
        )
    }

    private var kind: MediaItem.Kind {
        if let metadata, metadata.kind != .unknown { return metadata.kind }
        guard let type = mimeType?.lowercased() else { return .unknown }
        if type.hasPrefix("image/") { return .photo }
        return type.hasPrefix("video/") ? .video(.unspecified) : .unknown
    }

    /// Without U+0000, which JSON can write and PostgreSQL cannot keep.
    private static func storable(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }
}

/// The `MediaMetadata` of an item.
private struct WireMetadata: Decodable {
    let creationTime: String?
    let width: Int64?
    let height: Int64?
    let kind: MediaItem.Kind

    private enum Key: String, CodingKey { case creationTime, width, height, photo, video }
    private enum VideoKey: String, CodingKey { case status }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        creationTime = container.lenient(.creationTime)
        width = container.lenient(.width, as: FlexibleInteger.self).flatMap { $0.value > 0 ? $0.value : nil }
        height = container.lenient(.height, as: FlexibleInteger.self).flatMap { $0.value > 0 ? $0.value : nil }
        if container.has(.video) {
            let video = try? container.nestedContainer(keyedBy: VideoKey.self, forKey: .video)
            kind = .video(Self.status(video.flatMap { $0.lenient(.status) }))
        } else {
            kind = container.has(.photo) ? .photo : .unknown
        }
    }

    private static func status(_ text: String?) -> MediaItem.VideoStatus {
        switch text {
        case nil, "", "UNSPECIFIED": .unspecified
        case "PROCESSING": .processing
        case "READY": .ready
        case "FAILED": .failed
        case .some(let other): .other(other)
        }
    }
}
