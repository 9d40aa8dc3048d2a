/// An item that comes into the library while it is in use.
enum AddedItem {
    /// Reads `{"path":…}` for a file, or `kind`, `size`, `filename`, `mime`, `creationTime`, `processing_seconds`, `failed`, `id`.
    static func make(_ wanted: JSONValue, number: Int) throws -> LibraryItem? {
        if let path = wanted["path"]?.text { return try FolderScan.item(path: path, identity: path) }
        let filename = wanted["filename"]?.text
        let type = wanted["mime"]?.text
        let isVideo = wanted["kind"]?.text.map { $0 == "video" } ?? type?.hasPrefix("video/") ?? false
        let seed = mixed(UInt64(number) &+ 0x6164_6465_64)
        var creation = Timestamp.now
        if let text = wanted["creationTime"]?.text {
            guard let time = Timestamp(text) else { throw SimulatorError(description: "creationTime is not RFC 3339") }
            creation = time
        }
        return makeItem(
            id: wanted["id"]?.text ?? "AGj3" + base64URL(seed.bigEndianBytes + mixed(seed).bigEndianBytes),
            number: number,
            kind: isVideo ? .video : .photo,
            size: wanted["size"]?.whole ?? 100_000,
            seed: seed,
            creation: creation,
            filename: filename,
            mimeType: type,
            readyAt: wanted["processing_seconds"]?.number.map { Timestamp.now.adding(seconds: $0) },
            isFailed: wanted["failed"]?.flag ?? false
        )
    }
}
