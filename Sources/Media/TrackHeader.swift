/// What the headers of one MP4 track say of its pictures.
struct TrackHeader {
    private var declared: PixelSize?
    private var isVisual = false

    /// Size of the track's pictures, before its matrix turns them; nil for sound, text and the like.
    var size: PixelSize? { isVisual ? declared : nil }

    /// Reads the payload of `tkhd`, which ends with width and height as 16.16 numbers (ISO/IEC 14496-12, section 8.3.2).
    mutating func readHeader(_ payload: [UInt8]) {
        var reader = ByteReader(payload)
        guard let version = reader.take(4)?.first, reader.take(version == 1 ? 84 : 72) != nil,
            let width = reader.bigEndian(4), let height = reader.bigEndian(4)
        else { return }
        declared = PixelSize(width >> 16, height >> 16)
    }

    /// Reads the payload of `hdlr`: `vide` for video, `pict` for image sequences.
    mutating func readHandler(_ payload: [UInt8]) {
        var reader = ByteReader(payload)
        guard reader.take(8) != nil, let type = reader.bigEndian(4) else { return }
        isVisual = type == fourCC("vide") || type == fourCC("pict")
    }
}
