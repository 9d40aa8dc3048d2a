/// Where base URLs and their redirects may go, and where a person's browser may be sent.
///
/// Google serves photos from `lh3.googleusercontent.com`, sends `=dv` on to `video-downloads.googleusercontent.com`, and has
/// the same service under `lh3.google.com`. No other host was ever seen. The Picker is at `photos.google.com`.
struct MediaHosts {
    private let endpoint: WebAddress?

    init(endpoint: String) {
        self.endpoint = WebAddress(endpoint)
    }

    func allow(_ address: WebAddress) -> Bool {
        (address.isPlainHTTPS && Self.isGoogle(address.host)) || isEmulators(address)
    }

    /// Whether a link may be shown and opened: `sites.google.com`, for one, has pages of anybody's.
    func allowLink(_ address: WebAddress) -> Bool {
        (address.isPlainHTTPS && address.host == "photos.google.com") || isEmulators(address)
    }

    private func isEmulators(_ address: WebAddress) -> Bool {
        guard let endpoint, !Self.isGoogleService(endpoint.host) else { return false }
        // An emulator may serve its photos from another port.
        return address.isSameOrigin(as: endpoint) || (endpoint.isLoopback && address.isLoopback)
    }

    private static func isGoogle(_ host: String) -> Bool {
        if host.hasSuffix(".google.com") { return true }
        // Deeper names are those of rented machines and of what runs on them: bc, notebooks, dataproc and the like.
        let own = host.split(separator: ".", omittingEmptySubsequences: false)
        return own.count == 3 && host.hasSuffix(".googleusercontent.com")
    }

    private static func isGoogleService(_ host: String) -> Bool {
        host == "googleapis.com" || host.hasSuffix(".googleapis.com") || isGoogle(host)
    }
}
