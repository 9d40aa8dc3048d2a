/// The Picker API: photos and videos that a person picks in Google's own page, at most 2000 a session.
///
/// Its quotas are a minute's, 100,000 requests a project (Photos APIs: "API limits and quotas"): nothing is drawn from the
/// Library API's day. Nothing is retried but a 401, once, with a fresh token.
package struct PickerClient: Sendable {
    /// Most items of one session (Picker API reference: PickingConfig).
    package static let mostItems = 2000
    /// The wait between two polls where Google names none, and the bounds of one that makes sense.
    private static let usualInterval = Duration.seconds(5)
    private static let intervals = Duration.milliseconds(100)...Duration.seconds(600)

    private let photos: PhotosClient

    /// - Parameter photos: with the Picker API's endpoint (`https://photospicker.googleapis.com`, or the simulator's), and a
    ///   login with the scope `photospicker.mediaitems.readonly`; it fetches the items' base URLs as well.
    package init(_ photos: PhotosClient) {
        self.photos = photos
    }

    /// Makes a session.
    ///
    /// - Returns: the session, with its link.
    /// - Throws: `.noAccount`; `.quota` also for too many sessions of one person; `.foreignHost` for a link that is not
    ///   Google's; see `PhotosError.Code` for the rest.
    package func createSession() async throws(PhotosError) -> PickerSession {
        let body = #"{"pickingConfig":{"maxItemCount":"\#(Self.mostItems)"}}"#
        let call = APICall(
            task: "begin a picking session",
            method: "POST",
            path: "/v1/sessions",
            body: Array(body.utf8),
            picker: .creation
        )
        let session = try await session(call)
        guard session.link != nil else {
            throw PhotosError(code: .malformed, message: "Google Photos began a picking session without a link to it.")
        }
        return session
    }

    /// How a session stands.
    ///
    /// - Throws: `.sessionOver`; see `PhotosError.Code` for the rest.
    package func session(_ id: String) async throws(PhotosError) -> PickerSession {
        let call = APICall(
            task: "ask how the picking session stands",
            method: "GET",
            path: "/v1/sessions/\(percentEncoded(id))",
            picker: .session
        )
        return try await session(call)
    }

    /// Ends a session; one that is over already is as good.
    ///
    /// - Throws: see `PhotosError.Code`.
    package func deleteSession(_ id: String) async throws(PhotosError) {
        let call = APICall(
            task: "end the picking session",
            method: "DELETE",
            path: "/v1/sessions/\(percentEncoded(id))",
            picker: .session
        )
        do {
            _ = try await photos.answer(to: call)
        } catch  where error.code == .sessionOver {}
    }

    /// One page of what was picked, with fresh base URLs, which need this login to be fetched.
    ///
    /// - Parameters:
    ///   - session: the session's id.
    ///   - pageToken: the last page's `nextPageToken`, nil for the first page; the same one again brings the same page.
    /// - Returns: up to 100 items, perhaps none; the listing goes on as long as there is a token.
    /// - Throws: `.notPicked`, `.sessionOver`, `.badPageToken`, `.malformed`; see `PhotosError.Code` for the rest.
    package func list(session: String, pageToken: String?) async throws(PhotosError) -> MediaPage {
        var path = "/v1/mediaItems?sessionId=\(percentEncoded(session))&pageSize=\(APICall.pageSize)"
        if let pageToken { path += "&pageToken=\(percentEncoded(pageToken))" }
        let call = APICall(
            task: "list what was picked",
            method: "GET",
            path: path,
            hasPageToken: pageToken != nil,
            picker: .items
        )
        return try await photos.page(call, of: WirePickedItem.self)
    }

    /// A link that was kept, if it is one that `session` would have given.
    package func link(kept link: String?) -> String? { try? checked(link) }

    private func session(_ call: APICall) async throws(PhotosError) -> PickerSession {
        let wire = try photos.decode(WireSession.self, from: try await photos.answer(to: call), of: call)
        guard let id = WireMedia.id(wire.id) else {
            throw PhotosError(
                code: .malformed,
                message: "Google Photos could not \(call.task): its answer is no picking session."
            )
        }
        let interval = wire.pollInterval ?? Self.usualInterval
        return PickerSession(
            id: id,
            link: try checked(wire.pickerURI),
            isPicked: wire.mediaItemsSet ?? false,
            pollInterval: min(max(interval, Self.intervals.lowerBound), Self.intervals.upperBound),
            timeout: wire.timeoutIn,
            expiresAt: wire.expireTime.flatMap(CaptureTime.normalised)
        )
    }

    /// A person's browser opens it: only what is Google's.
    private func checked(_ link: String?) throws(PhotosError) -> String? {
        guard let link, !link.isEmpty else { return nil }
        guard let address = WebAddress(link), photos.hosts.allowLink(address) else {
            throw PhotosError(
                code: .foreignHost,
                message: "The link of a picking session does not lead to Google: it is not shown and not opened."
            )
        }
        return address.url
    }
}
