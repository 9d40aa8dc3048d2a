import Archiver
import JobQueue

/// Where the commands meet the archiver.
enum ArchiverCalls {
    /// One pass over the source.
    static func scan(
        _ archive: Archive,
        since: Day?,
        until: Day?,
        order: WorkOrder,
        stop: StopSignal,
        progress: @escaping @Sendable (ScanProgress) -> Void
    ) async throws -> Ending {
        let summary = try await following(stop) { signal in
            try await runScan(
                archive.context,
                since: since?.text,
                until: until?.text,
                order: order,
                stop: signal,
                progress: { progress(ScanProgress($0)) }
            )
        }
        return Ending(.done, sentence(summary))
    }

    /// Works until stopped, or as long as the options say.
    static func work(
        _ archive: Archive,
        _ options: WorkOptions,
        stop: StopSignal,
        progress: @escaping @Sendable (WorkerProgress) -> Void
    ) async throws -> Ending {
        let summary = try await following(stop) { signal in
            try await telling(archive, progress) { report in
                try await runWorker(archive.context, options: options.worker, stop: signal, progress: report)
            }
        }
        let verdict = try await Verdict(
            archive.database.queue,
            sources: [archive.source],
            interrupted: stop.isRequested
        )
        guard options.drain || stop.isRequested else { return verdict.ending }
        // What was never listed is in no sum: a drain after a broken scan has not archived the library.
        if verdict.status == .done, let scan = try await archive.database.ledger.newestScan(source: archive.source),
            scan.outcome != "complete"
        {
            let reason = scan.reason.map { " (\($0))" } ?? ""
            return Ending(
                .unfinished,
                "\(done(summary.progress)) \(verdict.sentence) But the last scan did not end well\(reason), so there may be "
                    + "more in the library: run 'coldroll scan' or 'coldroll run'."
            )
        }
        return Ending(verdict.status, "\(done(summary.progress)) \(verdict.sentence)")
    }

    /// Scan, work until nothing is left, record.
    static func run(
        _ archive: Archive,
        since: Day?,
        until: Day?,
        order: WorkOrder,
        _ options: WorkOptions,
        stop: StopSignal,
        scanProgress: @escaping @Sendable (ScanProgress) -> Void,
        workProgress: @escaping @Sendable (WorkerProgress) -> Void
    ) async throws -> Ending {
        let summary = try await following(stop) { signal in
            try await telling(archive, workProgress) { report in
                try await runAll(
                    archive.context,
                    options: options.worker,
                    since: since?.text,
                    until: until?.text,
                    order: order,
                    stop: signal,
                    scanned: { scanProgress(ScanProgress($0)) },
                    progress: report
                )
            }
        }
        let verdict = try await Verdict(
            archive.database.queue,
            sources: [archive.source],
            interrupted: stop.isRequested
        )
        let scan = summary.scan.map(sentence) ?? "Another process scanned; this run joined it."
        return Ending(verdict.status, "\(scan) \(done(summary.work.progress)) \(verdict.sentence)")
    }

    /// Hands the process's stop signal on to the archiver while `body` runs.
    private static func following<R: Sendable>(
        _ stop: StopSignal,
        _ body: (Archiver.StopSignal) async throws -> R
    ) async throws -> R {
        let signal = Archiver.StopSignal()
        let watch = Task {
            await stop.wait()
            guard !Task.isCancelled else { return }
            signal.request()
            await stop.waitHard()
            guard !Task.isCancelled else { return }
            signal.request()
        }
        defer { watch.cancel() }
        return try await body(signal)
    }

    /// Adds to a worker's own progress what the whole queue still holds, asked for every two seconds, or less often where the ledger is large.
    private static func telling<R: Sendable>(
        _ archive: Archive,
        _ progress: @escaping @Sendable (WorkerProgress) -> Void,
        _ body: (@escaping @Sendable (Archiver.WorkerProgress) -> Void) async throws -> R
    ) async throws -> R {
        let sums = LatestTotals()
        let watch = Task {
            while !Task.isCancelled {
                let asked = ContinuousClock.now
                // A sum that cannot be had is left out of the line; the work itself reports the database's absence.
                if let totals = try? await archive.database.queue.totals(sources: [archive.source]) {
                    sums.set(totals)
                }
                try? await Task.sleep(for: Pacing.pause(after: asked.duration(to: .now)))
            }
        }
        defer { watch.cancel() }
        return try await body { own in progress(WorkerProgress(own, sums.value)) }
    }

    private static func sentence(_ scan: ScanSummary) -> String {
        var text = "Scanned \(Quantity.counted(scan.pages, "page")): \(Quantity.counted(scan.seen, "item")) listed, "
        text += "\(Quantity.grouped(scan.new)) new."
        if !scan.isFull { text += " This was a part of the library only." }
        if scan.unreadable > 0 {
            text += " \(Quantity.counted(Int64(scan.unreadable), "entry", "entries")) had no id and cannot be fetched."
        }
        return text
    }

    private static func done(_ progress: Archiver.WorkerProgress) -> String {
        var text =
            "Stored \(Quantity.counted(Int64(progress.stored), "part")) (\(Quantity.bytes(progress.storedBytes)))"
        if progress.failures > 0 {
            text += " with \(Quantity.counted(Int64(progress.failures), "failed try", "failed tries"))"
        }
        return text + " here."
    }
}
