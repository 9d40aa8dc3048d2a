/// A `MediaItem` of the Library API.
struct WireItem: WireMediaItem {
    private let id: String?
    private let filename: String?
    private let mimeType: String?
    private let baseURL: String?
    private let metadata: WireMetadata?
    /// Only of what has no id.
    private let productURL: String?

    private enum Key: String, CodingKey {
        case id, filename, mimeType, mediaMetadata
        case productURL = "productUrl"
        case baseURL = "baseUrl"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        id = container.lenient(.id)
        filename = container.lenient(.filename)
        mimeType = container.lenient(.mimeType)
        baseURL = container.lenient(.baseURL)
        metadata = container.lenient(.mediaMetadata)
        productURL = WireMedia.id(id) == nil ? container.lenient(.productURL) : nil
    }

    var unreadable: MediaPage.Unreadable {
        MediaPage.Unreadable(
            filename: WireMedia.storable(filename),
            mimeType: WireMedia.storable(mimeType),
            creationTime: metadata?.creationTime.flatMap(CaptureTime.normalised),
            width: metadata?.width,
            height: metadata?.height,
            isVideo: kind.isVideo,
            productURL: WireMedia.storable(productURL)
        )
    }

    func item(received: ContinuousClock.Instant) -> MediaItem? {
        guard let id = WireMedia.id(id) else { return nil }
        return MediaItem(
            id: id,
            filename: WireMedia.storable(filename),
            mimeType: WireMedia.storable(mimeType),
            baseURL: WireMedia.baseURL(baseURL, received: received),
            creationTime: metadata?.creationTime.flatMap(CaptureTime.normalised),
            width: metadata?.width,
            height: metadata?.height,
            kind: kind
        )
    }

    private var kind: MediaItem.Kind {
        if let metadata, metadata.kind != .unknown { return metadata.kind }
        return WireMedia.kind(ofType: mimeType)
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
        width = container.pixels(.width)
        height = container.pixels(.height)
        if container.has(.video) {
            let video = try? container.nestedContainer(keyedBy: VideoKey.self, forKey: .video)
            kind = .video(WireMedia.status(video.flatMap { $0.lenient(.status) }))
        } else {
            kind = container.has(.photo) ? .photo : .unknown
        }
    }
}
