import HTTPServer

extension TokenService {
    /// A service account's signed JWT becomes an access token (RFC 7523).
    func bearer(_ fields: QueryFields, origin: String) throws(OAuthFailure) -> ServerAnswer {
        let identities = accounts.identities
        let parts = (fields["assertion"] ?? "").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = bytes(base64URL: parts[0]).flatMap(JSONValue.parse),
            let claims = bytes(base64URL: parts[1]).flatMap(JSONValue.parse), let signature = bytes(base64URL: parts[2])
        else { throw Self.invalid("Invalid JWT: not three parts of base64url JSON.") }
        guard header["alg"]?.text == "RS256" else { throw Self.invalid("Invalid JWT algorithm.") }
        guard claims["iss"]?.text == identities.serviceAccountEmail else {
            throw Self.invalid("Invalid grant: account not found")
        }
        guard identities.serviceAccountKey.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)) else {
            throw Self.invalid("Invalid JWT Signature.")
        }
        guard let audience = claims["aud"]?.text, Self.audiences(origin).contains(audience) else {
            throw Self.invalid("Invalid JWT: Failed audience check.")
        }
        let now = Timestamp.now.microseconds / 1_000_000
        // Google allows an hour of life and some minutes of clock skew.
        guard let issued = claims["iat"]?.whole, let expires = claims["exp"]?.whole, issued <= now + 300,
            expires > now, expires - issued <= 3600
        else {
            throw Self.invalid(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            )
        }
        let scopes = Set((claims["scope"]?.text ?? "").split(separator: " ").map(String.init))
        guard !scopes.isEmpty else { throw OAuthFailure(400, "invalid_scope", "Empty or missing scope not allowed.") }
        guard scopes.allSatisfy(Scopes.isStorage) else {
            throw OAuthFailure(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        }
        let token = accounts.desk.issue(scopes: scopes)
        return Self.granted(
            .members(
                ("access_token", .string(token.token)),
                ("expires_in", .integer(Int64(token.expiresIn))),
                ("token_type", .string("Bearer"))
            )
        )
    }

    private static func invalid(_ words: String) -> OAuthFailure { OAuthFailure(400, "invalid_grant", words) }

    /// What a JWT may name: this endpoint by either of its local names, or Google's.
    private static func audiences(_ origin: String) -> Set<String> {
        let port = origin.split(separator: ":").last ?? ""
        let scheme = origin.split(separator: ":").first ?? ""
        return [
            origin + "/token", "\(scheme)://localhost:\(port)/token", "\(scheme)://127.0.0.1:\(port)/token",
            "https://oauth2.googleapis.com/token",
        ]
    }
}
