import CCrc32c
import CCrypto

/// A running CRC-32C (Castagnoli), the checksum that Cloud Storage validates.
package struct CRC32C: Sendable, Equatable {
    /// The checksum of everything consumed so far.
    package private(set) var value: UInt32 = 0

    package init() {}

    /// Adds bytes in order.
    package mutating func consume(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe consume($0) }
    }

    /// Adds bytes in order.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        unsafe value = coldroll_crc32c(value, bytes.baseAddress, bytes.count)
    }

    /// Base64 of the four big-endian bytes, as the JSON API writes it.
    package var base64: String {
        let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        // Eight characters and the zero that EVP_EncodeBlock ends them with.
        var text = [UInt8](repeating: 0, count: 9)
        unsafe EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(8), as: UTF8.self)
    }

    /// Reads the JSON API's form; nil if it is not four bytes of base64.
    package static func value(base64: String) -> UInt32? {
        let text = Array(base64.utf8)
        // EVP_DecodeBlock skips white space and takes padding for zeros: the length here, the round trip below.
        guard text.count == 8 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 6)
        guard unsafe EVP_DecodeBlock(&bytes, text, Int32(text.count)) == 6 else { return nil }
        var sum = CRC32C()
        sum.value = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        return sum.base64 == base64 ? sum.value : nil
    }
}
