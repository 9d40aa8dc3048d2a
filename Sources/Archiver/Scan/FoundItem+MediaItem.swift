import GooglePhotos
import JobQueue

extension FoundItem {
    /// What the ledger records of an item that the Library API lists: one part, a still or a video.
    ///
    /// A motion photo does not show here; its second part is recorded when the still's bytes have been seen. What does not
    /// show what it is counts as a still: before anything of it is stored, the worker asks again.
    init(_ item: MediaItem, sourceLabel: String) {
        let isVideo = item.isVideo ?? false
        let kind: PartKind = isVideo ? .video : .still
        // PostgreSQL's text holds no NUL; the other control characters are kept, they are what the source says.
        let filename = item.filename.map { String($0.map { $0 == "\u{0}" ? "\u{FFFD}" : $0 }) }
        let folder = CaptureTime.folder(item.creationTime)
        let identity = Identity(source: sourceLabel, item: item.id, part: kind)
        self.init(
            sourceItem: item.id,
            filename: filename,
            mimeType: item.mimeType,
            captureTime: item.creationTime,
            captureFrom: item.creationTime == nil ? "none" : "api",
            width: item.width,
            height: item.height,
            isVideo: isVideo,
            parts: [
                NewPart(
                    kind: kind,
                    folderMonth: folder,
                    names: ObjectName.candidates(
                        filename: filename,
                        mimeType: item.mimeType,
                        folder: folder,
                        identity: identity
                    )
                )
            ]
        )
    }
}
