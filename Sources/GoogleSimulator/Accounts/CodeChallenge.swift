import Checksums

/// What binds a code to the program that asked for it (RFC 7636).
struct CodeChallenge: Sendable, Equatable {
    enum Method: String, Sendable {
        case plain
        case s256 = "S256"
    }

    let value: String
    let method: Method

    /// Whether this is the text from which the challenge was made.
    func admits(_ verifier: String) -> Bool {
        guard Self.isWellFormed(verifier) else { return false }
        let made =
            switch method {
            case .plain: verifier
            case .s256: base64URL(sha256(Array(verifier.utf8)))
            }
        return made == value
    }

    /// Both verifier and challenge have 43 to 128 unreserved characters (RFC 7636, sections 4.1 and 4.2).
    static func isWellFormed(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}
