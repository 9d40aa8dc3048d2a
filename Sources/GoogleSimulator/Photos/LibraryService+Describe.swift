extension LibraryService {
    /// A MediaItem as the API writes it: 64-bit numbers are strings (Library API reference: mediaItems).
    func describe(_ item: LibraryItem, reference: Int32) -> JSONValue {
        let missing = quirks.missingField(reference)
        let origin = baseURLOrigin + "/lr/" + baseURLs.mint(reference)
        let metadata = JSONValue.members(
            ("creationTime", missing == 2 ? nil : .string(item.creation.rfc3339)),
            ("width", missing == 3 ? nil : item.width.map { .string(String($0)) }),
            ("height", missing == 3 ? nil : item.height.map { .string(String($0)) }),
            ("photo", item.kind == .photo ? photo(item.camera) : nil),
            ("video", item.kind == .video ? video(item) : nil)
        )
        return .members(
            ("id", .string(item.id)),
            ("productUrl", .string("https://photos.google.com/lr/photo/" + item.id)),
            ("baseUrl", missing == 4 ? nil : .string(origin)),
            ("mimeType", missing == 1 ? nil : .string(item.mimeType)),
            ("mediaMetadata", metadata),
            ("filename", missing == 0 ? nil : .string(item.filename))
        )
    }

    private func photo(_ camera: LibraryItem.Camera) -> JSONValue {
        .members(
            ("cameraMake", camera.make.map { .string($0) }),
            ("cameraModel", camera.model.map { .string($0) }),
            ("focalLength", camera.focalLength.map { .double($0) }),
            ("apertureFNumber", camera.apertureFNumber.map { .double($0) }),
            ("isoEquivalent", camera.isoEquivalent.map { .integer($0) }),
            ("exposureTime", camera.exposureSeconds.map { .string("\($0)s") })
        )
    }

    private func video(_ item: LibraryItem) -> JSONValue {
        .members(
            ("cameraMake", item.camera.make.map { .string($0) }),
            ("cameraModel", item.camera.model.map { .string($0) }),
            ("fps", .double(30)),
            ("status", .string(item.videoStatus))
        )
    }
}
