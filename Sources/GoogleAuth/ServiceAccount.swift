import FoundationEssentials
import HTTPClient

/// A service account's key file: it signs its own assertion (RFC 7523; Google Identity docs: "Using OAuth 2.0 for
/// server to server applications").
struct ServiceAccount: Sendable {
    let file: String
    /// Where the assertion is sent.
    let url: String
    /// Whom it is made out to: the file's own `token_uri`, whatever address leads there.
    let audience: String
    let scope: String
    let email: String
    let keyID: String?
    let key: SigningKey
    let quotaProject: String?

    /// `clockError` is how far this machine's clock is known to be ahead.
    func request(clockError: Duration) throws(AuthError) -> HTTPRequest {
        let now = Int64(Date.now.timeIntervalSince1970) - clockError.components.seconds
        let assertion = try assertion(at: now)
        return formPost(
            url,
            [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)]
        )
    }

    /// A JSON Web Token signed with RS256, good for an hour, which is the longest that Google takes.
    ///
    /// `now` is in seconds since 1970.
    func assertion(at now: Int64) throws(AuthError) -> String {
        struct Header: Encodable {
            let alg = "RS256"
            let kid: String?
            let typ = "JWT"
        }
        struct Claims: Encodable {
            let aud: String
            let exp: Int64
            let iat: Int64
            let iss: String
            let scope: String
        }
        let claims = Claims(aud: audience, exp: now + 3600, iat: now, iss: email, scope: scope)
        let signed = "\(Self.part(Header(kid: keyID))).\(Self.part(claims))"
        let signature = try key.sign(Array(signed.utf8))
        return "\(signed).\(base64URL(signature))"
    }

    private static func part(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // `try!` cannot fail because the two structs hold nothing but strings and whole numbers.
        return base64URL([UInt8](try! encoder.encode(value)))
    }
}
