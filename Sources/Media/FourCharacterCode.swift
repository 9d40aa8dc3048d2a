/// A four-letter code as the big-endian number it is in the file.
func fourCC(_ code: StaticString) -> UInt64 {
    precondition(code.utf8CodeUnitCount == 4, "a four-letter code has four letters")
    return code.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt64($1) } }
}
