/// What Google's account services answer, each under its own name.
enum AccountRoute: String, Sendable {
    case authorize
    /// Past the warning of an unverified app.
    case warning
    case consent
    case token
    case revoke
    case tokenInfo
    case certs

    init?(path: String) {
        switch path {
        case "/o/oauth2/v2/auth", "/o/oauth2/auth": self = .authorize
        case "/signin/oauth/warning": self = .warning
        case "/signin/oauth/consent": self = .consent
        case "/token": self = .token
        case "/revoke": self = .revoke
        case "/tokeninfo": self = .tokenInfo
        case "/oauth2/v3/certs": self = .certs
        default: return nil
        }
    }

    /// The only host that has it, where Google's own names are in use.
    var host: String {
        switch self {
        case .authorize, .warning, .consent: "accounts.google.com"
        case .token, .revoke, .tokenInfo: "oauth2.googleapis.com"
        case .certs: "www.googleapis.com"
        }
    }

    var method: String {
        switch self {
        case .authorize, .tokenInfo, .certs: "GET"
        case .warning, .consent, .token, .revoke: "POST"
        }
    }
}
