import Checksums

/// Makes ID tokens (OpenID Connect Core, section 2; Google Identity: OpenID Connect, an ID token's payload).
struct IdentityTokens: Sendable {
    let keys: IdentityKeys

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
            ("iss", .string("https://accounts.google.com")),
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
        let header = JSONValue.members(
            ("alg", .string("RS256")),
            ("kid", .string(key.id)),
            ("typ", .string("JWT"))
        )
        let text = base64URL(header.bytes) + "." + base64URL(claims.bytes)
        return text + "." + base64URL(try key.pair.sign(Array(text.utf8)))
    }
}
