/// What the bytes of one whole body showed.
package struct MediaReport: Sendable, Equatable {
    package let kind: MediaKind
    /// Pixels, from the file's own header; nil where the format or the file does not say.
    ///
    /// The main image of a JPEG (not its EXIF thumbnail), the primary item of a HEIC, the track header of an MP4. Rotation
    /// by EXIF, `irot` or a track matrix is not applied: compare width and height as an unordered pair.
    package let width: Int?
    /// As `width`.
    package let height: Int?
    /// Whether the file's own structure says that all of it came; nil where it cannot tell.
    ///
    /// JPEG: an EOI that ends the entropy data was reached, and the clip that the XMP of a motion photo announces follows it
    /// whole; nil where all of that clip is missing, which may be how it is served. PNG: the IEND chunk with its CRC. GIF:
    /// the trailer. WebP: the RIFF size equals the bytes. MP4, QuickTime: boxes tile the bytes to the end, with a `moov` and
    /// data among them, one `ftyp` at most, and every chunk begins before the end; nil where a last box has no size, or fragments end without
    /// the index that closes them. HEIC, AVIF: boxes tile the bytes, and every extent of every item is inside. Bytes that
    /// make no sense after the last good box or chunk count as incomplete: a cut box looks the same.
    package let isComplete: Bool?
    /// Whether there is a container and nothing in it: no data of any picture began.
    package let isHollow: Bool
    /// Whether XMP says MotionPhoto, MicroVideo or a motion photo container, or a HEIC has its `mpvd` box.
    package let isMotionPhoto: Bool

    package init(
        kind: MediaKind,
        width: Int?,
        height: Int?,
        isComplete: Bool?,
        isHollow: Bool = false,
        isMotionPhoto: Bool
    ) {
        self.kind = kind
        self.width = width
        self.height = height
        self.isComplete = isComplete
        self.isHollow = isHollow
        self.isMotionPhoto = isMotionPhoto
    }
}
