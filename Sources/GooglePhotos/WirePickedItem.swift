/// A `PickedMediaItem` of the Picker API.
struct WirePickedItem: WireMediaItem {
    private let id: String?
    private let createTime: String?
    private let type: String?
    private let file: WireMediaFile?

    var unreadable: MediaPage.Unreadable {
        MediaPage.Unreadable(
            filename: WireMedia.storable(file?.filename),
            mimeType: WireMedia.storable(file?.mimeType),
            creationTime: createTime.flatMap(CaptureTime.normalised),
            width: file?.metadata?.width,
            height: file?.metadata?.height,
            isVideo: kind.isVideo
        )
    }

    private enum Key: String, CodingKey { case id, createTime, type, mediaFile }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        id = container.lenient(.id)
        createTime = container.lenient(.createTime)
        type = container.lenient(.type)
        file = container.lenient(.mediaFile)
    }

    func item(received: ContinuousClock.Instant) -> MediaItem? {
        guard let id = WireMedia.id(id) else { return nil }
        return MediaItem(
            id: id,
            filename: WireMedia.storable(file?.filename),
            mimeType: WireMedia.storable(file?.mimeType),
            baseURL: WireMedia.baseURL(file?.baseURL, received: received),
            creationTime: createTime.flatMap(CaptureTime.normalised),
            width: file?.metadata?.width,
            height: file?.metadata?.height,
            kind: kind
        )
    }

    /// By `type`; where that says nothing, by the metadata that only one of the two kinds has, then by the media type.
    private var kind: MediaItem.Kind {
        let video = MediaItem.Kind.video(WireMedia.status(file?.metadata?.processingStatus))
        switch type {
        case "PHOTO": return .photo
        case "VIDEO": return video
        default: break
        }
        if file?.metadata?.isVideo == true { return video }
        return file?.metadata?.isPhoto == true ? .photo : WireMedia.kind(ofType: file?.mimeType)
    }
}

/// The `mediaFile` of a picked item.
private struct WireMediaFile: Decodable {
    let baseURL: String?
    let mimeType: String?
    let filename: String?
    let metadata: WireFileMetadata?

    private enum Key: String, CodingKey {
        case mimeType, filename, mediaFileMetadata
        case baseURL = "baseUrl"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        baseURL = container.lenient(.baseURL)
        mimeType = container.lenient(.mimeType)
        filename = container.lenient(.filename)
        metadata = container.lenient(.mediaFileMetadata)
    }
}

/// The `mediaFileMetadata`; camera and exposure are in the file itself.
private struct WireFileMetadata: Decodable {
    let width: Int64?
    let height: Int64?
    let isPhoto: Bool
    let isVideo: Bool
    let processingStatus: String?

    private enum Key: String, CodingKey { case width, height, photoMetadata, videoMetadata }
    private enum VideoKey: String, CodingKey { case processingStatus }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        width = container.pixels(.width)
        height = container.pixels(.height)
        isPhoto = container.has(.photoMetadata)
        isVideo = container.has(.videoMetadata)
        let video = try? container.nestedContainer(keyedBy: VideoKey.self, forKey: .videoMetadata)
        processingStatus = video.flatMap { $0.lenient(.processingStatus) }
    }
}
