import CloudStorage
package import JobQueue
import Logging
import Synchronization

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
        let summary = try await scanAndWork(scan, number, options, progress)
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
    let isListed = summary.standing.map { $0.unreadable + summary.unreadPicks == 0 && $0.unsettled == nil } ?? false
    return summary.totals.dead > 0 || summary.totals.unaccounted != 0 || !isListed ? "incomplete" : "complete"
}

/// How often a run lists at most, where the listing turns out to go on behind its end.
private let allListings = 3

private func scanAndWork(
    _ scanner: Scan,
    _ number: Int64,
    _ options: WorkerOptions,
    _ progress: @escaping @Sendable (WorkerProgress) -> Void,
    listings: Int = allListings
) async throws -> RunSummary {
    let (context, source, stop) = (scanner.context, scanner.source, scanner.stop)
    let feed = Feed()
    var options = options
    options.drain = true
    let worker = Worker(context: context, options: options, sources: [source], stop: stop, isFed: { feed.isOpen })
    // A worker that fails stops the scan: what it would list could not be stored.
    async let worked = worker.run(progress: progress, failed: { stop.requestOnce() })
    var scan: ScanSummary?
    do {
        scan = try await goesOnWithPicks(scanner) ? nil : try await scanOrJoin(scanner)
        // A later session would settle what this one had without an id: the person is told first.
        while let listed = scan, listings == allListings, listed.unreadable == 0, await scanner.wantsMore() {
            scan = listed.followed(by: try await scanner.run())
        }
    } catch let error as ArchiverError where error.code == .notPicked || error.code == .outOfTime {
        // Nobody is to blame: what was listed or picked before is archived first.
        feed.close()
        _ = try await worked
        if error.code == .notPicked { _ = try? await context.settled() }
        throw error
    } catch {
        // What is queued already is given back. If it was the worker that failed first, its error is the reason.
        stop.requestOnce()
        feed.close()
        _ = try await worked
        throw error
    }
    feed.close()
    let listed = ContinuousClock.now
    let work = try await worked
    // Whatever made an answer look like the end may have lasted for a while: the work gave it time to pass.
    var isOver = stop.level != .none || work.isOutOfTime
    var goesOn = isOver ? false : try await context.settled()
    var (id, end) = (scan?.id, scan?.end)
    // Who made it may have died before it asked for its end again, or never does, as 'coldroll scan'.
    if scan == nil, !isOver, let joined = try await scanner.joinedEnd() { (id, end) = (joined.scan, joined.end) }
    if let end, let again = context.items.again(scanner) {
        let isLongAgo = listed.duration(to: .now) > .seconds(5)
        // One that had ended too early once is not believed at once the next time.
        let isOwed = isLongAgo || !end.emptyPages.isEmpty || listings < allListings
        if isOver {
            goesOn = isOwed
        } else if isOwed {
            do {
                if !isLongAgo { try await scanner.sleep(scanner.silence) }
                let sequel = try await scanner.sequel(of: again, to: end)
                goesOn = sequel != .none
                if sequel == .more, context.picker == nil, let id {
                    let reason =
                        "Google's listing had seemed to end, and went on when it was asked again after the work"
                    try await scanner.answered { try await context.ledger.disbelieve(id, reason: reason) }
                }
            } catch let error as ArchiverError where error.code == .interrupted || error.code == .outOfTime {
                // All that was listed is stored by now: the sums are told.
                (isOver, goesOn) = (true, true)
            }
        }
    }
    if goesOn, listings > 1, !isOver {
        context.logger.log(
            .warning,
            "the listing goes on where it seemed to end, or Google has forgotten its last page: listing again"
        )
        var more = try await scanAndWork(scanner, number, options, progress, listings: listings - 1)
        more.work.progress.add(work.progress)
        if let scan {
            // The library was listed whole again; of what was picked a later listing may show less.
            if context.picker == nil { more.scan?.new += scan.new } else { more.scan = scan.listedAgain(by: more.scan) }
        }
        return more
    }
    let totals = try await context.queue.totals(sources: [source])
    let standing = try await context.ledger.standings(sources: [source]).first
    return RunSummary(
        number: number,
        scan: scan,
        work: work,
        totals: totals,
        standing: standing,
        mayHaveMore: goesOn
    )
}

/// Whether there is enough to do without a new picking session: what was picked before waits in the queue, as after a
/// worker's death, and nobody says that he wants to pick more meanwhile.
private func goesOnWithPicks(_ scan: Scan) async throws -> Bool {
    guard scan.context.picker != nil else { return false }
    let isSettled = try await scan.context.ledger.standings(sources: [scan.source]).first?.unsettled == nil
    guard isSettled, try await scan.context.queue.hasLive(sources: [scan.source]) else { return false }
    return await !scan.wantsMore()
}

/// Scans, or waits for the process that does; takes its scan over should it vanish.
///
/// A scan of a part of the library is waited for and then followed by one of its own.
///
/// - Returns: nil where another process ended the scan.
/// - Throws: what `Scan.run` throws; `.outOfTime` if another process is still at it after the longest wait.
func scanOrJoin(_ scan: Scan) async throws -> ScanSummary? {
    var joined: Int64?
    var busy = ""
    let deadline = scan.deadline()
    while true {
        if let other = joined, let newest = try await scan.context.ledger.newestScan(source: scan.source),
            newest.id >= other, let outcome = newest.outcome, newest.covers(since: scan.since, until: scan.until)
        {
            // A suspicious one came to the end of the listing: what it found is to be stored, and the end says the rest.
            if outcome != "failed" { return nil }
            throw ArchiverError(code: .nothingFound, message: newest.reason ?? "The scan that this run joined failed.")
        }
        do {
            return try await scan.run()
        } catch let error as LedgerError where error.code == .scanBusy {
            busy = error.message
            if joined == nil {
                scan.context.logger.log(.info, "this run joins another scan", ["why": .string(error.message)])
                joined = try await scan.context.ledger.newestScan(source: scan.source)?.id
            }
        }
        for _ in 0..<4 {
            try scan.checkStop()
            try scan.check(deadline, busy)
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}

/// Whether a scan may still add jobs.
private final class Feed: Sendable {
    private let state = Mutex(true)
    var isOpen: Bool { state.withLock { $0 } }
    func close() { state.withLock { $0 = false } }
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
