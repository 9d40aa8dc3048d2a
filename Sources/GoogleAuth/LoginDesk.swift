import FoundationEssentials
package import HTTPClient

/// Google's token endpoint, for people: exchanges codes, refreshes logins, revokes them.
package struct LoginDesk: Sendable {
    let http: HTTPClient
    let endpoint: String?

    /// - Parameters:
    ///   - http: sends the requests.
    ///   - tokenEndpoint: base URL that replaces Google's (`COLDROLL_OAUTH_ENDPOINT`); nil for Google's.
    package init(http: HTTPClient, tokenEndpoint: String?) {
        self.http = http
        endpoint = tokenEndpoint
    }

    private var tokenURL: String { endpoint.map(CredentialsFile.tokenURL) ?? CredentialsFile.googleTokenURL }
    private var revokeURL: String { String(tokenURL.dropLast("/token".count)) + "/revoke" }

    private struct Granted: Decodable {
        let access_token: String?
        let refresh_token: String?
        let refresh_token_expires_in: Double?
        let scope: String?
        let id_token: String?
    }
    private struct Refusal: Decodable {
        let error: String?
        let error_description: String?
    }
    private struct Identity: Decodable {
        let sub: String?
        let email: String?
        let aud: String?
    }

    /// Turns the code that the browser brought into a login.
    ///
    /// - Parameters:
    ///   - code: works once, for some minutes.
    ///   - consent: the question that it answers.
    /// - Returns: the login, to be sealed and kept.
    /// - Throws: `.badCredentials` where Google refuses code or client, or gives less than a login; `.unavailable` where it
    ///   does not answer, and the login must begin anew.
    package func login(code: String, _ consent: Consent) async throws(AuthError) -> Login {
        let sent = Date.now
        // Once only: a repeat of a code that worked ends what the code gave (RFC 6749, section 4.1.2).
        let response = try await post(
            tokenURL,
            [
                ("grant_type", "authorization_code"), ("code", code), ("client_id", consent.client.id),
                ("client_secret", consent.client.secret), ("redirect_uri", consent.redirect),
                ("code_verifier", consent.verifier),
            ]
        )
        guard response.status == 200 else { throw refusal(response) }
        guard let granted = try? JSONDecoder().decode(Granted.self, from: Data(response.body)) else {
            throw AuthError(code: .unavailable, message: "Google's answer to the login cannot be read. Log in again.")
        }
        guard let refreshToken = granted.refresh_token, Self.isPlain(refreshToken) else {
            throw AuthError(
                code: .badCredentials,
                message: "Google gave no refresh token, so the login would be over in an hour. Remove the app at "
                    + "https://myaccount.google.com/connections and log in again."
            )
        }
        // From Google itself over TLS: its signature need not be checked (OpenID Connect Core 1.0, 3.1.3.7).
        guard let identity = granted.id_token.flatMap(Self.identity), let subject = identity.sub, Self.isPlain(subject),
            identity.aud == consent.client.id
        else {
            throw AuthError(
                code: .badCredentials,
                message: "Google did not say whose login it is (no id_token for this client). Log in again."
            )
        }
        return Login(
            client: consent.client,
            refreshToken: refreshToken,
            scopes: (granted.scope ?? "").split(separator: " ").map(String.init).filter(Self.isPlain),
            subject: subject,
            email: identity.email.flatMap { Self.isPrintable($0) ? $0 : nil },
            signedInAt: sent,
            endsAt: granted.refresh_token_expires_in.map { sent.addingTimeInterval(min(max($0, 0), Login.longestLife)) }
        )
    }

    /// A new access token.
    ///
    /// Tries again as for every other token; `.loginRequired` where the login is dead for good.
    package func refresh(_ login: Login) async -> Result<AccessToken, AuthError> {
        let user = AuthorizedUser(
            login: login.email.map { "the login of \($0)" } ?? "the login",
            remedy: "Run 'coldroll login'.",
            clientRemedy: "Run 'coldroll login --client FILE' with a current one.",
            mayBeInTesting: true,
            url: tokenURL,
            clientID: login.clientID,
            clientSecret: login.clientSecret,
            refreshToken: login.refreshToken,
            quotaProject: nil
        )
        return await TokenEndpoint(grant: .authorizedUser(user), http: http).fetch(before: true)
    }

    /// Ends a login at Google's, with all its access tokens.
    ///
    /// One that Google does not know any more is ended.
    package func revoke(_ login: Login) async throws(AuthError) {
        let response = try await post(revokeURL, [("token", login.refreshToken)])
        if response.status == 200 { return }
        let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(response.body))
        guard response.status == 400, refusal?.error == "invalid_token" else {
            throw AuthError(
                code: .unavailable,
                message:
                    "Google did not end the login: it answered \(response.status). Try again, or remove the app at "
                    + "https://myaccount.google.com/connections."
            )
        }
    }

    private func post(_ url: String, _ fields: [(String, String)]) async throws(AuthError) -> HTTPResponse {
        do throws(HTTPError) {
            return try await http.send(formPost(url, fields), limit: 1 << 20)
        } catch {
            throw AuthError(
                code: AuthError.Code(error.code),
                message: "Google's token endpoint could not be reached: \(error.advice)"
            )
        }
    }

    private func refusal(_ response: HTTPResponse) -> AuthError {
        let words = try? JSONDecoder().decode(Refusal.self, from: Data(response.body))
        switch words?.error {
        case "invalid_grant":
            return AuthError(
                code: .badCredentials,
                message:
                    "Google does not take the code: it was used, has expired, or the address was pasted incompletely. Run "
                    + "'coldroll login' again."
            )
        case "invalid_client", "unauthorized_client":
            return AuthError(
                code: .badCredentials,
                message:
                    "Google does not know this OAuth client, or its secret has changed: download it again in the Google "
                    + "Cloud console and name it with --client."
            )
        case let word:
            let isPassing = [408, 429].contains(response.status) || response.status >= 500
            return AuthError(
                code: isPassing ? .unavailable : .badCredentials,
                message:
                    "Google answered the login with \(response.status) \(oauthWord(word) ?? "and no reason"). Run 'coldroll login' "
                    + "again."
            )
        }
    }

    /// Letters, digits and signs of ASCII, as all of Google's tokens, numbers and scopes are; no database refuses them.
    private static func isPlain(_ text: String) -> Bool {
        (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    }

    /// An address fit to be shown and kept.
    private static func isPrintable(_ text: String) -> Bool {
        (1...320).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: false
                default: true
                }
            }
    }

    private static func identity(_ token: String) -> Identity? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let claims = bytes(base64URL: parts[1]) else { return nil }
        return try? JSONDecoder().decode(Identity.self, from: Data(claims))
    }
}
