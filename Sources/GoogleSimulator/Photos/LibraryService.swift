import HTTPServer

/// The Library API: list, search, get, batchGet (Library API reference: mediaItems).
struct LibraryService: Sendable {
    let library: PhotoLibrary
    let baseURLs: BaseURLs
    let pageTokens: PageTokens
    let quirks: Set<Quirk>
    /// What stands before the path of a base URL, without a slash at its end.
    let baseURLOrigin: String

    /// Answers `GET /v1/mediaItems`.
    func list(_ query: QueryFields, _ strikes: Strikes) -> ServerAnswer {
        let size = query["pageSize"].map { Int64($0) } ?? 0
        guard let size else { return .refusal(400, "INVALID_ARGUMENT", "Invalid value at 'page_size' (TYPE_INT32).") }
        return page(size: size, token: query["pageToken"] ?? "", filter: nil, parameters: "list", strikes)
    }

    /// Answers `POST /v1/mediaItems:search`.
    func search(_ bytes: [UInt8], _ strikes: Strikes) -> ServerAnswer {
        guard let body = bytes.isEmpty ? .object([]) : JSONValue.parse(bytes), body.fields != nil else {
            return .refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
        }
        let filter: SearchFilter
        do { filter = try SearchFilter(body: body) } catch {
            return .refusal(400, "INVALID_ARGUMENT", error.message)
        }
        let fixed = (body.fields ?? []).filter { $0.name != "pageToken" && $0.name != "pageSize" }
        let sorted = fixed.sorted { $0.name < $1.name }
        let parameters = "search" + String(decoding: JSONValue.object(sorted).canonical.bytes, as: UTF8.self)
        return page(
            size: body["pageSize"]?.whole ?? 0,
            token: body["pageToken"]?.text ?? "",
            filter: filter,
            parameters: parameters,
            strikes
        )
    }

    /// Answers `GET /v1/mediaItems/{id}`.
    func get(_ id: String, _ strikes: Strikes) -> ServerAnswer {
        guard let reference = library.reference(id: id), let item = library.item(reference) else {
            return .refusal(404, "NOT_FOUND", "Requested entity was not found.")
        }
        if quirks.isBad(reference) { return .refusal(500, "INTERNAL", "Internal error encountered.") }
        return .json(200, strikes.shown(describe(item, reference: reference)))
    }

    /// Answers `GET /v1/mediaItems:batchGet`.
    func batchGet(_ query: QueryFields, _ strikes: Strikes) -> ServerAnswer {
        let ids = query.all("mediaItemIds")
        if ids.isEmpty { return .refusal(400, "INVALID_ARGUMENT", "Request must contain at least one media item ID.") }
        if ids.count > 50 {
            return .refusal(400, "INVALID_ARGUMENT", "Request must contain at most 50 media item IDs.")
        }
        if Set(ids).count != ids.count {
            return .refusal(400, "INVALID_ARGUMENT", "Request must not contain duplicate media item IDs.")
        }
        var results: [JSONValue] = []
        for id in ids {
            guard let reference = library.reference(id: id), let item = library.item(reference) else {
                let status = JSONValue.members(("code", .integer(5)), ("message", .string("NOT_FOUND")))
                results.append(.members(("status", status)))
                continue
            }
            if quirks.isBad(reference) { return .refusal(500, "INTERNAL", "Internal error encountered.") }
            if quirks.isEmptyResult(reference) {
                results.append(.object([]))
                continue
            }
            results.append(.members(("mediaItem", strikes.shown(describe(item, reference: reference)))))
        }
        return .json(200, .members(("mediaItemResults", .array(results))))
    }

    /// One page; a size of 0 means 25, more than 100 mean 100.
    private func page(
        size: Int64,
        token: String,
        filter: SearchFilter?,
        parameters: String,
        _ strikes: Strikes
    ) -> ServerAnswer {
        guard size >= 0 else {
            return .refusal(400, "INVALID_ARGUMENT", "Page size must be between 0 and 100.")
        }
        let limit = size == 0 ? 25 : Int(min(size, 100))
        let bound = parameters + "/\(limit)"
        var ticket: PageTicket?
        if !token.isEmpty {
            ticket = pageTokens.read(token, parameters: bound)
            if ticket == nil {
                return .refusal(400, "INVALID_ARGUMENT", "Invalid page token.")
            }
        }
        let number = ticket?.page ?? 0
        var first = number == 0 ? nil : ticket?.place
        // Pages 1, 4, 7, … hold nothing and lead on from where they stand.
        if quirks.contains(.emptyPages), number % 3 == 1, let first {
            return strikes.page([], next: next(first, number + 1, bound))
        }
        var items: [JSONValue] = []
        if quirks.contains(.repeatAcrossPages), let again = first, let item = library.item(again.reference) {
            items.append(describe(item, reference: again.reference))
        }
        let isOldestFirst = filter?.isOldestFirst ?? false
        var isNew = false
        scan: while items.count < limit {
            let places = library.places(after: first, isOldestFirst: isOldestFirst, limit: limit)
            if places.isEmpty { break }
            for place in places {
                if items.count >= limit { break scan }
                first = place
                isNew = true
                guard let item = library.item(place.reference), filter?.admits(item) ?? true else { continue }
                items.append(describe(item, reference: place.reference))
            }
        }
        var isMore = !library.places(after: first, isOldestFirst: isOldestFirst, limit: 1).isEmpty
        if quirks.contains(.emptyPages), isNew {
            isMore = true
        } else if !isNew {
            items = []
        }
        return strikes.page(items, next: isMore ? first.map { next($0, number + 1, bound) } : nil)
    }

    private func next(_ place: PhotoLibrary.Place, _ page: UInt32, _ parameters: String) -> JSONValue {
        .string(pageTokens.mint(PageTicket(place: place, page: page), parameters: parameters))
    }
}

extension JSONValue {
    /// The same document with the members of all objects in order of their names.
    fileprivate var canonical: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.canonical))
        case .object(let members):
            .object(
                members.map { Member(name: $0.name, value: $0.value.canonical) }.sorted { $0.name < $1.name }
            )
        case .null, .boolean, .integer, .double, .string: self
        }
    }
}
