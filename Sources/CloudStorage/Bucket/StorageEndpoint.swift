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
        guard Self.isPlain(session.uri), let there = Origin(session.uri) else { return false }
        return there == origin || (isGoogle && there == Origin("https://storage.googleapis.com"))
    }

    /// Whether no two readers of URLs could see different hosts in it: only the network's own reader is asked for a connection.
    private static func isPlain(_ uri: String) -> Bool {
        guard uri.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }),
            let start = uri.firstRange(of: "://")?.upperBound
        else { return false }
        let authority = uri[start...].utf8.prefix { !"/?#".utf8.contains($0) }
        let host = authority.prefix { $0 != UInt8(ascii: ":") }
        let port = authority.dropFirst(host.count)
        let isName = host.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): true
            default: false
            }
        }
        let digits = port.dropFirst()
        let isPort =
            port.isEmpty || ((1...5).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) })
        // An IPv6 address, of an emulator, stands in brackets.
        return (isName && isPort) || (authority.first == UInt8(ascii: "[") && !authority.contains(UInt8(ascii: "@")))
    }

    /// Whether a session that was kept elsewhere may be gone on with: nothing but an upload's URI at this endpoint.
    ///
    /// Who changes what was kept cannot have other requests sent with our token, such as the deletion of an object.
    func mayGoOn(with session: UploadSession) -> Bool {
        guard owns(session), let parts = URLComponents(string: session.uri), parts.fragment == nil
        else { return false }
        let path = parts.percentEncodedPath
        let folder = URLComponents(string: base)?.percentEncodedPath ?? ""
        let isUpload = ["/upload/", "/resumable/upload/"].contains { path.hasPrefix(folder + $0) }
        return isUpload && !path.contains("..") && !path.contains("%")
            && parts.queryItems?.contains { $0.name == "upload_id" && $0.value?.isEmpty == false } ?? false
    }
}
