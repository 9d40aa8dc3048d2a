/// The binary form of a one-dimensional array, as `array_recv` of the server reads it.
///
/// Header of five big-endian 32-bit words (dimensions, has nulls, element OID, length, lower bound), then each
/// element's length in bytes (-1 for NULL) and its bytes. An empty array has no dimension.
enum BinaryArray {
    static func encode<Element>(
        _ values: [Element?],
        element: UInt32,
        _ append: (Element, inout [UInt8]) -> Void
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + values.count * 12)
        bytes.append(bigEndian: UInt32(values.isEmpty ? 0 : 1))
        bytes.append(bigEndian: UInt32(values.contains { $0 == nil } ? 1 : 0))
        bytes.append(bigEndian: element)
        guard !values.isEmpty else { return bytes }
        bytes.append(bigEndian: UInt32(values.count))
        bytes.append(bigEndian: UInt32(1))
        for value in values {
            let start = bytes.count
            guard let value else {
                bytes.append(bigEndian: UInt32.max)
                continue
            }
            bytes.append(bigEndian: UInt32(0))
            append(value, &bytes)
            let length = UInt32(bytes.count - start - 4)
            for offset in 0..<4 {
                bytes[start + offset] = UInt8(truncatingIfNeeded: length >> (8 * (3 - UInt32(offset))))
            }
        }
        return bytes
    }
}

extension [UInt8] {
    /// Appends in network order.
    mutating func append<Word: FixedWidthInteger & UnsignedInteger>(bigEndian word: Word) {
        var shift = Word.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: word >> Word(shift)))
        }
    }
}

/// The text form of an array: `{"a","say \"hi\"",NULL,""}` (PostgreSQL docs: "Array Input and Output Syntax").
enum ArrayLiteral {
    /// Every element is quoted, so that the words NULL, the empty string, commas and braces are only text.
    static func encode(_ values: [String?]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(3 + values.reduce(0) { $0 + ($1?.utf8.count ?? 4) + 3 })
        bytes.append(UInt8(ascii: "{"))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard let value else {
                bytes.append(contentsOf: "NULL".utf8)
                continue
            }
            bytes.append(UInt8(ascii: "\""))
            var text = value
            text.withUTF8 { unsafe append($0, to: &bytes) }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        bytes.append(0)
        return bytes
    }

    /// Pages hold thousands of texts, nearly all of them plain: those are copied as they are.
    private static func append(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        guard unsafe text.contains(where: { $0 == quote || $0 == backslash || $0 == 0 }) else {
            return unsafe bytes.append(contentsOf: text)
        }
        for index in text.indices {
            let byte = unsafe text[index]
            switch byte {
            case 0: bytes += [0xEF, 0xBF, 0xBD]
            case quote, backslash: bytes += [backslash, byte]
            default: bytes.append(byte)
            }
        }
    }

    private static let quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\")
}
