import CCrypto
import FoundationEssentials

/// Base64 for URLs, without padding (RFC 4648, section 5).
func base64URL(_ bytes: [UInt8]) -> String {
    String(
        Data(bytes).base64EncodedString().compactMap { character -> Character? in
            switch character {
            case "+": "-"
            case "/": "_"
            case "=": nil
            default: character
            }
        }
    )
}

/// Reads base64 for URLs; nil if it is none.
func bytes(base64URL text: some StringProtocol) -> [UInt8]? {
    var plain = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    while plain.utf8.count % 4 != 0 { plain += "=" }
    return Data(base64Encoded: plain).map { [UInt8]($0) }
}

/// Bytes that nobody can guess (the system's generator).
func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

/// SHA-256 by libcrypto.
func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var size: UInt32 = 0
    let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &size, EVP_sha256(), nil)
    precondition(done == 1 && size == 32, "libcrypto has no SHA-256")
    return digest
}
