/// The rest of a JPEG after its opening: an evenly grey picture, down to the end marker (ITU-T T.81).
struct GreyPicture: Sendable {
    /// From the quantisation table to the end-of-image marker.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - width: 1 to 65,535 pixels; each 8 × 8 of them cost two bits.
    ///   - height: likewise.
    init(width: Int, height: Int) {
        let quantisation = [0xFF, 0xDB, 0x00, 0x43, 0x00] + [UInt8](repeating: 1, count: 64)
        let frame: [UInt8] = [
            0xFF, 0xC0, 0x00, 0x0B, 8, UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255),
            1, 1, 0x11, 0,
        ]
        // One code of one bit in each table: "no change" for DC, "end of block" for AC. A picture is then all zero bits.
        let onlyZero: [UInt8] = [1] + [UInt8](repeating: 0, count: 15) + [0]
        let tables = [0xFF, 0xC4, 0x00, 0x14, 0x00] + onlyZero + [0xFF, 0xC4, 0x00, 0x14, 0x10] + onlyZero
        let scan: [UInt8] = [0xFF, 0xDA, 0x00, 0x08, 1, 1, 0x00, 0, 63, 0]
        let blocks = ((width + 7) / 8) * ((height + 7) / 8)
        var data = [UInt8](repeating: 0, count: (blocks * 2 + 7) / 8)
        let spare = data.count * 8 - blocks * 2
        // The last byte is padded with ones (T.81, F.1.2.3).
        if spare > 0 { data[data.count - 1] = UInt8((1 << spare) - 1) }
        bytes = quantisation + frame + tables + scan + data + [0xFF, 0xD9]
    }
}

/// The 512-pixel copy that a base URL without a suffix gives, and the thumbnail of a video.
let smallPicture: [UInt8] = [0xFF, 0xD8] + GreyPicture(width: 512, height: 384).bytes

/// An APP1 segment with a capture time and nothing else (Exif 2.32, 4.6).
func exifSegment(creation: Timestamp) -> [UInt8] {
    // "2024-02-03T10:11:12Z" becomes "2024:02:03 10:11:12".
    var text = Array(creation.rfc3339.utf8.prefix(19))
    text[4] = UInt8(ascii: ":")
    text[7] = UInt8(ascii: ":")
    text[10] = UInt8(ascii: " ")
    func entry(_ tag: UInt16, _ type: UInt16, _ count: UInt32, _ value: UInt32) -> [UInt8] {
        tag.bigEndianBytes + type.bigEndianBytes + count.bigEndianBytes + value.bigEndianBytes
    }
    let end: [UInt8] = [0, 0, 0, 0]
    let one: [UInt8] = [0, 1]
    var tiff: [UInt8] = Array("MM".utf8) + [0, 42] + UInt32(8).bigEndianBytes
    tiff += one + entry(0x8769, 4, 1, 26) + end
    tiff += one + entry(0x9003, 2, 20, 44) + end
    tiff += text + [0]
    let content = Array("Exif".utf8) + [0, 0] + tiff
    return [0xFF, 0xE1] + UInt16(content.count + 2).bigEndianBytes + content
}
