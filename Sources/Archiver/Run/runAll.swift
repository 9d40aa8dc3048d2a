import CloudStorage
package import JobQueue
import Logging

/// How a run ended.
package struct RunSummary: Sendable {
    /// Number of the run in the ledger.
    package let number: Int64
    /// nil where another process was scanning the source, and this run joined it.
    package var scan: ScanSummary?
    package var work: WorkSummary
    /// Sums of the source at the end.
    package let totals: Totals
    /// How its listing stands at the end.
    package let standing: ScanStanding?
    /// Entries of what was picked in this run that have no id; 0 for a library, which the next scan lists again.
    ///
    /// A clean pick elsewhere settles them for the ledger, and whoever picked here was not told.
    package var unreadPicks: Int64 { standing?.source == PickerSource.kind ? scan?.unreadable ?? 0 : 0 }
    /// Whether its listing still went on when it was asked for the last time, or could not be asked: there may be more.
    package var mayHaveMore = false
    /// Bytes that this run stored.
    package var uploadedBytes: Int64 { work.progress.storedBytes }
}

/// Scan, and work at the same time until the jobs are gone, then the record of it: what the seed's monthly function did.
///
/// - Parameters:
///   - context: connections and stores.
///   - options: of the worker; `drain` is implied.
///   - since: first capture day of a partial run; nil is open.
///   - until: last capture day of a partial run.
///   - order: which of the parts found are fetched first.
///   - acceptsGaps: the owner takes a full scan with what it misses and could not read.
///   - stop: as for `runWorker`.
///   - forecast: once, before the first page of a full listing of a source that is known.
///   - scanned: after each page.
///   - progress: about twice a second.
/// - Returns: the sums; the caller turns dead parts, jobs left and a doubtful listing into an exit code.
/// - Throws: what `runScan` and `runWorker` throw.
package func runAll(
    _ context: ArchiveContext,
    options: WorkerOptions,
    since: String?,
    until: String?,
    order: WorkOrder = .newest,
    acceptsGaps: Bool = false,
    stop: StopSignal,
    forecast: @escaping @Sendable (ScanForecast) -> Void = { _ in },
    scanned: @escaping @Sendable (ScanProgress) -> Void,
    progress: @escaping @Sendable (WorkerProgress) -> Void
) async throws -> RunSummary {
    try await Marker.check(context)
    let scan = Scan(
        context: context,
        source: try await context.source(),
        since: since,
        until: until,
        order: order,
        acceptsGaps: acceptsGaps,
        maxWait: options.maxWait,
        endsBy: options.endsBy,
        stop: stop,
        forecast: forecast,
        progress: scanned
    )
    return try await runAll(scan, options: options, progress: progress)
}

/// The same for a scan that is made, but not begun; the marker is checked already.
func runAll(
    _ scan: Scan,
    options: WorkerOptions,
    progress: @escaping @Sendable (WorkerProgress) -> Void
) async throws -> RunSummary {
    let (context, source) = (scan.context, scan.source)
    let (number, _) = try await context.ledger.beginRun(source: source, host: context.host)
    do {
        let summary = try await listAndWork(scan, number, options, progress)
        try await context.ledger.finishRun(
            number,
            outcome: outcome(of: summary),
            totals: summary.totals,
            unreadable: max(summary.standing?.unreadable ?? 0, summary.unreadPicks),
            scan: summary.scan.flatMap { $0.isFull && !$0.goesOn ? $0.id : nil }
        )
        try await Marker.leave(context, unlessIn: scan.stop) {
            guard let scan = summary.scan, scan.isFull, outcome(of: summary) == "complete" else { return }
            try await writeExecutionDate(scan.startedAt, context.state)
        }
        // Last, since it takes half a minute for ten million. The run is recorded from counted sums; those that status
        // reads are put right if they need it.
        for error in (try? await context.queue.recount()) ?? [] {
            context.logger.log(
                .warning,
                "corrected a sum that was kept wrong",
                ["place": .string(error.place), "kept": .integer(error.tallied), "counted": .integer(error.counted)]
            )
        }
        return summary
    } catch {
        // What went wrong is thrown below; the record of the run is a courtesy that must not hide it.
        if let totals = try? await context.queue.totals(sources: [source]) {
            let code = (error as? ArchiverError)?.code
            let isUnfinished = code == .outOfTime || code == .notPicked || code == .interrupted
            let outcome = isUnfinished ? "unfinished" : "failed"
            try? await context.ledger.finishRun(number, outcome: outcome, totals: totals, unreadable: nil)
        }
        // What was stored before it failed must not be forgotten by a restored backup either.
        try? await Marker.leave(context)
        throw error
    }
}

/// Words of the run's row.
private func outcome(of summary: RunSummary) -> String {
    if summary.totals.live > 0 || summary.mayHaveMore { return "unfinished" }
    guard let standing = summary.standing, standing.unreadable + summary.unreadPicks == 0, summary.totals.dead == 0,
        summary.totals.unaccounted == 0
    else { return "incomplete" }
    guard let unsettled = standing.unsettled else { return "complete" }
    // Another scan that is going on, was broken off or failed: there may be more.
    return unsettled.state == "suspicious" ? "incomplete" : "unfinished"
}

/// How often a run lists at most, where the listing turns out to go on behind its end.
private let mostListings = 3

/// Lists the source and works, again while the listing turns out to go on behind its end.
private func listAndWork(
    _ scan: Scan,
    _ number: Int64,
    _ options: WorkerOptions,
    _ progress: @escaping @Sendable (WorkerProgress) -> Void
) async throws -> RunSummary {
    let (context, source) = (scan.context, scan.source)
    var scan = scan
    var pass = try await RunPass(scan, options, isFirst: true, progress)
    var listings = 1
    while pass.mayHaveMore, !pass.isOver, listings < mostListings {
        context.logger.log(
            .warning,
            "the listing goes on where it seemed to end, or Google has forgotten its last page: listing again"
        )
        // The owner's word is for what he was told of before this run, and not by it.
        scan.acceptsGaps = scan.acceptsGaps && pass.isWithoutDoubt
        let next = try await RunPass(scan, options, isFirst: false, progress)
        pass = pass.followed(by: next, isPicked: context.picker != nil)
        listings += 1
    }
    return RunSummary(
        number: number,
        scan: pass.scan,
        work: pass.work,
        totals: try await context.queue.totals(sources: [source]),
        standing: try await context.ledger.standings(sources: [source]).first,
        mayHaveMore: pass.mayHaveMore
    )
}

/// Writes the seed's `execution/last_execution_date.txt`: seconds, UTC, one line.
private func writeExecutionDate(_ startedAt: String, _ state: any ObjectStore) async throws {
    let seconds = startedAt.prefix(19).replacing(" ", with: "T") + "Z"
    _ = try await state.replace(
        "execution/last_execution_date.txt",
        with: Array("\(seconds)\n".utf8),
        contentType: "text/plain",
        ifGeneration: nil
    )
}
