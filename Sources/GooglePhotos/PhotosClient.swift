package import GoogleAuth
package import HTTPClient
import Synchronization

/// The Library API and its base URLs.
///
/// Nothing is retried but a 401, once, with a fresh token: callers decide, by `PhotosError.Code`.
package struct PhotosClient: Sendable {
    let http: HTTPClient
    let tokens: TokenSource
    /// Without a slash at its end.
    let endpoint: String
    let hosts: MediaHosts
    let counters = RequestCounters()
    /// Asked before each request that counts; nil: nobody counts.
    var admission: Admission?

    /// - Parameters:
    ///   - http: carries all requests.
    ///   - tokens: a login with the scope `photoslibrary.readonly.appcreateddata`.
    ///   - endpoint: `https://photoslibrary.googleapis.com`, or the simulator's. Base URLs and redirects may go to
    ///     `*.googleusercontent.com` and `*.google.com` over https, to the endpoint's own origin where the endpoint is not
    ///     Google's, and from a loopback endpoint to any loopback origin.
    package init(http: HTTPClient, tokens: TokenSource, endpoint: String) {
        self.http = http
        self.tokens = tokens
        self.endpoint = String(endpoint.reversed().drop { $0 == "/" }.reversed())
        hosts = MediaHosts(endpoint: endpoint)
    }

    /// Requests made since start, for counters and quotas; each hop of a redirect counts.
    package var requestCounts: (api: Int, media: Int) {
        (counters.api.load(ordering: .relaxed), counters.media.load(ordering: .relaxed))
    }

    func authorization() async throws(PhotosError) -> [HTTPField] {
        do {
            return try await tokens.headers()
        } catch {
            throw PhotosError(error)
        }
    }
}
