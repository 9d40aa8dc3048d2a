/// The boxes before the bytes of `mdat` in an MP4 of exactly `size` bytes (ISO/IEC 14496-12).
func movieHead(size: Int64, width: Int, height: Int, creation: Timestamp) -> [UInt8] {
    // Movie time counts from 1904.
    let time = UInt32(truncatingIfNeeded: creation.microseconds / 1_000_000 + 2_082_844_800)
    let zero = UInt32(0).bigEndianBytes
    func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    let matrix =
        UInt32(0x10000).bigEndianBytes + zeros(12) + UInt32(0x10000).bigEndianBytes + zeros(12)
        + UInt32(0x4000_0000).bigEndianBytes
    let times = UInt32(truncatingIfNeeded: time).bigEndianBytes + time.bigEndianBytes
    let milliseconds = UInt32(1000).bigEndianBytes

    let brands = Array("isom".utf8) + UInt32(512).bigEndianBytes + Array("isomiso2avc1mp41".utf8)
    let movieHeader =
        zero + times + milliseconds + milliseconds + UInt32(0x10000).bigEndianBytes + [1, 0] + zeros(10) + matrix
        + zeros(24) + UInt32(2).bigEndianBytes
    let trackHeader =
        [0, 0, 0, 3] + times + UInt32(1).bigEndianBytes + zero + milliseconds + zeros(16) + matrix
        + UInt32(width << 16).bigEndianBytes + UInt32(height << 16).bigEndianBytes
    let mediaHeader = zero + times + milliseconds + milliseconds + [0x55, 0xC4, 0, 0]
    let handler = zero + zero + Array("vide".utf8) + zeros(12) + Array("Video".utf8) + [0]
    let media = box("mdia", box("mdhd", mediaHeader) + box("hdlr", handler))
    let track = box("trak", box("tkhd", trackHeader) + media)
    let opening = box("ftyp", brands) + box("moov", box("mvhd", movieHeader) + track)
    // Size 1 means that 64 bits of size follow the name.
    let rest = size - Int64(opening.count)
    return opening + UInt32(1).bigEndianBytes + Array("mdat".utf8) + UInt64(rest).bigEndianBytes
}

private func box(_ name: String, _ content: [UInt8]) -> [UInt8] {
    UInt32(content.count + 8).bigEndianBytes + Array(name.utf8) + content
}
