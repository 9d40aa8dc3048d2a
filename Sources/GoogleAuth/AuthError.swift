/// Why there is no access token.
package struct AuthError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The part that decides what a caller does next.
    package enum Code: Sendable, Equatable {
        /// `invalid_grant`: the refresh token is dead for good; a person must log in again. Never retried.
        case loginRequired
        /// The credentials file is missing, unreadable or not what it should be.
        case badCredentials
        /// The token endpoint could not be reached or answered 408/429/5xx: try later; costs nobody an attempt.
        case unavailable
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
