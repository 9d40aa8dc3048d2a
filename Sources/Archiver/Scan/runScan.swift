package import JobQueue

/// One full pass over the source, or a partial one by capture day, or as many picking sessions as the person wants.
///
/// Goes on with one that was broken off.
///
/// - Parameters:
///   - context: connections and stores.
///   - since: first capture day, `yyyy-mm-dd`; nil is open.
///   - until: last capture day.
///   - order: which of the parts found are fetched first.
///   - acceptsGaps: the owner takes a full scan with what it misses and could not read.
///   - stop: ends the scan after the page in hand.
///   - forecast: once, before the first page of a full listing of a source that is known.
///   - progress: after each page.
/// - Returns: sums of the pass; one that saw too little to be believed has a doubt.
/// - Throws: `LedgerError`, `PhotosError`, `PostgresError`, `StorageError`, `ArchiverError`.
package func runScan(
    _ context: ArchiveContext,
    since: String?,
    until: String?,
    order: WorkOrder = .newest,
    acceptsGaps: Bool = false,
    stop: StopSignal,
    forecast: @escaping @Sendable (ScanForecast) -> Void = { _ in },
    progress: @escaping @Sendable (ScanProgress) -> Void
) async throws -> ScanSummary {
    try await Marker.check(context)
    let source = try await context.source()
    let scan = Scan(
        context: context,
        source: source,
        since: since,
        until: until,
        order: order,
        acceptsGaps: acceptsGaps,
        stop: stop,
        forecast: forecast,
        progress: progress
    )
    var summary = try await scan.run()
    while summary.unreadable == 0, await scan.wantsMore() { summary = summary.followed(by: try await scan.run()) }
    return summary
}
