import HTTPServer

extension TokenService {
    /// A code becomes tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
    func exchange(_ fields: QueryFields, for client: OAuthClient) throws(OAuthFailure) -> ServerAnswer {
        guard let text = fields["code"] else { throw .missing("code") }
        guard let address = fields["redirect_uri"] else { throw .missing("redirect_uri") }
        guard AuthorizationDesk.isWellFormed(text) else {
            throw OAuthFailure(400, "invalid_grant", "Malformed auth code.")
        }
        let verifier = fields["code_verifier"]
        let redemption = accounts.authorizations.redeem(text) { code in
            if code.request.client.id != client.id { return .badRequest("invalid_grant") }
            if !code.request.redirectURI.utf8.elementsEqual(address.utf8) {
                return .badRequest("redirect_uri_mismatch")
            }
            return Self.objection(to: verifier, against: code.request.challenge)
        }
        switch redemption {
        case .refused(let failure): throw failure
        case .reused:
            // Somebody else may have it: what it gave dies (RFC 6749, section 4.1.2).
            accounts.revoke(code: text)
            accounts.board.count(oauth: "codes_reused")
            throw .badRequest("invalid_grant")
        case .granted(let code): return try tokens(for: code, text)
        }
    }

    private static func objection(to verifier: String?, against challenge: CodeChallenge?) -> OAuthFailure? {
        switch (challenge, verifier) {
        case (nil, nil): nil
        case (nil, _?): OAuthFailure(400, "invalid_grant", "code_verifier or verifier is not needed.")
        case (_?, nil): OAuthFailure(400, "invalid_grant", "Missing code verifier.")
        case (let challenge?, let verifier?):
            challenge.admits(verifier) ? nil : OAuthFailure(400, "invalid_grant", "Invalid code verifier.")
        }
    }

    private func tokens(for code: AuthorizationCode, _ text: String) throws(OAuthFailure) -> ServerAnswer {
        var refresh: (text: String, token: RefreshToken, hasEvicted: Bool)?
        if code.givesRefreshToken {
            refresh = accounts.refreshTokens.issue(
                code.holder,
                client: code.request.client,
                scopes: code.scopes,
                code: text
            )
        }
        if refresh?.hasEvicted ?? false { accounts.board.count(oauth: "refresh_tokens_evicted") }
        let issued = accounts.desk.issue(
            scopes: code.scopes,
            holder: code.holder,
            code: text,
            isOffline: code.request.isOffline
        )
        // Who came again may have been faster than this.
        if accounts.authorizations.isReused(text) { accounts.revoke(code: text) }
        return try answer(
            issued,
            scopes: code.scopes,
            holder: code.holder,
            nonce: code.request.nonce,
            refreshToken: refresh?.text,
            endsIn: refresh?.token.expiresIn
        )
    }
}
