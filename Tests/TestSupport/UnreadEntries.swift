package import JobQueue

extension Ledger {
    /// A page with so many entries without an id of which nothing is known.
    @discardableResult
    package func record(
        _ scan: ScanTicket,
        _ items: [FoundItem],
        unreadable: Int,
        nextPageToken: String?,
        page: Int64 = .random(in: 1...Int64.max),
        order: WorkOrder = .newest,
        picked: PickPlace? = nil
    ) async throws -> PageCounts {
        try await record(
            scan,
            items,
            unreadable: Array(repeating: UnreadEntry(identity: ""), count: unreadable),
            nextPageToken: nextPageToken,
            page: page,
            order: order,
            picked: picked
        )
    }
}
