/// Calls `body` with a NULL-terminated array of C strings that live only during the call.
func withCStrings<R>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> R) -> R {
    let texts = strings.map { PostgresValue.text($0) }
    return unsafe withPointers(texts) { unsafe body($0 + [nil]) }
}

/// Calls `body` with a pointer to each value's bytes, nil for NULL, that live only during the call.
func withPointers<R>(_ values: [PostgresValue], _ body: ([UnsafePointer<CChar>?]) -> R) -> R {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.reduce(1) { $0 + ($1.encoded?.count ?? 0) })
    var offsets: [Int?] = []
    for value in values {
        offsets.append(value.encoded == nil ? nil : bytes.count)
        bytes += value.encoded ?? []
    }
    // Not empty, so that the buffer has an address even where every value is.
    bytes.append(0)
    return unsafe bytes.withUnsafeBytes { buffer in
        let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
        return unsafe body(offsets.map { offset in unsafe offset.map { unsafe base + $0 } })
    }
}
