/// Where base URLs and their redirects may go.
///
/// Google serves photos from `lh3.googleusercontent.com`, sends `=dv` on to `video-downloads.googleusercontent.com`, and has
/// the same service under `lh3.google.com`. No other host was ever seen.
struct MediaHosts {
    private let endpoint: WebAddress?

    init(endpoint: String) {
        self.endpoint = WebAddress(endpoint)
    }

    func allow(_ address: WebAddress) -> Bool {
        if address.scheme == "https", address.port == 443, Self.isGoogle(address.host) { return true }
        guard let endpoint, !Self.isGoogleService(endpoint.host) else { return false }
        // An emulator may serve its photos from another port.
        return address.isSameOrigin(as: endpoint) || (endpoint.isLoopback && address.isLoopback)
    }

    private static func isGoogle(_ host: String) -> Bool {
        // Names below bc.googleusercontent.com are those of rented machines.
        if host.hasSuffix(".bc.googleusercontent.com") { return false }
        return host.hasSuffix(".googleusercontent.com") || host.hasSuffix(".google.com")
    }

    private static func isGoogleService(_ host: String) -> Bool {
        host == "googleapis.com" || host.hasSuffix(".googleapis.com") || isGoogle(host)
    }
}
