import FoundationEssentials

/// A credentials JSON as Google's tools write it, before it is known to be whole.
struct CredentialsFile {
    /// Every field any accepted kind has; all optional, so that what is missing can be named.
    private struct Content: Decodable {
        struct Anything: Decodable {}
        let type: String?
        let client_id: String?
        let client_secret: String?
        let refresh_token: String?
        let quota_project_id: String?
        let client_email: String?
        let private_key: String?
        let private_key_id: String?
        let token_uri: String?
        let installed: Anything?
        let web: Anything?
    }

    /// Where both grants go unless told otherwise (Google Identity docs: "OAuth 2.0 for desktop apps").
    static let googleTokenURL = "https://oauth2.googleapis.com/token"

    private let content: Content
    private let name: String

    /// - Throws: `.badCredentials` if it is not JSON of the right shape.
    init(_ bytes: [UInt8], name: String) throws(AuthError) {
        self.name = name
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(bytes))
        } catch {
            throw AuthError(
                code: .badCredentials,
                message: "\(name) is not a Google credentials file: it is not complete JSON of that form."
            )
        }
    }

    /// - Throws: `.badCredentials` naming what is missing or which kind of file is wanted.
    func grant(scope: String, tokenEndpoint: String?, gcloudRemedy: String? = nil) throws(AuthError) -> Grant {
        let override = tokenEndpoint.map(Self.tokenURL)
        switch content.type {
        // Google's Python libraries leave the type out of a login that they save (google-auth, Credentials.to_json).
        case "authorized_user",
            nil where content.refresh_token != nil:
            try require([
                ("client_id", content.client_id), ("client_secret", content.client_secret),
                ("refresh_token", content.refresh_token),
            ])
            return .authorizedUser(
                AuthorizedUser(
                    login: "the login in \(name)",
                    remedy: gcloudRemedy
                        ?? "Log in again with the same OAuth client, and let that file hold the new refresh token.",
                    clientRemedy: gcloudRemedy
                        ?? "Log in with a current client, and let that file hold its id, its secret and the new "
                        + "refresh token.",
                    mayBeInTesting: gcloudRemedy == nil,
                    url: override ?? Self.googleTokenURL,
                    clientID: content.client_id ?? "",
                    clientSecret: content.client_secret ?? "",
                    refreshToken: content.refresh_token ?? "",
                    quotaProject: content.quota_project_id
                )
            )
        case "service_account":
            try require([("client_email", content.client_email), ("private_key", content.private_key)])
            let own = content.token_uri ?? Self.googleTokenURL
            // What is signed with the key goes to Google only, wherever a file that was slipped in would send it.
            guard override != nil || Self.isGoogles(own) else {
                throw AuthError(
                    code: .badCredentials,
                    message: "\(name) is no key of Google's: its token_uri leads elsewhere. Make a new key file."
                )
            }
            return .serviceAccount(
                try ServiceAccount(
                    file: name,
                    url: override ?? own,
                    audience: own,
                    scope: scope,
                    email: content.client_email ?? "",
                    keyID: content.private_key_id,
                    key: SigningKey(pem: content.private_key ?? "", file: name),
                    quotaProject: content.quota_project_id
                )
            )
        case nil where content.installed != nil || content.web != nil:
            throw AuthError(
                code: .badCredentials,
                message: """
                    \(name) is an OAuth client, not a login: log in with it, and name the file that holds the \
                    refresh token; what is wanted here is a file of type authorized_user or service_account.
                    """
            )
        case let type:
            throw AuthError(
                code: .badCredentials,
                message: """
                    \(name) is \(type.map { "of type \(oauthWord($0) ?? "unknown")" } ?? "without a type"); \
                    what is wanted here is a file of type authorized_user or service_account.
                    """
            )
        }
    }

    private func require(_ fields: [(name: String, value: String?)]) throws(AuthError) {
        let missing = fields.filter { $0.value?.isEmpty ?? true }.map(\.name)
        guard missing.isEmpty else {
            throw AuthError(
                code: .badCredentials,
                message: "\(name) is incomplete, it lacks \(missing.joined(separator: ", ")): fetch or make it again."
            )
        }
    }

    /// Whether a token URL is at one of Google's hosts, by https and its own port.
    static func isGoogles(_ url: String) -> Bool {
        guard url.hasPrefix("https://"), url.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }) else {
            return false
        }
        let rest = url.dropFirst("https://".count)
        let host = rest.prefix { $0 != "/" }
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "."): true
            default: false
            }
        }
        return isName && rest.count > host.count && (host == "accounts.google.com" || host.hasSuffix(".googleapis.com"))
    }

    /// Base URL or whole URL to the token URL.
    static func tokenURL(_ endpoint: String) -> String {
        var base = endpoint
        while base.hasSuffix("/") { base.removeLast() }
        return base.hasSuffix("/token") ? base : base + "/token"
    }
}
