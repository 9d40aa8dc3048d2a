/// A client as it is registered in Google's console.
struct OAuthClient: Sendable {
    /// What the console calls the application's type.
    enum Kind: String, Sendable {
        /// A desktop app: its codes go to any port of this machine.
        case installed
        /// A web server: its codes go to the registered addresses only.
        case web
    }

    let id: String
    let secret: String
    let kind: Kind
    /// What the consent page calls the app.
    let name: String
    let redirectURIs: [String]
    /// Whether the publishing status is Testing: only listed people get in, and their logins end after a week.
    var isTesting = false
    /// Whether it is Google's own (gcloud's), whose logins do not end by themselves.
    var isGoogles = false

    /// Whether codes may be sent to an address.
    func mayRedirect(to address: String) -> Bool {
        switch kind {
        case .installed: isLoopbackRedirect(address)
        case .web: redirectURIs.contains { $0.utf8.elementsEqual(address.utf8) }
        }
    }

    /// The file that the console offers for download; it names Google's own endpoints, wherever the simulator is.
    var file: JSONValue {
        let content = JSONValue.members(
            ("client_id", .string(id)),
            ("project_id", .string("simulated-project")),
            ("auth_uri", .string("https://accounts.google.com/o/oauth2/auth")),
            ("token_uri", .string("https://oauth2.googleapis.com/token")),
            ("auth_provider_x509_cert_url", .string("https://www.googleapis.com/oauth2/v1/certs")),
            ("client_secret", .string(secret)),
            ("redirect_uris", .array(redirectURIs.map { .string($0) }))
        )
        return .members((kind.rawValue, content))
    }
}

/// Whether a redirect URI is plain HTTP to a loopback address, with any port and path (RFC 8252, section 7.3, and localhost).
func isLoopbackRedirect(_ address: String) -> Bool {
    // A fragment is forbidden (RFC 6749, section 3.1.2); anything beyond printable ASCII must have been escaped.
    guard address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else { return false }
    guard address.hasPrefix("http://") else { return false }
    let authority = address.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" }
    for host in ["127.0.0.1", "localhost", "[::1]"] where authority.hasPrefix(host) {
        let port = authority.dropFirst(host.count)
        if port.isEmpty { return true }
        let digits = port.dropFirst()
        return port.first == ":" && digits.allSatisfy { ("0"..."9").contains($0) } && UInt16(digits) ?? 0 > 0
    }
    return false
}
