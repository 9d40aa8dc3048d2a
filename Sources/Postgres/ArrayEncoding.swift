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
        appendHeader(values, element, &bytes)
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

    /// Texts; the server's text cannot hold a NUL character, which is replaced by U+FFFD.
    static func encode(texts values: [String?]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + values.reduce(0) { $0 + ($1?.utf8.count ?? 0) + 4 })
        appendHeader(values, TypeOID.text, &bytes)
        for value in values {
            guard var text = value else {
                bytes.append(bigEndian: UInt32.max)
                continue
            }
            text.withUTF8 { utf8 in
                if unsafe utf8.contains(0) {
                    let replaced = unsafe utf8.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }
                    bytes.append(bigEndian: UInt32(replaced.count))
                    bytes.append(contentsOf: replaced)
                } else {
                    bytes.append(bigEndian: UInt32(utf8.count))
                    unsafe bytes.append(contentsOf: utf8)
                }
            }
        }
        return bytes
    }

    private static func appendHeader<Element>(_ values: [Element?], _ element: UInt32, _ bytes: inout [UInt8]) {
        bytes.append(bigEndian: UInt32(values.isEmpty ? 0 : 1))
        bytes.append(bigEndian: UInt32(values.contains { $0 == nil } ? 1 : 0))
        bytes.append(bigEndian: element)
        guard !values.isEmpty else { return }
        bytes.append(bigEndian: UInt32(values.count))
        bytes.append(bigEndian: UInt32(1))
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
