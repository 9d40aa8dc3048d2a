/// Reads numbers off the front of bytes, nil past the end.
struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// The next `count` bytes, or nil and nothing taken.
    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// An unsigned number of 0 to 8 bytes; no bytes at all are 0.
    mutating func bigEndian(_ width: Int) -> UInt64? {
        take(width)?.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// As `bigEndian`, lowest byte first.
    mutating func littleEndian(_ width: Int) -> UInt64? {
        take(width)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Bytes up to the next NUL, which is taken too; nil if there is none.
    mutating func terminated() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }
}
