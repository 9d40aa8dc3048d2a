/// What a request counts as in Google's quotas.
///
/// A redirect from a base URL is not counted: Google's quota is on "requests to base URLs" (Photos APIs: "API limits and
/// quotas"), and the address that it leads to is none.
package enum RequestKind: Sendable, Hashable {
    /// A call of the Library API.
    case api
    /// A request for a base URL.
    case media
}

/// Asked before each request that Google counts: returns when it may be sent.
///
/// Throws what the request's caller is to see, `.budgetSpent` if the day has none left; nothing is sent then.
package typealias Admission = @Sendable (RequestKind) async throws(PhotosError) -> Void

extension PhotosClient {
    /// The same client, whose requests are asked for first; counters are shared.
    package func admitting(_ admission: @escaping Admission) -> PhotosClient {
        var client = self
        client.admission = admission
        return client
    }
}
