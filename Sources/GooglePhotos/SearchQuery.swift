import Foundation

/// The body of `mediaItems:search` for a range of capture days (Library API: mediaItems.search).
struct SearchQuery {
    let first: CivilDay
    let last: CivilDay
    let pageToken: String?

    var isForward: Bool { first.daysSinceEpoch <= last.daysSinceEpoch }

    /// A date filter may be combined with `includeArchivedMedia` and ordered by creation time, with nothing else.
    var json: [UInt8] {
        let body = Body(
            pageSize: APICall.pageSize,
            pageToken: pageToken,
            orderBy: "MediaMetadata.creation_time",
            filters: Body.Filters(
                includeArchivedMedia: true,
                dateFilter: Body.DateFilter(ranges: [
                    Body.Range(startDate: Body.Day(first), endDate: Body.Day(last))
                ])
            )
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(body) else { preconditionFailure("whole numbers and strings are JSON") }
        return [UInt8](data)
    }

    private struct Body: Encodable {
        struct Day: Encodable {
            let year: Int, month: Int, day: Int

            init(_ day: CivilDay) {
                year = day.year
                month = day.month
                self.day = day.day
            }
        }
        struct Range: Encodable { let startDate: Day, endDate: Day }
        struct DateFilter: Encodable { let ranges: [Range] }
        struct Filters: Encodable { let includeArchivedMedia: Bool, dateFilter: DateFilter }

        let pageSize: Int
        let pageToken: String?
        let orderBy: String
        let filters: Filters
    }
}
