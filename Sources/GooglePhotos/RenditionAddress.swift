extension WebAddress {
    /// The address of a rendition: the base URL with the rendition's suffix, in place of one that it already has.
    init?(_ base: BaseURL, _ rendition: Rendition) {
        guard let address = WebAddress(base.url) else { return nil }
        let bare = address.path.prefix { $0 != "?" }
        let query = address.path[bare.endIndex...]
        self.init(address.origin + Self.withoutParameters(bare) + rendition.suffix + query)
    }

    /// Drops `=w2048-h1024`, `=d` and the like from the end of a path; what looks otherwise is part of the URL.
    private static func withoutParameters(_ path: Substring) -> Substring {
        guard let sign = path.lastIndex(of: "="), !path[sign...].contains("/") else { return path }
        let parameters = path[path.index(after: sign)...]
        let areParameters = parameters.split(separator: "-", omittingEmptySubsequences: false).allSatisfy { word in
            word.utf8.first.map { (0x61...0x7A).contains($0) } == true
                && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        }
        return areParameters ? path[..<sign] : path
    }
}
