/// Bytes read as text: ASCII letters in lower case, everything else as 0x80.
struct PlainText {
    private(set) var lowercased: [UInt8]
    /// Whether all of it is text that a person could read.
    let isReadable: Bool

    init(_ bytes: [UInt8]) {
        var units: [UInt32]
        let isUnicode: Bool
        switch Self.encoding(of: bytes) {
        case .utf32(let bigEndian):
            units = Self.units(bytes.dropFirst(4), width: 4, bigEndian: bigEndian)
            isUnicode = Self.areScalars(units)
        case .utf16(let bigEndian, let mark):
            units = Self.units(bytes.dropFirst(mark), width: 2, bigEndian: bigEndian)
            isUnicode = Self.areUTF16(units)
        case .utf8(let mark):
            units = bytes.dropFirst(mark).map { UInt32($0) }
            isUnicode = Self.isUTF8(bytes.dropFirst(mark))
        }
        lowercased = units.map { unit in
            switch unit {
            case 0x41...0x5A: UInt8(unit + 0x20)
            case 0..<0x80: UInt8(unit)
            default: 0x80
            }
        }
        let hasControl = lowercased.contains(where: Self.isControl)
        let ascii = lowercased.count { $0 < 0x80 }
        // A single-byte or double-byte encoding of old: no control byte at all, and a good part of it ASCII.
        isReadable = !hasControl && (isUnicode || ascii * 5 >= lowercased.count * 3)
    }

    /// White space in HTML, and the vertical tab.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    /// What the WHATWG calls binary data bytes, and DEL.
    private static func isControl(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x08, 0x0B, 0x0E...0x1A, 0x1C...0x1F, 0x7F: true
        default: false
        }
    }

    private enum Encoding {
        /// Or any other that has ASCII within it; the number of bytes of its mark.
        case utf8(Int)
        case utf16(bigEndian: Bool, mark: Int)
        case utf32(bigEndian: Bool)
    }

    private static func encoding(of bytes: [UInt8]) -> Encoding {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return .utf8(3) }
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) { return .utf32(bigEndian: false) }
        if bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return .utf32(bigEndian: true) }
        if bytes.starts(with: [0xFF, 0xFE]) { return .utf16(bigEndian: false, mark: 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return .utf16(bigEndian: true, mark: 2) }
        // Without a mark only markup and JSON are believed: white space and `<`, `{` or `[`, two bytes each.
        for bigEndian in [false, true] {
            let units = Self.units(bytes[...], width: 2, bigEndian: bigEndian)
            let first = units.first { $0 >= 0x80 || !isSpace(UInt8($0)) }
            let isMarkup = first == 0x3C || first == 0x7B || first == 0x5B
            if units.count >= 2, isMarkup { return .utf16(bigEndian: bigEndian, mark: 0) }
        }
        return .utf8(0)
    }

    private static func units(_ bytes: ArraySlice<UInt8>, width: Int, bigEndian: Bool) -> [UInt32] {
        var reader = ByteReader(bytes)
        var units: [UInt32] = []
        while let unit = bigEndian ? reader.bigEndian(width) : reader.littleEndian(width) { units.append(UInt32(unit)) }
        return units
    }

    private static func areScalars(_ units: [UInt32]) -> Bool {
        units.allSatisfy { Unicode.Scalar($0) != nil }
    }

    /// Whether surrogates come in pairs; the last may lack its other half.
    private static func areUTF16(_ units: [UInt32]) -> Bool {
        var expectsLow = false
        for unit in units {
            let isLow = (0xDC00...0xDFFF).contains(unit)
            guard isLow == expectsLow, unit < 0xFFFE else { return false }
            expectsLow = (0xD800...0xDBFF).contains(unit)
        }
        return true
    }

    /// Whether the bytes are UTF-8, but for a character cut off at the end.
    private static func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool {
        (0...3).contains { cut in
            guard cut == 0 || bytes.suffix(cut).allSatisfy({ $0 >= 0x80 }) else { return false }
            return String(validating: bytes.dropLast(cut), as: UTF8.self) != nil
        }
    }
}
