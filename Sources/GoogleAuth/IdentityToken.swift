import FoundationEssentials

/// An identity token as it came: a compact JWS (RFC 7515, section 7.1), nothing of which is believed yet.
struct IdentityToken {
    /// Which key is said to have signed it.
    let keyID: String
    /// What the signature is of.
    let signed: [UInt8]
    let signature: [UInt8]
    private let payload: [UInt8]

    /// Longest that is looked at; Google's are of about 1 KiB.
    static let longest = 8 << 10

    /// What Google says in it (Google Identity: OpenID Connect, "An ID token's payload").
    struct Claims: Decodable {
        let iss: String
        let aud: String
        let exp: Double
        let iat: Double
        let email: String?
        let email_verified: Bool?
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String
        /// Extensions that must be understood; there are none that are.
        let crit: [String]?
    }

    /// - Throws: `.invalid` where it is no token signed with RS256.
    init(_ text: String) throws(IdentityError) {
        guard text.utf8.count <= Self.longest else { throw IdentityError(.invalid, "The token is too long.") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Self.bytes(parts[0]), let payload = Self.bytes(parts[1]),
            let signature = Self.bytes(parts[2])
        else { throw IdentityError(.invalid, "The token is not of three parts in base64url.") }
        guard let header = try? JSONDecoder().decode(Header.self, from: Data(head)), header.crit == nil else {
            throw IdentityError(.invalid, "The token's header does not name an algorithm and a key.")
        }
        // Never the token's own choice: "none", or HMAC with the public key as its secret, would be anybody's signature.
        guard header.alg == "RS256" else { throw IdentityError(.invalid, "The token is not signed with RS256.") }
        keyID = header.kid
        signed = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        self.payload = payload
        self.signature = signature
    }

    /// What it says; to be asked when its signature is known to be right.
    ///
    /// - Throws: `.invalid` where what every token has is missing.
    func claims() throws(IdentityError) -> Claims {
        guard let claims = try? JSONDecoder().decode(Claims.self, from: Data(payload)) else {
            throw IdentityError(.invalid, "The token lacks what identity tokens have.")
        }
        return claims
    }

    private static func bytes(_ part: Substring) -> [UInt8]? {
        let isPlain = part.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 95
        }
        return isPlain && !part.isEmpty ? GoogleAuth.bytes(base64URL: part) : nil
    }
}
