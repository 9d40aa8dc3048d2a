package import HTTPClient

/// Why there is no access token.
package struct AuthError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// `invalid_grant`: the refresh token is dead for good; a person must run `coldroll login`. Never retried.
        case loginRequired
        /// The credentials file is missing, unreadable or not what it should be.
        case badCredentials
        /// The token endpoint could not be reached or answered 408/429/5xx: try later; costs nobody an attempt.
        case unavailable
    }
    package let code: Code
    package let message: String
    package init(code: Code, message: String) { self.code = code; self.message = message }
    package var description: String { message }
}

/// Hands out access tokens for one identity, refreshes them before they expire, one refresh at a time.
package final class TokenSource: Sendable {
    /// Emulators: no Authorization header at all.
    package static let anonymous: TokenSource = { fatalError() }()
    /// `authorized_user` or `service_account` JSON, chosen by its `type`.
    /// - Parameters:
    ///   - file: path named in errors; contents never are.
    ///   - scope: for service accounts.
    ///   - tokenEndpoint: replaces Google's (`COLDROLL_OAUTH_ENDPOINT`), nil for Google's or the file's own.
    package static func file(_ file: String, scope: String, tokenEndpoint: String?, http: HTTPClient) throws(AuthError) -> TokenSource { fatalError() }
    /// ADC search order: GOOGLE_APPLICATION_CREDENTIALS, gcloud's default file, metadata server.
    package static func applicationDefault(environment: [String: String], scope: String, tokenEndpoint: String?, http: HTTPClient) throws(AuthError) -> TokenSource { fatalError() }
    /// The OAuth client id, where the credentials have one: a source remembers it.
    package var clientID: String? { fatalError() }
    /// `Authorization` (and `x-goog-user-project`) for a request; empty for `anonymous`.
    package func headers() async throws(AuthError) -> [HTTPField] { fatalError() }
    /// Says that a 401 came for these headers: the next `headers()` refreshes, once for however many callers saw the same token.
    package func refused(_ headers: [HTTPField]) async { fatalError() }
}
