package import JobQueue

/// One full pass over the source, or a partial one by capture day; goes on with a broken one.
///
/// - Parameters:
///   - context: connections and stores.
///   - since: first capture day, `yyyy-mm-dd`; nil is open.
///   - until: last capture day.
///   - order: which of the parts found are fetched first.
///   - stop: ends the scan after the page in hand.
///   - progress: after each page.
/// - Returns: sums of the pass.
/// - Throws: `LedgerError`, `PhotosError`, `PostgresError`, `StorageError`, `ArchiverError`.
package func runScan(
    _ context: ArchiveContext,
    since: String?,
    until: String?,
    order: WorkOrder = .newest,
    stop: StopSignal,
    progress: @escaping @Sendable (ScanProgress) -> Void
) async throws -> ScanSummary {
    try await Marker.check(context)
    let source = try await context.source()
    return try await Scan(
        context: context,
        source: source,
        since: since,
        until: until,
        order: order,
        stop: stop,
        progress: progress
    ).run()
}
