/// The filters of `mediaItems:search` (Library API reference: SearchMediaItemsRequest).
struct SearchFilter: Sendable {
    private enum Days: Sendable {
        case day(CalendarDate)
        case range(CalendarDate, CalendarDate)
    }

    /// A request that is refused with 400, and why.
    struct Refusal: Error {
        let message: String
    }

    private var days: [Days] = []
    private var kind: LibraryItem.Kind?
    private var isNothing = false
    private(set) var isOldestFirst = false

    init(body: JSONValue) throws(Refusal) {
        let filters = body["filters"]
        let album = body["albumId"]?.text ?? ""
        if !album.isEmpty {
            throw Refusal(message: filters == nil ? "Invalid album ID." : "Album ID cannot be set with filters.")
        }
        let dates = filters?["dateFilter"]
        for date in dates?["dates"]?.elements ?? [] { days.append(.day(try Self.date(date))) }
        for range in dates?["ranges"]?.elements ?? [] {
            let first = try Self.date(range["startDate"] ?? .null)
            let last = try Self.date(range["endDate"] ?? .null)
            guard (first.year == 0) == (last.year == 0), (first.month == 0) == (last.month == 0),
                (first.day == 0) == (last.day == 0)
            else { throw Refusal(message: "Both dates of a range must have the same format.") }
            guard Self.key(first) <= Self.key(last) else { throw Refusal(message: "startDate is after endDate.") }
            days.append(.range(first, last))
        }
        let count = (dates?["dates"]?.elements?.count ?? 0, dates?["ranges"]?.elements?.count ?? 0)
        if count.0 > 5 || count.1 > 5 { throw Refusal(message: "At most 5 dates and 5 ranges are allowed.") }
        try takeKinds(filters)
        try takeOrder(body, hasDates: dates != nil, filters: filters)
    }

    private mutating func takeKinds(_ filters: JSONValue?) throws(Refusal) {
        if let types = filters?["mediaTypeFilter"]?["mediaTypes"]?.elements {
            guard types.count == 1 else { throw Refusal(message: "Exactly one media type is allowed.") }
            switch types[0].text {
            case "ALL_MEDIA": break
            case "PHOTO": kind = .photo
            case "VIDEO": kind = .video
            default: throw Refusal(message: "Invalid media type.")
            }
        }
        let features = filters?["featureFilter"]?["includedFeatures"]?.elements?.compactMap(\.text) ?? []
        if features.contains("FAVORITES") { isNothing = true }
    }

    private mutating func takeOrder(_ body: JSONValue, hasDates: Bool, filters: JSONValue?) throws(Refusal) {
        guard let order = body["orderBy"]?.text, !order.isEmpty else { return }
        let allowed: Set = ["dateFilter", "includeArchivedMedia", "excludeNonAppCreatedData"]
        guard hasDates, (filters?.fields ?? []).allSatisfy({ allowed.contains($0.name) }) else {
            throw Refusal(message: "orderBy can only be used with a dateFilter.")
        }
        switch order {
        case "MediaMetadata.creation_time": isOldestFirst = true
        case "MediaMetadata.creation_time desc": break
        default: throw Refusal(message: "Invalid orderBy.")
        }
    }

    private static func date(_ value: JSONValue) throws(Refusal) -> CalendarDate {
        let date = CalendarDate(
            year: Int(value["year"]?.whole ?? 0),
            month: Int(value["month"]?.whole ?? 0),
            day: Int(value["day"]?.whole ?? 0)
        )
        guard (0...9999).contains(date.year), (0...12).contains(date.month), (0...31).contains(date.day),
            date.year != 0 || date.month != 0, date.month != 0 || date.day == 0
        else { throw Refusal(message: "Invalid date.") }
        return date
    }

    private static func key(_ date: CalendarDate) -> Int { date.year * 10_000 + date.month * 100 + date.day }

    /// Whether an item belongs to the answer; days are days in UTC.
    func admits(_ item: LibraryItem) -> Bool {
        if isNothing || (kind.map { $0 != item.kind } ?? false) { return false }
        if days.isEmpty { return true }
        guard item.hasCaptureTime else { return false }
        let date = item.creation.date
        return days.contains { days in
            switch days {
            case .day(let wanted): Self.key(Self.reduced(date, like: wanted)) == Self.key(wanted)
            case .range(let first, let last):
                (Self.key(first)...Self.key(last)).contains(Self.key(Self.reduced(date, like: first)))
            }
        }
    }

    /// A date with zeros where the pattern has them.
    private static func reduced(_ date: CalendarDate, like pattern: CalendarDate) -> CalendarDate {
        CalendarDate(
            year: pattern.year == 0 ? 0 : date.year,
            month: pattern.month == 0 ? 0 : date.month,
            day: pattern.day == 0 ? 0 : date.day
        )
    }
}
