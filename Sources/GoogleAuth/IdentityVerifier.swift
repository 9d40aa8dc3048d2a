import FoundationEssentials
package import HTTPClient

/// Lets in one service account of Google's, by the identity tokens that Cloud Scheduler and others send for it.
package struct IdentityVerifier: Sendable {
    private let keys: IdentityKeys
    private let audience: String
    private let account: String
    private let now: @Sendable () -> Double

    /// Where Google publishes its keys (Google Identity: OpenID Connect, `jwks_uri` of the discovery document).
    package static let keysURL = "https://www.googleapis.com/oauth2/v3/certs"
    private static let issuers = ["https://accounts.google.com", "accounts.google.com"]
    /// Seconds that clocks may differ.
    private static let skew = 60.0

    /// - Parameters:
    ///   - http: fetches the keys.
    ///   - tokenEndpoint: what replaces Google's token endpoint (`COLDROLL_OAUTH_ENDPOINT`), beside which the keys are then.
    ///   - audience: what tokens must be for, exactly.
    ///   - account: the service account's e-mail address.
    ///   - now: seconds since 1970; a parameter for tests.
    ///   - clock: seconds that never go back; a parameter for tests.
    package init(
        http: HTTPClient,
        tokenEndpoint: String?,
        audience: String,
        account: String,
        now: @escaping @Sendable () -> Double = { Date.now.timeIntervalSince1970 },
        clock: @escaping @Sendable () -> Double = IdentityVerifier.uptime()
    ) {
        let url = tokenEndpoint.map {
            String(CredentialsFile.tokenURL($0).dropLast("/token".count)) + "/oauth2/v3/certs"
        }
        keys = IdentityKeys(http: http, url: url ?? Self.keysURL, clock: clock)
        self.audience = audience
        self.account = account
        self.now = now
    }

    /// A clock that begins now.
    package static func uptime() -> @Sendable () -> Double {
        let start = ContinuousClock.now
        return { start.duration(to: .now) / .seconds(1) }
    }

    /// Returns if the token is Google's, of now, for this audience and of this account.
    ///
    /// - Throws: `IdentityError`, whose code says what to answer.
    package func verify(_ text: String) async throws(IdentityError) {
        let token = try IdentityToken(text)
        guard let key = try await keys.key(token.keyID) else {
            throw IdentityError(.invalid, "The token is signed with a key that is not Google's.")
        }
        guard key.verifies(token.signature, of: token.signed) else {
            throw IdentityError(.invalid, "The token's signature is wrong.")
        }
        let claims = try token.claims()
        guard Self.issuers.contains(claims.iss) else { throw IdentityError(.invalid, "The token is not Google's own.") }
        let now = now()
        guard claims.exp > now - Self.skew else { throw IdentityError(.invalid, "The token has expired.") }
        guard claims.iat < now + Self.skew else {
            throw IdentityError(.invalid, "The token is of a time to come: is this machine's clock right?")
        }
        guard claims.aud == audience else { throw IdentityError(.forbidden, "The token is for another audience.") }
        guard claims.email == account, claims.email_verified == true else {
            throw IdentityError(.forbidden, "The token is of another account.")
        }
    }
}
