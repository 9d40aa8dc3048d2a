import HTTPClient

/// Why there is no access token.
package struct AuthError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The part that decides what a caller does next.
    package enum Code: Sendable, Equatable {
        /// OAuth's word is that the login is over: `invalid_grant` (the refresh token is dead), `invalid_client` or
        /// `unauthorized_client` (its client is). A person must log in again; never retried.
        case loginRequired
        /// The credentials are missing, unreadable or not what they should be, or were refused without a word that OAuth has for
        /// a login that is over: final for a file, which somebody must look at. A login that a fleet shares outlives it.
        case badCredentials
        /// The token endpoint could not be reached or answered 408/429/5xx: try later; costs nobody an attempt.
        case unavailable
        /// The token endpoint's certificate is not trusted: no outage that passes, but a host's setting, or somebody who answers
        /// in Google's name. It says nothing of the credentials, so the next request asks again.
        case untrusted

        /// What a request without an answer means.
        init(_ code: HTTPError.Code) {
            self =
                switch code {
                case .badURL: .badCredentials
                case .untrusted: .untrusted
                default: .unavailable
                }
        }
    }
    /// What the caller does next.
    package let code: Code
    /// A sentence that names the file or the host, never what the file holds.
    package let message: String
    /// Both parts as they are.
    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
    /// The message.
    package var description: String { message }
}
