import HTTPServer

extension TokenService {
    /// Answers `POST /revoke`: with one token of a person and client, all of theirs die, and the consent is forgotten.
    func revoke(form: [UInt8], query: QueryFields) -> ServerAnswer {
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        guard let text = fields["token"] ?? query["token"] else { return OAuthFailure.missing("token").answer }
        let grant = accounts.desk.grant(token: text)
        if let holder = accounts.refreshTokens.alive(text)?.holder ?? grant?.holder {
            accounts.revoke(holder)
        } else if grant != nil {
            accounts.desk.revoke(token: text)
        } else {
            accounts.board.count(oauth: "revoke.invalid_token")
            return OAuthFailure(400, "invalid_token", "Token expired or revoked").answer
        }
        accounts.board.count(oauth: "revoke.ok")
        return .json(200, .object([]))
    }

    /// Answers `GET /tokeninfo?access_token=`; numbers and truths are strings there.
    func inspect(_ query: QueryFields) -> ServerAnswer {
        guard let text = query["access_token"], let grant = accounts.desk.grant(token: text) else {
            return .json(400, .members(("error_description", .string("Invalid Value"))))
        }
        let client = grant.holder?.clientID ?? accounts.identities.serviceAccountID
        let person = grant.holder.flatMap { accounts.identities.person($0.subject) }
        let tells = grant.scopes.contains(Scopes.openID) ? person : nil
        let address = grant.scopes.contains(Scopes.email) ? person?.email : nil
        let seconds = (grant.expires.microseconds - Timestamp.now.microseconds) / 1_000_000
        return .json(
            200,
            .members(
                ("azp", .string(client)),
                ("aud", .string(client)),
                ("sub", tells.map { .string($0.subject) }),
                ("scope", .string(grant.scopes.sorted().joined(separator: " "))),
                ("exp", .string(String(grant.expires.microseconds / 1_000_000))),
                ("expires_in", .string(String(max(0, seconds)))),
                ("email", address.map { .string($0) }),
                ("email_verified", address.map { _ in .string("true") }),
                ("access_type", .string(grant.isOffline ? "offline" : "online"))
            )
        )
    }

    /// Answers `GET /oauth2/v3/certs`: what verifies ID tokens, and how long a client may keep it.
    func certificates() -> ServerAnswer {
        do throws(KeyError) {
            // Google lets clients keep its keys for five to six hours, and no two answers say the same.
            let seconds = Int.random(in: 18_000...21_600)
            let age = (name: "Cache-Control", value: "public, max-age=\(seconds), must-revalidate, no-transform")
            return .json(200, try accounts.keys.published(), headers: [age])
        } catch {
            return OAuthFailure(500, "internal_failure", error.description).answer
        }
    }
}
