import HTTPServer

/// The token endpoint (Google Identity: using OAuth 2.0 for mobile and desktop apps; for server to server applications).
struct TokenService: Sendable {
    let accounts: AccountBook

    /// Answers `POST /token`; a JWT names `origin`, as the client has it, in its audience.
    func token(form: [UInt8], authorization: String?, origin: String) -> ServerAnswer {
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        var step: String?
        do throws(OAuthFailure) {
            let answer: ServerAnswer
            switch fields["grant_type"] {
            case "authorization_code":
                step = "exchange"
                answer = try exchange(fields, for: client(fields, authorization))
            case "refresh_token":
                step = "refresh"
                answer = try refresh(fields, for: client(fields, authorization))
            case "urn:ietf:params:oauth:grant-type:jwt-bearer": answer = try bearer(fields, origin: origin)
            case nil: throw .missing("grant_type")
            case let other?: throw OAuthFailure(400, "unsupported_grant_type", "Invalid grant_type: \(other)")
            }
            if let step { accounts.board.count(oauth: "\(step).ok") }
            return answer
        } catch {
            if let step { accounts.board.count(oauth: "\(step).\(error.error)") }
            return error.answer
        }
    }

    /// The client, if it proves who it is, in the form or as HTTP Basic: Google wants the secret of desktop clients as well.
    private func client(_ fields: QueryFields, _ authorization: String?) throws(OAuthFailure) -> OAuthClient {
        let basic = authorization.flatMap(Self.basic)
        guard let id = basic?.id ?? fields["client_id"] else { throw .missing("client_id") }
        guard let client = accounts.identities.client(id) else {
            throw OAuthFailure(401, "invalid_client", "The OAuth client was not found.")
        }
        guard let secret = basic?.secret ?? fields["client_secret"] else {
            throw OAuthFailure(400, "invalid_request", "client_secret is missing.")
        }
        guard secret == client.secret else { throw OAuthFailure(401, "invalid_client", "Unauthorized") }
        return client
    }

    /// Both parts of an HTTP Basic header (RFC 6749, section 2.3.1), as Google's client for Python sends it.
    private static func basic(_ authorization: String) -> (id: String, secret: String)? {
        let words = authorization.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "basic", let text = bytes(base64URL: words[1]) else {
            return nil
        }
        let parts = String(decoding: text, as: UTF8.self).split(
            separator: ":",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }

    private func refresh(_ fields: QueryFields, for client: OAuthClient) throws(OAuthFailure) -> ServerAnswer {
        guard let text = fields["refresh_token"] else { throw .missing("refresh_token") }
        guard let token = accounts.refreshTokens.alive(text), token.holder.clientID == client.id else {
            throw OAuthFailure(400, "invalid_grant", "Token has been expired or revoked.")
        }
        var granted = token.scopes
        if let wanted = fields["scope"] {
            granted = Set(wanted.split(separator: " ").map(String.init))
            guard granted.isSubset(of: token.scopes) else {
                throw OAuthFailure(400, "invalid_scope", "Some requested scopes were not granted.")
            }
        }
        let issued = accounts.desk.issue(scopes: granted, holder: token.holder, code: token.code, isOffline: true)
        return try answer(issued, scopes: granted, holder: token.holder, endsIn: token.expiresIn)
    }

    /// What both an exchange and a refresh answer.
    func answer(
        _ issued: (token: String, expiresIn: Int),
        scopes: Set<String>,
        holder: Holder,
        nonce: String? = nil,
        refreshToken: String? = nil,
        endsIn: Int? = nil
    ) throws(OAuthFailure) -> ServerAnswer {
        var identity: JSONValue?
        if scopes.contains(Scopes.openID), let person = accounts.identities.person(holder.subject) {
            let maker = IdentityTokens(keys: accounts.keys)
            do throws(KeyError) {
                identity = .string(
                    try maker.make(
                        of: person,
                        for: holder.clientID,
                        scopes: scopes,
                        accessToken: issued.token,
                        nonce: nonce
                    )
                )
            } catch {
                throw OAuthFailure(500, "internal_failure", error.description)
            }
        }
        return Self.granted(
            .members(
                ("access_token", .string(issued.token)),
                ("expires_in", .integer(Int64(issued.expiresIn))),
                ("refresh_token", refreshToken.map { .string($0) }),
                ("scope", .string(scopes.sorted().joined(separator: " "))),
                ("token_type", .string("Bearer")),
                ("id_token", identity),
                ("refresh_token_expires_in", endsIn.map { .integer(Int64($0)) })
            )
        )
    }

    /// An answer that nothing on the way may keep.
    static func granted(_ value: JSONValue) -> ServerAnswer {
        .json(200, value, headers: [(name: "Cache-Control", value: "no-cache, no-store, max-age=0, must-revalidate")])
    }
}
