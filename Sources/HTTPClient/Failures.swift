import CCurl

extension HTTPError {
    /// What libcurl's number means to a caller.
    ///
    /// libcurl's own words, `detail`, are shown for failures to connect only, where they name host and certificate.
    init(_ curl: CURLcode, host: String, detail: String, bytesSent: Int64) {
        let words = unsafe String(cString: curl_easy_strerror(curl))
        let shown = detail.isEmpty ? words : detail
        switch curl {
        case CURLE_URL_MALFORMAT:
            self.init(code: .badURL, message: "The URL for \(host) is malformed.")
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
            CURLE_OPERATION_TIMEDOUT:
            self.init(
                code: .cannotConnect,
                message: "\(Self.noConnection)\(host): \(shown).",
                bytesSent: bytesSent
            )
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS:
            self.init(
                code: .untrusted,
                message: "The certificate of \(host) is not trusted: \(shown).",
                bytesSent: bytesSent
            )
        default:
            self.init(code: .cut, message: "\(host) broke off the exchange: \(words).", bytesSent: bytesSent)
        }
    }
}
