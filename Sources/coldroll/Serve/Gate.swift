import GoogleAuth
import HTTPClient
import HTTPServer

/// Decides who may ask for a run.
struct Gate: Sendable {
    /// What a caller is told; the log is told why.
    enum Verdict: Sendable, Equatable {
        /// Let in, by what he showed.
        case welcome(by: String)
        /// He showed nothing, or nothing that is good now.
        case unknown(why: String)
        /// He is known, and may not.
        case forbidden(why: String)
        /// Nobody can tell now.
        case later(why: String)
    }

    let verifier: IdentityVerifier?
    let secret: SharedSecret?

    /// What nobody can come in by.
    static let closed =
        "No caller is allowed: set COLDROLL_SERVE_SECRET_FILE, or COLDROLL_SERVE_AUDIENCE and "
        + "COLDROLL_SERVE_ACCOUNT."

    var isOpen: Bool { verifier != nil || secret != nil }

    /// - Throws: `AuthError` where the secret's file cannot be used.
    init(_ settings: Settings, http: HTTPClient) throws(AuthError) {
        verifier = settings.serve.caller.map {
            IdentityVerifier(
                http: http,
                tokenEndpoint: settings.oauthEndpoint,
                audience: $0.audience,
                account: $0.account
            )
        }
        if let file = settings.serve.secretFile { secret = try SharedSecret(file: file) } else { secret = nil }
    }

    init(verifier: IdentityVerifier?, secret: SharedSecret?) {
        self.verifier = verifier
        self.secret = secret
    }

    /// Judges by the field Authorization as it came; nil if there was none.
    func judge(_ authorization: String?) async -> Verdict {
        guard isOpen else { return .forbidden(why: Self.closed) }
        guard let authorization else { return .unknown(why: "It showed nothing.") }
        let words = authorization.split(separator: " ", omittingEmptySubsequences: true)
        // The scheme's name has no case (RFC 9110, section 11.1).
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            return .unknown(why: "It showed no bearer token.")
        }
        let token = String(words[1])
        if let secret, secret.matches(token) { return .welcome(by: "secret") }
        guard let verifier else { return .unknown(why: "It showed a wrong secret.") }
        do throws(IdentityError) {
            try await verifier.verify(token)
            return .welcome(by: "token")
        } catch {
            return switch error.code {
            case .invalid: .unknown(why: error.message)
            case .forbidden: .forbidden(why: error.message)
            case .unavailable: .later(why: error.message)
            }
        }
    }
}
