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
    /// Whether the structure ends where the bytes end; nil where the format has no such mark.
    ///
    /// JPEG: an EOI that ends the entropy data was reached (a motion clip may follow). PNG: the IEND chunk with its CRC.
    /// GIF: the trailer. WebP: the RIFF size equals the bytes. MP4, QuickTime, HEIC, AVIF: boxes tile the bytes to the
    /// end, with a `moov` (or `meta`) among them.
    package let isComplete: Bool?
    /// Whether XMP says MotionPhoto, MicroVideo or a motion photo container, or a HEIC has its `mpvd` box.
    package let isMotionPhoto: Bool

    package init(kind: MediaKind, width: Int?, height: Int?, isComplete: Bool?, isMotionPhoto: Bool) {
        self.kind = kind
        self.width = width
        self.height = height
        self.isComplete = isComplete
        self.isMotionPhoto = isMotionPhoto
    }
}
