package import GoogleAuth
package import HTTPClient

/// One photo or video as the Library API tells of it; every field but the id may be missing.
package struct MediaItem: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case photo, video(VideoStatus), unknown }
    package enum VideoStatus: Sendable, Equatable { case unspecified, processing, ready, failed, other(String) }
    package var id: String
    package var filename: String?
    package var mimeType: String?
    package var baseURL: BaseURL?
    /// RFC 3339 as Google wrote it, validated; nil if absent or unreadable.
    package var creationTime: String?
    package var width: Int64?
    package var height: Int64?
    package var kind: Kind
    package init(id: String, filename: String? = nil, mimeType: String? = nil, baseURL: BaseURL? = nil, creationTime: String? = nil, width: Int64? = nil, height: Int64? = nil, kind: Kind = .unknown) {
        self.id = id; self.filename = filename; self.mimeType = mimeType; self.baseURL = baseURL; self.creationTime = creationTime
        self.width = width; self.height = height; self.kind = kind
    }
}

/// A base URL: secret, short-lived, never stored, logged or printed.
package struct BaseURL: Sendable, Equatable, CustomStringConvertible {
    package let url: String
    /// When it was received, by the monotonic clock.
    package let received: ContinuousClock.Instant
    package init(_ url: String, received: ContinuousClock.Instant = .now) { self.url = url; self.received = received }
    package var description: String { "a base URL" }
}

/// One page of a listing.
package struct MediaPage: Sendable, Equatable {
    package let items: [MediaItem]
    /// Entries without an id, which cannot be archived; the scan counts and reports them.
    package let unreadable: Int
    /// nil means last page; items may be empty while there is a token.
    package let nextPageToken: String?
}

/// Which bytes of an item.
package enum Rendition: Sendable, Equatable {
    /// `=d`
    case still
    /// `=dv`
    case video
}

/// What the Photos APIs refused, by what the caller does next.
package struct PhotosError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// 403 for missing scopes: stop, with the reason (Google's change of 31 March 2025).
        case insufficientScopes
        /// 401 although the token was refreshed once.
        case unauthenticated
        /// 429: park the whole source at least this long (never less than 30 s unless Retry-After said so).
        case quota(retryAfter: Duration)
        /// 5xx or network: the service, not the item. Retry-After if it was given.
        case unavailable(retryAfter: Duration?)
        /// The item is gone or not this client's.
        case notFound
        /// A page token that expired or is not known: start the listing over.
        case badPageToken
        /// 403 (or HTML) on a base URL: get a fresh one.
        case baseURLExpired
        /// The base URL, or a redirect from it, points outside Google's hosts: refused, nothing was sent.
        case foreignHost
        /// The answer is not what the API promises.
        case malformed
        /// Any other 4xx: this request will never work.
        case rejected(status: Int)
        /// The token endpoint: see the AuthError.
        case auth(AuthError.Code)
        /// Body cut, stalled or cancelled on our side.
        case transport(HTTPError.Code)
    }
    package let code: Code
    package let message: String
    package init(code: Code, message: String) { self.code = code; self.message = message }
    package var description: String { message }
}

/// The Library API and its base URLs.
package struct PhotosClient: Sendable {
    /// - Parameter endpoint: `https://photoslibrary.googleapis.com`, or the simulator's; base URLs and redirects may go to
    ///   `*.googleusercontent.com`, `*.google.com` over https, or to the endpoint's own origin where the endpoint is not Google's.
    package init(http: HTTPClient, tokens: TokenSource, endpoint: String) { fatalError() }
    package func list(pageToken: String?) async throws(PhotosError) -> MediaPage { fatalError() }
    /// Items by capture day, both inclusive, `yyyy-mm-dd`; nil is open.
    package func search(since: String?, until: String?, pageToken: String?) async throws(PhotosError) -> MediaPage { fatalError() }
    /// At most 50 ids; one result an id, in order. Throws for the batch as a whole (the caller falls back to `get`).
    package func batchGet(_ ids: [String]) async throws(PhotosError) -> [Result<MediaItem, PhotosError>] { fatalError() }
    package func get(_ id: String) async throws(PhotosError) -> MediaItem { fatalError() }
    /// Starts the download of one rendition; returns with the head of a 2xx answer, redirects followed without the token.
    package func download(_ baseURL: BaseURL, _ rendition: Rendition, into buffer: BodyBuffer) async throws(PhotosError) -> HTTPHead { fatalError() }
    /// Requests made since start, for counters and quotas: (API, media).
    package var requestCounts: (api: Int, media: Int) { fatalError() }
}
