import CCrypto

/// One question to the owner, from the link to the consent page to the code that comes back (RFC 6749, section 4.1; RFC 7636).
package struct Consent: Sendable {
    /// Google Identity docs: "OAuth 2.0 for desktop apps".
    package static let page = "https://accounts.google.com/o/oauth2/v2/auth"

    package let client: OAuthClient
    /// Where the browser goes with the code.
    package let redirect: String
    package let scopes: [String]
    /// Proof that whoever has the code asked for it; never leaves this process before the exchange.
    let verifier: String
    /// What comes back must name this: an answer to another question is no answer.
    let state: String

    /// Draws the verifier (43 characters: RFC 7636, section 4.1) and the state by chance.
    package init(client: OAuthClient, redirect: String, scopes: [String]) {
        self.client = client
        self.redirect = redirect
        self.scopes = scopes
        verifier = base64URL(randomBytes(32))
        state = base64URL(randomBytes(16))
    }

    /// The link to open in a browser.
    ///
    /// `page` replaces Google's for tests. `prompt=consent`, since Google gives no second refresh token without it.
    package func link(page: String = Consent.page, loginHint: String? = nil) -> String {
        var fields = [
            ("response_type", "code"), ("client_id", client.id), ("redirect_uri", redirect),
            ("scope", scopes.joined(separator: " ")), ("access_type", "offline"), ("prompt", "consent"),
            ("code_challenge", base64URL(sha256(Array(verifier.utf8)))), ("code_challenge_method", "S256"),
            ("state", state),
        ]
        if let loginHint { fields.append(("login_hint", loginHint)) }
        return page + "?" + fields.map { "\($0)=\(formEncoded($1))" }.joined(separator: "&")
    }

    /// What the browser came back with.
    package enum Answer: Sendable, Equatable {
        case code(String)
        /// It answers another question, or none: wait on.
        case foreign
        /// The owner said no, or Google did; a sentence.
        case refused(String)
    }

    /// Reads the query of the redirect, still percent-encoded.
    package func answer(query: String) -> Answer {
        var values: [String: String] = [:]
        for field in query.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = formDecoded(parts[0]), let value = formDecoded(parts.count > 1 ? parts[1] : "") else {
                return .foreign
            }
            // Twice the same name is nobody's honest answer.
            guard values.updateValue(value, forKey: name) == nil else { return .foreign }
        }
        guard let given = values["state"], isSame(given, state) else { return .foreign }
        if let error = values["error"] { return .refused(Self.sentence(error)) }
        guard let code = values["code"], !code.isEmpty, code.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            return .foreign
        }
        return .code(code)
    }

    /// Reads the whole address that the browser ended at.
    package func answer(address: String) -> Answer {
        let query = address.split(separator: "?", maxSplits: 1).dropFirst().first?.prefix { $0 != "#" }
        return query.map { answer(query: String($0)) } ?? .foreign
    }

    private static func sentence(_ error: String) -> String {
        switch error {
        case "access_denied":
            "The login was cancelled on Google's page, or this account may not use the app: while the app is in testing, its "
                + "owner must be listed as a test user (Google Cloud console, Google Auth Platform, Audience)."
        case "admin_policy_enforced":
            "The administrator of this Google Workspace account does not let apps read Google Photos."
        default:
            "Google's page answered \(oauthWord(error) ?? "without a reason")."
        }
    }

    /// Compares in a time that does not tell how much was right.
    private func isSame(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        return unsafe one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
