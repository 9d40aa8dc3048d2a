import HTTPServer
import Synchronization

/// One item of the library and what its downloads must give.
package struct LibraryEntry: Sendable, Equatable {
    /// Size and checksum of one download.
    package struct Expected: Sendable, Equatable {
        package let size: Int64
        package let crc32c: UInt32
    }

    package let id: String
    /// What the Picker API calls it.
    package let pickerID: String
    package let filename: String
    package let mimeType: String
    /// `photo` or `video`.
    package let kind: String
    /// RFC 3339.
    package let creationTime: String
    package let width: Int64?
    package let height: Int64?
    /// `READY`, `PROCESSING`, `FAILED` for a video; nil for a photo.
    package let videoStatus: String?
    /// What `=d` gives.
    package let download: Expected
    /// What `=dv` gives; nil for a photo without a clip.
    package let video: Expected?
    /// Whether the API answers 500 for it (quirk `badID`).
    package let isBad: Bool
    /// The file behind it; nil for a made-up item.
    package let path: String?
}

/// Works out what clients must receive, and remembers it.
final class LibraryEntries: Sendable {
    private let library: PhotoLibrary
    private let quirks: Set<Quirk>
    private let known = Mutex<[String: (LibraryEntry.Expected, LibraryEntry.Expected?)]>([:])

    init(library: PhotoLibrary, quirks: Set<Quirk>) {
        self.library = library
        self.quirks = quirks
    }

    /// All items, newest first.
    func all() throws -> [LibraryEntry] {
        let places = library.places(after: nil, isOldestFirst: false, limit: library.count)
        return try places.compactMap { place in
            try library.item(place.reference).map { try entry($0, reference: place.reference) }
        }
    }

    private func entry(_ item: LibraryItem, reference: Int32) throws -> LibraryEntry {
        let (download, video) = try known.withLock { $0[item.id] } ?? measure(item)
        var path: String?
        if case .file(let place, _) = item.content { path = place }
        return LibraryEntry(
            id: item.id,
            pickerID: item.pickerID,
            filename: item.filename,
            mimeType: item.mimeType,
            kind: item.kind == .video ? "video" : "photo",
            creationTime: item.creation.rfc3339,
            width: item.width,
            height: item.height,
            videoStatus: item.kind == .video ? item.videoStatus : nil,
            download: download,
            video: video,
            isBad: quirks.isBad(reference),
            path: path
        )
    }

    private func measure(_ item: LibraryItem) throws -> (LibraryEntry.Expected, LibraryEntry.Expected?) {
        func expected(_ bytes: ItemBytes) throws -> LibraryEntry.Expected {
            LibraryEntry.Expected(size: bytes.body.count, crc32c: try bytes.checksum())
        }
        let result = (try expected(.download(item)), try ItemBytes.video(item).map(expected))
        known.withLock { $0[item.id] = result }
        return result
    }
}
