import HTTPClient

extension GCSObjectStore {
    /// One listing of one object, sent once.
    func probe() async throws {
        var attempts = Attempts()
        let url = "\(endpoint.base)/storage/v1/b/\(bucket)/o?maxResults=1&fields=nextPageToken"
        switch try await once(HTTPRequest("GET", url), subject: "Listing \(self.url)", attempts: &attempts) {
        // A refused token is replaced by the next request that needs one; whoever refuses it answers.
        case .answer: return
        case .fault(let fault) where fault.atOnce: return
        case .fault(let fault):
            throw StorageError(code: .unavailable(retryAfter: fault.retryAfter), message: fault.message)
        }
    }
}
