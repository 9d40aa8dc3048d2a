package import GoogleAuth
package import HTTPClient

/// What the Photos APIs refused, by what the caller does next.
package struct PhotosError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// 403 for missing scopes, or a project without the API: stop, with the reason.
        case insufficientScopes
        /// 401 although the token was refreshed once.
        case unauthenticated
        /// 429: park the whole source for as long as Retry-After says; nil: it says nothing, and Google's rule is 30 s at least.
        case quota(retryAfter: Duration?)
        /// 429 that speaks of a quota a day: there is none left until midnight Pacific.
        case dailyQuota
        /// The day's quota, as it is counted on our side, is used up for so long: nothing was sent.
        case budgetSpent(until: Duration)
        /// 5xx or network: the service, not the item; Retry-After if it was given.
        case unavailable(retryAfter: Duration?)
        /// The item is gone or not this client's.
        case notFound
        /// A page token that expired or is not known: start the listing over.
        case badPageToken
        /// The Picker's session has expired, was deleted or never was: nothing can be had through it any more.
        case sessionOver
        /// Nobody has pressed Done in the Picker's session yet: ask again later.
        case notPicked
        /// The account has no Google Photos to pick from.
        case noAccount
        /// 403 on a base URL: get a fresh one.
        case baseURLExpired
        /// The base URL, or a redirect from it, points outside Google's hosts: refused, nothing was sent there.
        case foreignHost
        /// The answer is not what the API promises.
        case malformed
        /// Any other 4xx: this request will never work.
        case rejected(status: Int)
        /// The token endpoint: see the AuthError.
        case auth(AuthError.Code)
        /// A certificate that is not trusted, or a task that was cancelled on our side.
        case transport(HTTPError.Code)
    }

    package let code: Code
    package let message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

extension PhotosError {
    init(_ error: AuthError) {
        self.init(code: .auth(error.code), message: error.message)
    }

    /// What a request that got no answer means: the network's fault, unless it is ours.
    init(_ error: HTTPError, doing task: String) {
        let code: Code =
            switch error.code {
            case .cannotConnect, .cut, .stalled: .unavailable(retryAfter: nil)
            case .tooLarge: .malformed
            case .bodyFailed, .badURL, .cancelled, .untrusted: .transport(error.code)
            }
        self.init(code: code, message: "Google Photos could not \(task): \(error.advice)")
    }
}
