import CCurl

/// A checked URL, and what of it may be shown.
struct Target {
    let url: String
    /// Host, with the port if the URL names one.
    let host: String

    /// Throws `.badURL` unless libcurl's own parser takes the URL and its scheme is http or https.
    init(_ url: String) throws(HTTPError) {
        guard let parser = unsafe curl_url() else {
            throw HTTPError(code: .badURL, message: "There is no memory to read a URL.")
        }
        defer { unsafe curl_url_cleanup(parser) }
        let code = unsafe curl_url_set(parser, CURLUPART_URL, url, 0)
        let scheme = unsafe Self.part(CURLUPART_SCHEME, of: parser)?.lowercased()
        guard code == CURLUE_OK, scheme == "http" || scheme == "https",
            let name = unsafe Self.part(CURLUPART_HOST, of: parser)
        else {
            throw HTTPError(code: .badURL, message: "A URL is not an absolute http or https URL.")
        }
        let port = unsafe Self.part(CURLUPART_PORT, of: parser)
        self.url = url
        host = port.map { "\(name):\($0)" } ?? name
    }

    private static func part(_ part: CURLUPart, of parser: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(parser, part, &text, 0) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
