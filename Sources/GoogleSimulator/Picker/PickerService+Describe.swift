extension PickerService {
    /// A PickedMediaItem as the API writes it: width and height are numbers (Picker API reference: mediaItems).
    func describe(_ item: LibraryItem, reference: Int32, session: UInt32) -> JSONValue {
        let missing = quirks.missingField(reference)
        let isVideo = item.kind == .video
        let metadata = JSONValue.members(
            ("width", missing == 3 ? nil : item.width.map { .integer($0) }),
            ("height", missing == 3 ? nil : item.height.map { .integer($0) }),
            ("cameraMake", item.camera.make.map { .string($0) }),
            ("cameraModel", item.camera.model.map { .string($0) }),
            ("photoMetadata", isVideo ? nil : photo(item.camera)),
            ("videoMetadata", isVideo ? video(item) : nil)
        )
        let file = JSONValue.members(
            (
                "baseUrl",
                missing == 4 ? nil : .string(baseURLOrigin + "/ppa/" + baseURLs.mint(reference, session: session))
            ),
            ("mimeType", missing == 1 ? nil : .string(item.mimeType)),
            ("filename", missing == 0 ? nil : .string(item.filename)),
            ("mediaFileMetadata", metadata)
        )
        return .members(
            ("id", .string(item.pickerID)),
            ("createTime", missing == 2 ? nil : .string(Self.text(of: item.creation, form: reference & 3))),
            ("type", .string(isVideo ? "VIDEO" : "PHOTO")),
            ("mediaFile", file)
        )
    }

    /// A time in one of the forms that RFC 3339 and the API's reference allow: with an offset, with nine digits, as usual.
    private static func text(of time: Timestamp, form: Int32) -> String {
        switch form {
        case 1: return time.adding(seconds: 7200).rfc3339.dropLast() + "+02:00"
        case 2:
            let seconds = time.rfc3339.prefix("2019-07-14T16:03:21".count)
            let fraction = (time.microseconds % 1_000_000 + 1_000_000) % 1_000_000
            return "\(seconds).\(String(1_000_000 + fraction).dropFirst())000Z"
        default: return time.rfc3339
        }
    }

    private func photo(_ camera: LibraryItem.Camera) -> JSONValue {
        .members(
            ("focalLength", camera.focalLength.map { .double($0) }),
            ("apertureFNumber", camera.apertureFNumber.map { .double($0) }),
            ("isoEquivalent", camera.isoEquivalent.map { .integer($0) }),
            ("exposureTime", camera.exposureSeconds.map { .string("\($0)s") })
        )
    }

    private func video(_ item: LibraryItem) -> JSONValue {
        .members(("fps", .double(30)), ("processingStatus", .string(item.videoStatus)))
    }
}

extension LibraryItem {
    /// What the Picker calls the item, in every session; nothing says that the two APIs share their ids, so they do not.
    var pickerID: String {
        let first = id.utf8.reduce(UInt64(0x7069_636B)) { mixed($0 ^ UInt64($1)) }
        return "APk" + base64URL(first.bigEndianBytes + mixed(first &+ 1).bigEndianBytes)
    }
}
