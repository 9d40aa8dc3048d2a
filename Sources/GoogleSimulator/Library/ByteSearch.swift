import Glibc

/// Where some bytes first stand in others, at or after a place.
func position(of needle: [UInt8], in hay: [UInt8], from start: Int) -> Int? {
    guard start < hay.count else { return nil }
    return unsafe hay.withUnsafeBytes { bytes in
        unsafe position(of: needle, in: UnsafeRawBufferPointer(rebasing: bytes[start...])).map { $0 + start }
    }
}

/// Where some bytes first stand in a buffer.
func position(of needle: [UInt8], in hay: UnsafeRawBufferPointer) -> Int? {
    guard let base = hay.baseAddress, let first = needle.first else { return nil }
    var start = 0
    while start + needle.count <= hay.count {
        let span = hay.count - needle.count + 1 - start
        guard let hit = unsafe memchr(base + start, Int32(first), span) else { return nil }
        let index = unsafe UnsafeRawPointer(hit) - base
        if unsafe memcmp(base + index, needle, needle.count) == 0 { return index }
        start = index + 1
    }
    return nil
}
