/// What an answer of the API may be before it is parsed.
enum JSONLimits {
    /// A page of 100 items with long names is below 1 MiB.
    static let bytes = 16 << 20
    /// The API nests its answers five deep; the parser recurses.
    static let depth = 64

    /// Whether the brackets outside of strings nest no deeper than `depth`; wrong brackets are the parser's business.
    static func allow(_ json: [UInt8]) -> Bool {
        guard json.count <= bytes else { return false }
        var level = 0
        var isString = false
        var isEscaped = false
        for byte in json {
            if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                level += 1
                if level > depth { return false }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): level -= 1
            default: break
            }
        }
        return true
    }
}
