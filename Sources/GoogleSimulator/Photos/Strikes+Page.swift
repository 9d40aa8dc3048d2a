import HTTPServer

extension Strikes {
    /// A page of a listing, as the rules that concern listings leave it.
    func page(_ items: [JSONValue], next: JSONValue?) -> ServerAnswer {
        if let rule = first(.errorObject) {
            let error = JSONValue.members(
                ("code", .integer(500)),
                ("message", .string(rule.body ?? "Internal error encountered.")),
                ("status", .string("INTERNAL"))
            )
            return .json(200, .members(("error", error)))
        }
        if has(.falseEnd) { return .json(200, .object([])) }
        var items = items.map(shown)
        if has(.noItems) { items = [] }
        if let rule = first(.noID) {
            let count = rule.at.map { Int((Double(items.count) * $0).rounded(.up)) } ?? 1
            items = items.enumerated().map { $0.offset < count ? $0.element.withoutID : $0.element }
        }
        return .json(
            200,
            .members(
                ("mediaItems", items.isEmpty ? nil : .array(items)),
                ("nextPageToken", has(.loseToken) ? nil : next)
            )
        )
    }
}

extension Strikes {
    /// An item as the rules leave it, wherever the API tells of it.
    func shown(_ item: JSONValue) -> JSONValue { has(.noKind) ? item.withoutKind : item }
}

extension JSONValue {
    /// A media item that does not show whether it is a photo or a video.
    fileprivate var withoutKind: JSONValue {
        .object(
            (fields ?? []).compactMap { field -> JSONValue.Member? in
                switch field.name {
                case "mimeType", "filename", "type": return nil
                case "mediaFile": return JSONValue.Member(name: field.name, value: field.value.withoutKind)
                case "mediaFileMetadata":
                    let kinds = ["photoMetadata", "videoMetadata"]
                    let rest = (field.value.fields ?? []).filter { !kinds.contains($0.name) }
                    return JSONValue.Member(name: field.name, value: .object(rest))
                case "mediaMetadata":
                    let rest = (field.value.fields ?? []).filter { $0.name != "photo" && $0.name != "video" }
                    return JSONValue.Member(name: field.name, value: .object(rest))
                default: return field
                }
            }
        )
    }

    /// A media item that nobody can ask for: its id stands in its product URL too.
    fileprivate var withoutID: JSONValue {
        .object((fields ?? []).filter { $0.name != "id" && $0.name != "productUrl" })
    }
}
