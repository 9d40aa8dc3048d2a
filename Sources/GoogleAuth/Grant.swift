package import HTTPClient

/// How one identity proves itself to a token endpoint.
enum Grant: Sendable {
    case authorizedUser(AuthorizedUser)
    case serviceAccount(ServiceAccount)
    case metadataServer(MetadataServer)

    /// Public part of an OAuth client; only people's logins have one.
    var clientID: String? {
        if case .authorizedUser(let user) = self { user.clientID } else { nil }
    }

    /// What goes with every request beside `Authorization`: the project that quota is counted against.
    var extraHeaders: [HTTPField] {
        let project =
            switch self {
            case .authorizedUser(let user): user.quotaProject
            case .serviceAccount(let account): account.quotaProject
            case .metadataServer: nil as String?
            }
        return project.map { [HTTPField("x-goog-user-project", $0)] } ?? []
    }

    /// A fresh request for a token; a service account signs a new assertion each time.
    ///
    /// `clockError` is how far this machine's clock is known to be ahead.
    func request(clockError: Duration = .zero) throws(AuthError) -> HTTPRequest {
        switch self {
        case .authorizedUser(let user): user.request()
        case .serviceAccount(let account): try account.request(clockError: clockError)
        case .metadataServer(let server): server.request()
        }
    }

    /// The account's file, or the server, as an error names it.
    var subject: String {
        switch self {
        case .authorizedUser(let user): user.login
        case .serviceAccount(let account): "the service account key in \(account.file)"
        case .metadataServer(let server): "the metadata server \(server.host)"
        }
    }
}

/// A person's login: a refresh token and the OAuth client that it belongs to (RFC 6749, section 6).
struct AuthorizedUser: Sendable {
    /// How a sentence names it.
    let login: String
    /// What a person does when Google refuses it, a sentence.
    let remedy: String
    /// What a person does when Google refuses its client, a sentence.
    let clientRemedy: String
    /// Whether its OAuth client is the person's own, the app of which may be in testing.
    let mayBeInTesting: Bool
    let url: String
    let clientID: String
    let clientSecret: String
    let refreshToken: String
    let quotaProject: String?

    func request() -> HTTPRequest {
        formPost(
            url,
            [
                ("client_id", clientID), ("client_secret", clientSecret),
                ("refresh_token", refreshToken), ("grant_type", "refresh_token"),
            ]
        )
    }
}

/// The token server inside Google Cloud (Compute Engine docs: "Authenticate workloads using service accounts").
package struct MetadataServer: Sendable {
    let host: String
    let scope: String
    /// How long one try waits.
    let patience: Duration

    /// `host` is `GCE_METADATA_HOST`, nil or empty for Google's name.
    init(host: String?, scope: String, patience: Duration = Self.patience(in: [:])) {
        self.host = if let host, !host.isEmpty { host } else { "metadata.google.internal" }
        self.scope = scope
        self.patience = patience
    }

    /// As google-auth (`google/auth/compute_engine/_metadata.py`): seconds by `GCE_METADATA_TIMEOUT`, else three.
    ///
    /// What is no whole number from 1 to 600 counts as unset.
    package static func patience(in environment: [String: String]) -> Duration {
        let seconds = environment["GCE_METADATA_TIMEOUT"].flatMap { Int($0) } ?? 3
        return .seconds((1...600).contains(seconds) ? seconds : 3)
    }

    func request() -> HTTPRequest {
        Self.request(
            "instance/service-accounts/default/token?scopes=\(formEncoded(scope))",
            of: host,
            patience: patience
        )
    }

    /// Asks for one value.
    ///
    /// Never through a proxy: it speaks plain HTTP with this very machine, and a proxy's machine has credentials of its own.
    package static func request(_ path: String, of host: String, patience: Duration) -> HTTPRequest {
        var request = HTTPRequest(
            "GET",
            "http://\(host)/computeMetadata/v1/\(path)",
            headers: [HTTPField("Metadata-Flavor", "Google")]
        )
        request.stallTimeout = patience
        request.isDirect = true
        return request
    }
}
