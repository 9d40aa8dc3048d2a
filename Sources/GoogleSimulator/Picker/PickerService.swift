import HTTPServer

/// The Picker API: sessions, and what was picked in them (Picker API reference: sessions, mediaItems).
struct PickerService: Sendable {
    let library: PhotoLibrary
    let sessions: PickerSessions
    let baseURLs: BaseURLs
    let pageTokens: PageTokens
    let quirks: Set<Quirk>
    /// What stands before the path of a base URL, without a slash at its end.
    let baseURLOrigin: String
    /// The same for the page where people pick.
    let pageOrigin: String

    /// Answers `POST /v1/sessions`.
    func create(_ query: QueryFields, _ bytes: [UInt8]) -> ServerAnswer {
        do throws(PickerRefusal) {
            if let id = query["requestId"], !isRandomUUID(id) {
                throw PickerRefusal.invalid("request_id must be a UUID of version 4.")
            }
            guard let body = bytes.isEmpty ? .object([]) : JSONValue.parse(bytes), body.fields != nil else {
                throw PickerRefusal.invalid("Invalid JSON payload received.")
            }
            return shown(try sessions.create(maxItemCount: try Self.maxItemCount(body)))
        } catch {
            return Self.answer(error)
        }
    }

    /// Answers `GET /v1/sessions/{id}`.
    func get(_ id: String) -> ServerAnswer {
        do { return shown(try sessions.get(id)) } catch { return Self.answer(error) }
    }

    /// Answers `DELETE /v1/sessions/{id}`.
    func delete(_ id: String) -> ServerAnswer {
        do throws(PickerRefusal) {
            try sessions.delete(id)
            return .json(200, .object([]))
        } catch {
            return Self.answer(error)
        }
    }

    /// Answers `GET /v1/mediaItems`.
    func list(_ query: QueryFields, _ strikes: Strikes) -> ServerAnswer {
        do throws(PickerRefusal) {
            guard let id = query["sessionId"], !id.isEmpty else {
                throw PickerRefusal.invalid("session_id must be set.")
            }
            let size = query["pageSize"].map { Int64($0) } ?? 0
            guard let size else { throw PickerRefusal.invalid("Invalid value at 'page_size' (TYPE_INT32).") }
            guard size >= 0 else { throw PickerRefusal.invalid("page_size must not be negative.") }
            let session = try sessions.get(id)
            guard let picked = session.picked else { throw PickerRefusal.unfinished }
            // 50 if not said, 100 if more (Picker API reference: mediaItems.list).
            let limit = size == 0 ? 50 : Int(min(size, 100))
            return try page(session, picked, limit: limit, token: query["pageToken"] ?? "", strikes)
        } catch {
            return Self.answer(error)
        }
    }

    private func page(
        _ session: PickerSession,
        _ picked: [Int32],
        limit: Int,
        token: String,
        _ strikes: Strikes
    ) throws(PickerRefusal) -> ServerAnswer {
        let bound = "picker/\(session.id)/\(limit)"
        var start = 0
        var number: UInt32 = 0
        if !token.isEmpty {
            guard let ticket = pageTokens.read(token, parameters: bound) else { throw .invalid("Invalid page token.") }
            start = Int(ticket.place.reference)
            number = ticket.page
        }
        // Pages 1, 4, 7, … hold nothing and lead on from where they stand.
        let isEmpty = quirks.contains(.emptyPages) && number % 3 == 1
        let end = isEmpty ? start : min(picked.count, start + limit)
        let items = picked[start..<end].compactMap { reference in
            library.item(reference).map { describe($0, reference: reference, session: session.number) }
        }
        let isMore = end < picked.count || quirks.contains(.emptyPages) && !items.isEmpty
        let place = PhotoLibrary.Place(creation: 0, reference: Int32(end))
        let next = pageTokens.mint(PageTicket(place: place, page: number + 1), parameters: bound)
        return strikes.page(items, next: isMore ? .string(next) : nil)
    }

    private func shown(_ session: PickerSession) -> ServerAnswer {
        .json(200, sessions.describe(session, pickerURI: pageOrigin + "/picker/" + session.id))
    }

    /// Reads a PickingSession, of which a request may say one thing only; an unknown name is refused, as all of Google's
    /// JSON is read.
    private static func maxItemCount(_ body: JSONValue) throws(PickerRefusal) -> Int64? {
        let names: Set = ["id", "pickerUri", "pollingConfig", "expireTime", "pickingConfig", "mediaItemsSet"]
        for field in body.fields ?? [] where !names.contains(field.name) {
            throw .invalid("Invalid JSON payload received. Unknown name \"\(field.name)\": Cannot find field.")
        }
        guard let config = body["pickingConfig"], config != .null else { return nil }
        for field in config.fields ?? [] where field.name != "maxItemCount" {
            throw .invalid(
                "Invalid JSON payload received. Unknown name \"\(field.name)\" at 'session.picking_config': Cannot find "
                    + "field."
            )
        }
        guard let count = config["maxItemCount"], count != .null else { return nil }
        guard let number = count.whole else {
            throw .invalid("Invalid value at 'session.picking_config.max_item_count' (TYPE_INT64).")
        }
        return number
    }

    private static func answer(_ error: PickerRefusal) -> ServerAnswer {
        let (status, name) =
            switch error {
            case .unknown: (404, "NOT_FOUND")
            case .expired: (403, "PERMISSION_DENIED")
            case .unfinished, .finished, .noAccount: (400, "FAILED_PRECONDITION")
            case .tooMany: (429, "RESOURCE_EXHAUSTED")
            case .invalid: (400, "INVALID_ARGUMENT")
            }
        return .refusal(status, name, error.description)
    }
}

/// Whether a text is a UUID of version 4 (RFC 9562, section 5.4).
private func isRandomUUID(_ text: String) -> Bool {
    let bytes = Array(text.lowercased().utf8)
    guard bytes.count == 36 else { return false }
    for (index, byte) in bytes.enumerated() {
        switch index {
        case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return false }
        case 14: guard byte == UInt8(ascii: "4") else { return false }
        case 19: guard "89ab".utf8.contains(byte) else { return false }
        default: guard "0123456789abcdef".utf8.contains(byte) else { return false }
        }
    }
    return true
}
