import Checksums

/// Makes ID tokens (OpenID Connect Core, section 2; Google Identity: OpenID Connect, an ID token's payload).
struct IdentityTokens: Sendable {
    let keys: IdentityKeys

    static let issuer = "https://accounts.google.com"

    /// Who a person is, as one client may know it, signed with the key that signs now.
    func make(
        of person: Person,
        for client: String,
        scopes: Set<String>,
        accessToken: String,
        nonce: String?
    ) throws(KeyError) -> String {
        let now = Timestamp.now.microseconds / 1_000_000
        let hasEmail = scopes.contains(Scopes.email)
        let claims = JSONValue.members(
            ("iss", .string(Self.issuer)),
            ("azp", .string(client)),
            ("aud", .string(client)),
            ("sub", .string(person.subject)),
            ("email", hasEmail ? .string(person.email) : nil),
            ("email_verified", hasEmail ? .boolean(true) : nil),
            // The left half of the access token's hash (OpenID Connect Core, section 3.1.3.6).
            ("at_hash", .string(base64URL(Array(sha256(Array(accessToken.utf8)).prefix(16))))),
            ("nonce", nonce.map { .string($0) }),
            ("name", scopes.contains(Scopes.profile) ? .string(person.name) : nil),
            ("iat", .integer(now)),
            ("exp", .integer(now + 3600))
        )
        let key = try keys.current()
        return try Self.signed(claims, key.id, key.pair)
    }

    /// A token that is signed with RS256; its header names no key where `id` is nil.
    static func signed(_ claims: JSONValue, _ id: String?, _ key: RSAKey) throws(KeyError) -> String {
        let text = text("RS256", id, claims)
        return text + "." + base64URL(try key.sign(Array(text.utf8)))
    }

    /// Header and claims, which a signature is of.
    static func text(_ algorithm: String, _ id: String?, _ claims: JSONValue) -> String {
        let header = JSONValue.members(
            ("alg", .string(algorithm)),
            ("kid", id.map { .string($0) }),
            ("typ", .string("JWT"))
        )
        return base64URL(header.bytes) + "." + base64URL(claims.bytes)
    }
}
