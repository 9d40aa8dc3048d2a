/// The ID tokens by which Google's services call addresses of other people, good and bad.
extension IdentityTokens {
    /// What Cloud Scheduler sends when it calls in the name of a service account.
    ///
    /// As Google makes them for service accounts (IAM docs: Create short-lived credentials for a service account, OpenID Connect
    /// ID token): whoever presents the token (`azp`) is the account's own number, and the address is in it.
    func make(for audience: String, account: Identities.ServiceAccount, fault: IdentityFault?) throws(KeyError)
        -> String
    {
        var account = account
        if fault == .otherAccount { account = account.namesake }
        var issued = Timestamp.now.microseconds / 1_000_000
        switch fault {
        case .expired: issued -= 7200
        case .notYetValid: issued += 3600
        default: break
        }
        let number = JSONValue.string(account.number)
        let claims = JSONValue.members(
            ("aud", .string(fault == .otherAudience ? audience + ".example.com" : audience)),
            ("azp", number),
            ("email", .string(account.email)),
            ("email_verified", .boolean(fault != .unverifiedEmail)),
            ("exp", .integer(issued + 3600)),
            ("iat", .integer(issued)),
            ("iss", .string(fault == .otherIssuer ? Self.issuer + ".example.com" : Self.issuer)),
            ("sub", number)
        )
        return try signed(claims, fault)
    }

    private func signed(_ claims: JSONValue, _ fault: IdentityFault?) throws(KeyError) -> String {
        let key = try keys.current()
        switch fault {
        case .algNone: return Self.text("none", key.id, claims) + "."
        case .hs256:
            let text = Self.text("HS256", key.id, claims)
            let mark = try hmacSHA256(Array(text.utf8), secret: Array(key.pair.publicKeyPEM.utf8))
            return text + "." + base64URL(mark)
        case .otherKey: return try Self.signed(claims, key.id, try RSAKey())
        case .unknownKeyID:
            let stranger = try IdentityKeys.Key()
            return try Self.signed(claims, stranger.id, stranger.pair)
        case .noKeyID: return try Self.signed(claims, nil, key.pair)
        // What is left is base64 still: whole groups of four.
        case .cut: return String(try Self.signed(claims, key.id, key.pair).dropLast(42))
        default: return try Self.signed(claims, key.id, key.pair)
        }
    }
}
