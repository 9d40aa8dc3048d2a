/// What bytes are, by themselves, whatever name or content type they came under.
package enum MediaKind: String, Sendable, Equatable, CaseIterable {
    case jpeg, png, gif, webp, heic, avif, tiff, bmp, mp4, quicktime, matroska, avi, mpegTransportStream
    case html, json, xml, text, empty, unrecognised
    /// True for html, json, xml, text and empty: an error page or nothing, never a photo or a video.
    package var isRefused: Bool { fatalError() }
    package var isStill: Bool { fatalError() }
    package var isVideo: Bool { fatalError() }
    /// IANA media type to store, nil for unrecognised.
    package var contentType: String? { fatalError() }
}

/// What the bytes of one whole body showed.
package struct MediaReport: Sendable, Equatable {
    package let kind: MediaKind
    /// From the file's own header (primary item of a HEIC; track header of an MP4); nil where the format or the file does not say.
    package let width: Int?
    package let height: Int?
    /// Whether the structure ends where the bytes end (JPEG EOI with allowance for trailing motion clip, PNG IEND, RIFF size, ISO boxes with moov); nil where the format has no such mark.
    package let isComplete: Bool?
    /// Whether XMP says MotionPhoto / MicroVideo / Motion Photo container.
    package let isMotionPhoto: Bool
    package init(kind: MediaKind, width: Int?, height: Int?, isComplete: Bool?, isMotionPhoto: Bool) {
        self.kind = kind; self.width = width; self.height = height; self.isComplete = isComplete; self.isMotionPhoto = isMotionPhoto
    }
}

/// Reads a body as it flows by, holding at most a few hundred KiB of it.
package struct MediaInspector: Sendable {
    package init() {}
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) { fatalError() }
    /// What is known from the bytes so far; `isComplete` judges them as if they were all.
    package func report() -> MediaReport { fatalError() }
}
