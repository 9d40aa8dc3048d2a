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
    guard let base = unsafe hay.baseAddress, !needle.isEmpty else { return nil }
    let found = unsafe memmem(base, hay.count, needle, needle.count)
    return unsafe found.map { unsafe UnsafeRawPointer($0) - base }
}
