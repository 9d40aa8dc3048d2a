/// Width and height, read from the head of a file; nil for kinds that it does not know.
///
/// Independent of the archiver's own reader on purpose: a simulator that shared it would share its mistakes.
func pictureSize(_ bytes: [UInt8]) -> (width: Int64, height: Int64)? {
    if bytes.starts(with: [0xFF, 0xD8]) { return jpegSize(bytes) }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), bytes.count >= 24 {
        return (Int64(bigEndian: bytes[16..<20]), Int64(bigEndian: bytes[20..<24]))
    }
    if bytes.starts(with: Array("GIF8".utf8)), bytes.count >= 10 {
        return (little(bytes[6..<8]), little(bytes[8..<10]))
    }
    if bytes.starts(with: Array("RIFF".utf8)), bytes.count >= 30 { return webpSize(bytes) }
    if bytes.count >= 12, bytes[4..<8].elementsEqual("ftyp".utf8) { return boxedSize(bytes) }
    return nil
}

private func little(_ bytes: ArraySlice<UInt8>) -> Int64 { Int64(bigEndian: bytes.reversed()) }

private func jpegSize(_ bytes: [UInt8]) -> (width: Int64, height: Int64)? {
    var index = 2
    while index + 9 < bytes.count {
        guard bytes[index] == 0xFF else { return nil }
        let marker = bytes[index + 1]
        if marker == 0xFF || marker == 0x01 || (0xD0...0xD7).contains(marker) {
            index += marker == 0xFF ? 1 : 2
            continue
        }
        let isFrame = (0xC0...0xCF).contains(marker) && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
        if isFrame {
            return (Int64(bigEndian: bytes[index + 7..<index + 9]), Int64(bigEndian: bytes[index + 5..<index + 7]))
        }
        if marker == 0xDA || marker == 0xD9 { return nil }
        index += 2 + Int(bytes[index + 2]) << 8 + Int(bytes[index + 3])
    }
    return nil
}

private func webpSize(_ bytes: [UInt8]) -> (width: Int64, height: Int64)? {
    switch String(decoding: bytes[12..<16], as: UTF8.self) {
    case "VP8X": return (little(bytes[24..<27]) + 1, little(bytes[27..<30]) + 1)
    case "VP8 ": return (little(bytes[26..<28]) & 0x3FFF, little(bytes[28..<30]) & 0x3FFF)
    case "VP8L":
        let bits = little(bytes[21..<25])
        return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    default: return nil
    }
}

/// The largest `ispe` of a HEIF or `tkhd` of a film, found by name, since their nesting says nothing more.
private func boxedSize(_ bytes: [UInt8]) -> (width: Int64, height: Int64)? {
    var best: (width: Int64, height: Int64)?
    func offer(_ width: Int64, _ height: Int64) {
        guard width > 0, height > 0, width * height > (best.map { $0.width * $0.height } ?? 0) else { return }
        best = (width, height)
    }
    var index = 0
    while let name = position(of: Array("ispe".utf8), in: bytes, from: index), name + 16 <= bytes.count {
        offer(Int64(bigEndian: bytes[name + 8..<name + 12]), Int64(bigEndian: bytes[name + 12..<name + 16]))
        index = name + 4
    }
    index = 0
    while let name = position(of: Array("tkhd".utf8), in: bytes, from: index), name + 5 <= bytes.count {
        let width = name + (bytes[name + 4] == 1 ? 92 : 80)
        if width + 8 <= bytes.count {
            offer(Int64(bigEndian: bytes[width..<width + 2]), Int64(bigEndian: bytes[width + 4..<width + 6]))
        }
        index = name + 4
    }
    return best
}
