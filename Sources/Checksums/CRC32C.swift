/// A running CRC-32C (Castagnoli), the checksum that Cloud Storage validates.
package struct CRC32C: Sendable, Equatable {
    /// The checksum of everything consumed so far.
    package private(set) var value: UInt32 = 0

    package init() {}

    /// Adds bytes in order.
    package mutating func consume(_ bytes: RawSpan) { fatalError() }

    /// Adds bytes in order.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) { fatalError() }

    /// Base64 of the four big-endian bytes, as the JSON API writes it.
    package var base64: String { fatalError() }

    /// Reads the JSON API's form; nil if it is not four bytes of base64.
    package static func value(base64: String) -> UInt32? { fatalError() }
}

/// SHA-256 of a byte string (libcrypto).
package func sha256(_ bytes: [UInt8]) -> [UInt8] { fatalError() }
