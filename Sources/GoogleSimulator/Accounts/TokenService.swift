import HTTPServer

/// The token endpoint (Google Identity: using OAuth 2.0 for mobile and desktop apps; for server to server applications).
struct TokenService: Sendable {
    let identities: Identities
    let desk: TokenDesk

    /// Answers `POST /token`; a JWT names `origin`, as the client has it, in its audience.
    func token(form: [UInt8], origin: String) -> ServerAnswer {
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        switch fields["grant_type"] {
        case "refresh_token": return refresh(fields)
        case "urn:ietf:params:oauth:grant-type:jwt-bearer": return bearer(fields, origin: origin)
        case nil: return failure(400, "invalid_request", "Missing required parameter: grant_type")
        case let other?: return failure(400, "unsupported_grant_type", "Invalid grant_type: \(other)")
        }
    }

    /// What a JWT may name: this endpoint by either of its local names, or Google's.
    private static func audiences(_ origin: String) -> Set<String> {
        let port = origin.split(separator: ":").last ?? ""
        let scheme = origin.split(separator: ":").first ?? ""
        return [
            origin + "/token", "\(scheme)://localhost:\(port)/token", "\(scheme)://127.0.0.1:\(port)/token",
            "https://oauth2.googleapis.com/token",
        ]
    }

    /// Answers `POST /revoke`.
    func revoke(form: [UInt8], query: QueryFields) -> ServerAnswer {
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        guard let token = fields["token"] ?? query["token"] else {
            return failure(400, "invalid_request", "Missing required parameter: token")
        }
        desk.revoke(token)
        return .json(200, .object([]))
    }

    private func refresh(_ fields: QueryFields) -> ServerAnswer {
        let users = [identities.photos, identities.picker, identities.storage]
        guard let user = users.first(where: { $0.clientID == fields["client_id"] })
        else { return failure(401, "invalid_client", "The OAuth client was not found.") }
        guard fields["client_secret"] == user.clientSecret else {
            return failure(401, "invalid_client", "Unauthorized")
        }
        guard let token = fields["refresh_token"] else {
            return failure(400, "invalid_request", "Missing required parameter: refresh_token")
        }
        guard token == user.refreshToken, !desk.isRevoked(token) else {
            return failure(400, "invalid_grant", "Token has been expired or revoked.")
        }
        var granted = user.scopes
        if let wanted = fields["scope"] {
            granted = Set(wanted.split(separator: " ").map(String.init))
            guard granted.isSubset(of: user.scopes) else {
                return failure(400, "invalid_scope", "Some requested scopes were not granted.")
            }
        }
        return answer(scopes: granted, audience: user.clientID)
    }

    private func answer(scopes: Set<String>, audience: String?) -> ServerAnswer {
        let issued = desk.issue(scopes: scopes)
        var identity: JSONValue?
        if scopes.contains(Scopes.openID), let audience {
            identity = .string(identityToken(audience: audience))
        }
        return .json(
            200,
            .members(
                ("access_token", .string(issued.token)),
                ("expires_in", .integer(Int64(issued.expiresIn))),
                ("scope", audience == nil ? nil : .string(scopes.sorted().joined(separator: " "))),
                ("token_type", .string("Bearer")),
                ("id_token", identity)
            ),
            headers: [(name: "Cache-Control", value: "no-cache, no-store, max-age=0, must-revalidate")]
        )
    }

    /// An OpenID Connect token; clients that got it straight from the endpoint need not check its signature (OpenID Connect Core, 3.1.3.7).
    private func identityToken(audience: String) -> String {
        let now = Timestamp.now.microseconds / 1_000_000
        let claims = JSONValue.members(
            ("iss", .string("https://accounts.google.com")),
            ("aud", .string(audience)),
            ("azp", .string(audience)),
            ("sub", .string(identities.subject)),
            ("iat", .integer(now)),
            ("exp", .integer(now + 3600))
        )
        let header = JSONValue.members(
            ("alg", .string("RS256")),
            ("kid", .string("simulator")),
            ("typ", .string("JWT"))
        )
        return base64URL(header.bytes) + "." + base64URL(claims.bytes) + "." + randomText(bytes: 256)
    }

    private func bearer(_ fields: QueryFields, origin: String) -> ServerAnswer {
        let parts = (fields["assertion"] ?? "").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = bytes(base64URL: parts[0]).flatMap(JSONValue.parse),
            let claims = bytes(base64URL: parts[1]).flatMap(JSONValue.parse), let signature = bytes(base64URL: parts[2])
        else { return failure(400, "invalid_grant", "Invalid JWT: not three parts of base64url JSON.") }
        guard header["alg"]?.text == "RS256" else { return failure(400, "invalid_grant", "Invalid JWT algorithm.") }
        guard claims["iss"]?.text == identities.serviceAccountEmail else {
            return failure(400, "invalid_grant", "Invalid grant: account not found")
        }
        guard identities.serviceAccountKey.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)) else {
            return failure(400, "invalid_grant", "Invalid JWT Signature.")
        }
        guard let audience = claims["aud"]?.text,
            Self.audiences(origin).contains(audience)
        else {
            return failure(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        }
        let now = Timestamp.now.microseconds / 1_000_000
        // Google allows an hour of life and some minutes of clock skew.
        guard let issued = claims["iat"]?.whole, let expires = claims["exp"]?.whole, issued <= now + 300,
            expires > now, expires - issued <= 3600
        else {
            return failure(
                400,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            )
        }
        let scopes = Set((claims["scope"]?.text ?? "").split(separator: " ").map(String.init))
        guard !scopes.isEmpty else { return failure(400, "invalid_scope", "Empty or missing scope not allowed.") }
        guard scopes.allSatisfy(Scopes.isStorage) else {
            return failure(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        }
        return answer(scopes: scopes, audience: nil)
    }

    private func failure(_ status: Int, _ error: String, _ description: String) -> ServerAnswer {
        .json(status, .members(("error", .string(error)), ("error_description", .string(description))))
    }
}
