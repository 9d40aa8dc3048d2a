import Foundation

extension PhotosClient {
    /// Most ids in one `batchGet` (Library API: mediaItems.batchGet).
    package static let batchLimit = 50

    /// One page of everything that this client uploaded, newest first.
    ///
    /// - Parameter pageToken: the last page's `nextPageToken`, nil for the first page.
    /// - Returns: up to 100 items, perhaps none; the listing goes on as long as there is a token.
    /// - Throws: `.badPageToken` if the listing must start over, `.malformed` if the answer is no page (ask again); see `PhotosError.Code` for the rest.
    package func list(pageToken: String?) async throws(PhotosError) -> MediaPage {
        var path = "/v1/mediaItems?pageSize=\(APICall.pageSize)"
        if let pageToken { path += "&pageToken=\(percentEncoded(pageToken))" }
        let call = APICall(task: "list the library", method: "GET", path: path, hasPageToken: pageToken != nil)
        return try await page(call, of: WireItem.self)
    }

    /// One page of the items by capture day, oldest first, archived ones too; items without a capture date never come.
    ///
    /// - Parameters:
    ///   - since: first day, `yyyy-mm-dd`; nil is open.
    ///   - until: last day, inclusive; nil is open. One of the two must be given.
    ///   - pageToken: as for `list`, with the same two days.
    /// - Returns: as `list`.
    /// - Throws: `.rejected(status: 400)`, before anything is sent, if a day does not exist or the first is after the last;
    ///   else as `list`.
    package func search(since: String?, until: String?, pageToken: String?) async throws(PhotosError) -> MediaPage {
        precondition(since != nil || until != nil, "a search without any day is a listing")
        let query = SearchQuery(
            first: try Self.day(since) ?? .earliest,
            last: try Self.day(until) ?? .latest,
            pageToken: pageToken
        )
        guard query.isForward else {
            throw PhotosError(
                code: .rejected(status: 400),
                message: "The first day of the search, \(since ?? ""), is after its last."
            )
        }
        let call = APICall(
            task: "search the library",
            method: "POST",
            path: "/v1/mediaItems:search",
            body: query.json,
            hasPageToken: pageToken != nil
        )
        return try await page(call, of: WireItem.self)
    }

    /// Fetches items with fresh base URLs: one result an id, in the order of the ids.
    ///
    /// An entry of the answer counts for an id only if it names that id, or if it is an error in that id's place among
    /// entries that all are in theirs.
    ///
    /// - Parameter ids: 1 to 50; repeated ones are asked for once.
    /// - Returns: as many results as ids; `.malformed` for an id that the answer left out.
    /// - Throws: for the batch as a whole; one bad id can cause a 500 for all, so the caller falls back to `get`.
    package func batchGet(_ ids: [String]) async throws(PhotosError) -> [Result<MediaItem, PhotosError>] {
        precondition((1...Self.batchLimit).contains(ids.count), "a batch has 1 to 50 ids")
        var seen = Set<String>()
        let asked = ids.filter { seen.insert($0).inserted }
        let query = asked.map { "mediaItemIds=\(percentEncoded($0))" }.joined(separator: "&")
        let call = APICall(
            task: "fetch \(asked.count) items",
            method: "GET",
            path: "/v1/mediaItems:batchGet?\(query)"
        )
        let sent = ContinuousClock.now
        let answer = try decode(WireBatch.self, from: try await answer(to: call), of: call)
        let results = answer.results(for: asked, received: sent)
        return ids.map { id in results[id] ?? .failure(.leftOut(id)) }
    }

    /// Fetches one item with a fresh base URL.
    ///
    /// - Parameter id: the item's.
    /// - Returns: the item of that id.
    /// - Throws: `.notFound` if it is gone or not this client's, `.malformed` if another item came.
    package func get(_ id: String) async throws(PhotosError) -> MediaItem {
        let call = APICall(
            task: "fetch item \(id)",
            method: "GET",
            path: "/v1/mediaItems/\(percentEncoded(id))",
            isAboutOneItem: true
        )
        let sent = ContinuousClock.now
        let wire = try decode(WireItem.self, from: try await answer(to: call), of: call)
        guard let item = wire.item(received: sent), item.id == id else { throw .leftOut(id) }
        return item
    }

    /// Makes a call whose answer is a page of items as this API writes them.
    func page<Item: WireMediaItem>(_ call: APICall, of type: Item.Type) async throws(PhotosError) -> MediaPage {
        let sent = ContinuousClock.now
        let answer = try decode(WirePage<Item>.self, from: try await answer(to: call), of: call)
        if let refusal = answer.refusal { throw PhotosError(pagedRefusal: refusal, of: call) }
        return answer.page(received: sent)
    }

    func decode<Wire: Decodable>(_ type: Wire.Type, from body: [UInt8], of call: APICall) throws(PhotosError)
        -> Wire
    {
        if JSONLimits.allow(body), let wire = try? JSONDecoder().decode(type, from: Data(body)) { return wire }
        throw PhotosError(
            code: .malformed,
            message: "Google Photos could not \(call.task): its answer is not the JSON that the API promises."
        )
    }

    private static func day(_ text: String?) throws(PhotosError) -> CivilDay? {
        guard let text else { return nil }
        if let day = CivilDay(text) { return day }
        throw PhotosError(code: .rejected(status: 400), message: "'\(text)' is not a day; write it as 2024-12-31.")
    }
}

extension PhotosError {
    /// The answer has nothing for an id.
    static func leftOut(_ id: String) -> PhotosError {
        PhotosError(code: .malformed, message: "Google Photos answered a request for item \(id) without that item.")
    }
}
