import CCurl

extension Transfer {
    /// How it ended, for the caller.
    ///
    /// The loop's own reason to end it, if there is one, wins over libcurl's result.
    func result(_ code: CURLcode, failure other: HTTPError?) -> Result<HTTPResponse, HTTPError> {
        if let failure = other ?? failure {
            return .failure(HTTPError(code: failure.code, message: failure.message, bytesSent: bytesSent))
        }
        guard code == CURLE_OK || isTruncated else {
            return .failure(HTTPError(code, host: target.host, detail: detail, bytesSent: bytesSent))
        }
        guard let head = parser.head else {
            let message = "\(target.host) broke off the exchange: its answer has no end of the head."
            return .failure(HTTPError(code: .cut, message: message, bytesSent: bytesSent))
        }
        return .success(HTTPResponse(head: head, body: collected))
    }

    private var detail: String {
        guard let words = unsafe words else { return "" }
        return unsafe String(cString: words)
    }

    /// What the end means for the buffer that the body was to fill; nil if it is whole.
    func bodyError(_ result: Result<HTTPResponse, HTTPError>) -> HTTPError? {
        switch result {
        case .failure(let error): return error
        case .success where streams: return nil
        case .success(let response):
            let message = "\(target.host) answered \(response.status) instead of the body."
            return HTTPError(code: .bodyFailed, message: message)
        }
    }
}
