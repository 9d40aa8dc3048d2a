import FoundationEssentials

/// Base64 with the URL's alphabet and no padding (RFC 4648, section 5).
func base64URL(_ bytes: [UInt8]) -> String {
    var text = Data(bytes).base64EncodedString()
    while text.last == "=" { text.removeLast() }
    return String(
        text.map { character in
            switch character {
            case "+": "-"
            case "/": "_"
            default: character
            }
        }
    )
}

/// Undoes `base64URL`; nil if the text is no such thing.
func bytes(base64URL text: some StringProtocol) -> [UInt8]? {
    var standard = String(
        text.map { character in
            switch character {
            case "-": "+"
            case "_": "/"
            default: character
            }
        }
    )
    while standard.utf8.count % 4 != 0 { standard.append("=") }
    return Data(base64Encoded: standard).map { Array($0) }
}

/// Standard base64 with padding, as checksums are written.
func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

/// Hexadecimal, lower case.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    var digits: [UInt8] = []
    for byte in bytes {
        digits.append(hexDigit(byte >> 4))
        digits.append(hexDigit(byte & 15))
    }
    return String(decoding: digits, as: UTF8.self)
}
