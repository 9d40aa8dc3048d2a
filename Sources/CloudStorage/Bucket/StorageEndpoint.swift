import FoundationEssentials

/// Where the JSON API is: Google's address, or an emulator's.
struct StorageEndpoint: Sendable, Equatable {
    /// Without a slash at the end.
    let base: String
    private let origin: Origin
    private let isGoogle: Bool

    private struct Origin: Sendable, Equatable {
        let scheme: String
        let host: String
        let port: Int

        init?(_ url: String) {
            guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
                scheme == "http" || scheme == "https", let host = parts.host?.lowercased(), !host.isEmpty,
                parts.user == nil, parts.password == nil
            else { return nil }
            self.scheme = scheme
            self.host = host
            self.port = parts.port ?? (scheme == "https" ? 443 : 80)
        }
    }

    /// Takes every form in which `STORAGE_EMULATOR_HOST` is written: `host:port`, with a scheme, with a slash at the end.
    init(_ text: String) throws(StorageError) {
        var base = text.contains("://") ? text : "http://\(text)"
        while base.hasSuffix("/") { base.removeLast() }
        guard let origin = Origin(base) else {
            throw StorageError(
                code: .noBucket,
                message: "STORAGE_EMULATOR_HOST is not an address: wanted is http://HOST:PORT or HOST:PORT."
            )
        }
        self.base = base
        self.origin = origin
        isGoogle = origin.host == "storage.googleapis.com" || origin.host.hasSuffix(".googleapis.com")
    }

    /// Whether an upload session's URI may be given our token and bytes: it must lead where the request came from.
    func owns(_ session: UploadSession) -> Bool {
        guard let there = Origin(session.uri) else { return false }
        return there == origin || (isGoogle && there == Origin("https://storage.googleapis.com"))
    }
}
