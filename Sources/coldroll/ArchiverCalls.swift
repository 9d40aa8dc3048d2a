import Archiver
import JobQueue

/// Where the commands meet the archiver.
enum ArchiverCalls {
    /// One pass over the source.
    static func scan(
        _ archive: Archive,
        _ pass: Pass,
        stop: StopSignal,
        reporter: Reporter
    ) async throws -> Ending {
        let summary = try await following(stop) { signal in
            try await runScan(
                archive.context,
                since: pass.range.since?.text,
                until: pass.range.until?.text,
                order: pass.order,
                acceptsGaps: pass.acceptsGaps,
                stop: signal,
                forecast: { reporter.say(sentence($0)) },
                progress: { reporter.progress(ScanProgress($0)) }
            )
        }
        let standing = try await Standing(archive.database, sources: [archive.source])
        let accepted = try await accepted(summary, archive)
        let told = [sentence(summary, accepted, isPicked: archive.isPicker), standing.sentence].compactMap(
            \.self
        )
        .joined(
            separator: " "
        )
        // What an older full scan left open is told, but a scan of a part answers for itself only.
        let status = summary.isFull || archive.isPicker || standing.unreadable > 0 ? standing.status : .done
        return Ending(status, told)
    }

    /// Works until stopped, or as long as the options say.
    static func work(
        _ archive: Archive,
        _ options: WorkOptions,
        stop: StopSignal,
        reporter: Reporter
    ) async throws -> Ending {
        let summary = try await following(stop) { signal in
            try await telling(archive, reporter) { report in
                try await runWorker(archive.context, options: options.worker, stop: signal, progress: report)
            }
        }
        let verdict = try await Verdict(archive, interrupted: stop.isRequested)
        guard options.drain || stop.isRequested else { return verdict.ending }
        return Ending(verdict.status, "\(done(summary)) \(verdict.sentence)")
    }

    /// Scan, work until nothing is left, record.
    ///
    /// - Parameters:
    ///   - archive: opened.
    ///   - pass: what is listed.
    ///   - options: of the worker.
    ///   - timed: gets every try of a part that stored it or failed, with its time; called from any thread.
    ///   - stop: asks for the end.
    ///   - reporter: shows how far it is.
    /// - Returns: how it ended, and the run's number in the ledger.
    /// - Throws: what `runAll` throws, `PostgresError`.
    static func run(
        _ archive: Archive,
        _ pass: Pass,
        _ options: WorkOptions,
        timed: (@Sendable (PartTime) -> Void)? = nil,
        stop: StopSignal,
        reporter: Reporter
    ) async throws -> (ending: Ending, number: Int64) {
        var worker = options.worker
        worker.timed = timed
        let summary = try await following(stop) { signal in
            try await telling(archive, reporter) { [worker] report in
                try await runAll(
                    archive.context,
                    options: worker,
                    since: pass.range.since?.text,
                    until: pass.range.until?.text,
                    order: pass.order,
                    acceptsGaps: pass.acceptsGaps,
                    stop: signal,
                    forecast: { reporter.say(sentence($0)) },
                    scanned: { reporter.progress(ScanProgress($0)) },
                    progress: report
                )
            }
        }
        let verdict = try await Verdict(archive, interrupted: stop.isRequested)
        let accepted = try await accepted(summary.scan, archive)
        let scan =
            summary.scan.map { sentence($0, accepted, isPicked: archive.isPicker) }
            ?? (archive.isPicker
                ? "Nothing was picked in this run."
                : "Another process scanned; this run joined it, and as a rule does not count as having listed all: what was uploaded "
                    + "since that scan began may be listed by the next one only."
                    + sentence(ofEmptyPages: summary.standing?.newest?.emptyPages ?? 0))
        let words = "\(scan) \(done(summary.work)) \(verdict.sentence)"
        // A clean pick elsewhere settles what this one had without an id, and whoever picked there was not told.
        if verdict.status == .done, summary.unreadPicks > 0 {
            let own = Standing.sentence(ofUnreadable: summary.unreadPicks, isPicked: true)
            return (Ending(.dead, words + " But: " + own), summary.number)
        }
        // Where the ledger knows that there is more it says so itself.
        if summary.mayHaveMore, !verdict.standing.scans.contains(where: { $0.unsettled?.state == "failed" }) {
            let more =
                stop.isRequested || summary.work.isOutOfTime
                ? " But the run ended before Google was asked once more whether the listing was at its end: run it again."
                : " But the listing goes on each time where it seemed to end, or Google could not be asked whether it does: run it "
                    + "again."
            return (Ending(verdict.status == .done ? .unfinished : verdict.status, words + more), summary.number)
        }
        return (Ending(verdict.status, words), summary.number)
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

    /// Adds to a worker's own progress what the whole queue still holds, asked for every two seconds, or less
    /// often where the database is slow to answer; and warns once of each lane that a person has closed and a person must open.
    private static func telling<R: Sendable>(
        _ archive: Archive,
        _ reporter: Reporter,
        _ body: (@escaping @Sendable (Archiver.WorkerProgress) -> Void) async throws -> R
    ) async throws -> R {
        let sums = LatestSums()
        let watch = Task {
            var told: Set<Int64> = []
            while !Task.isCancelled {
                let asked = ContinuousClock.now
                // A sum that cannot be had is left out of the line; the work itself reports the database's absence.
                if let news = try? await QueueSums(archive) {
                    sums.set(news)
                    for wait in news.waits {
                        guard let lane = wait.paused, told.insert(lane).inserted else { continue }
                        reporter.warn(wait.sentence)
                    }
                }
                // An empty ledger costs nothing to ask, and is the one whose first sums are waited for.
                let isEmpty = sums.value.totals.found == 0
                let pause = isEmpty ? .milliseconds(250) : Pacing.pause(after: asked.duration(to: .now))
                try? await Task.sleep(for: pause)
            }
        }
        defer { watch.cancel() }
        return try await body { own in reporter.progress(WorkerProgress(own, sums.value)) }
    }

    /// Some of the entries without an id that the owner has just accepted.
    private static func accepted(_ scan: ScanSummary?, _ archive: Archive) async throws -> [Gap] {
        guard let scan, scan.isAccepted, scan.unreadable > 0 else { return [] }
        return try await archive.database.ledger.acceptedGaps(source: archive.source)
    }

    private static func sentence(_ scan: ScanSummary, _ accepted: [Gap], isPicked: Bool) -> String {
        var text =
            isPicked
            ? "You picked \(Quantity.counted(scan.items, "item")): "
            : "Scanned \(Quantity.counted(scan.pages, "page")): \(Quantity.counted(scan.items, "item")) listed, "
        text += "\(Quantity.grouped(scan.new)) new."
        if !scan.isFull, !isPicked { text += " This was a part of the library only." }
        if scan.goesOn {
            text +=
                " It went on with a scan that had been broken off: what was uploaded since that began may be listed by "
            text += "the next one only, so that this one does not count as having listed all."
        }
        text += sentence(ofEmptyPages: Int64(scan.emptyPages))
        if scan.forgottenPages > 0 {
            text += " Of these \(scan.forgottenPages) could not be asked for again, since Google had forgotten "
            text += "\(scan.forgottenPages == 1 ? "its" : "their") place."
        }
        if scan.missing > 0, scan.doubt == nil {
            let items = Quantity.counted(scan.missing, "item")
            text += " \(items) of those known before \(scan.missing == 1 ? "is" : "are") not listed any more"
            // An entry that lost its id may be one of them.
            text += scan.unreadable > 0 ? "; " : ", deleted from Google Photos it seems; "
            text += "what is stored of them stays (coldroll.missing by 'coldroll psql')."
        }
        if scan.returned > 0 {
            text += " \(Quantity.counted(scan.returned, "item")) that an earlier scan did not see"
            text += " \(scan.returned == 1 ? "is" : "are") listed again."
        }
        // What is not acknowledged the listing's standing tells.
        if scan.isAccepted, scan.unreadable > 0 {
            text +=
                " You accepted \(Quantity.counted(scan.unreadable, "entry", "entries")) without an id, nothing of which is "
            text +=
                "stored ('coldroll psql --query acknowledged').\(Standing.names(accepted, of: scan.unreadable)) Any other "
            text += "one is told again."
        }
        return text
    }

    /// That pages came empty each time, with a blank before it; empty if there are none.
    private static func sentence(ofEmptyPages count: Int64) -> String {
        guard count > 0 else { return "" }
        return
            " \(Quantity.counted(count, "page")) came without any item, also when asked for again: Google may answer so, and nobody "
            + "else can tell whether something was left out: compare the number of items with what you expect."
    }

    /// What a listing will cost of the quota that all of a project's programs share.
    private static func sentence(_ forecast: ScanForecast) -> String {
        let known = "The ledger expects \(Quantity.counted(forecast.items, "item"))"
        let seen =
            forecast.listed > 0 ? ", \(Quantity.grouped(forecast.listed)) of them listed by the scan that goes on" : ""
        return "\(known)\(seen): to list them takes about \(Quantity.counted(forecast.requests, "request")) of the "
            + "\(Quantity.grouped(ScanForecast.requestsPerDay)) a day that Google allows a project."
    }

    private static func done(_ work: WorkSummary) -> String {
        let progress = work.progress
        var text =
            "Stored \(Quantity.counted(Int64(progress.stored), "part")) (\(Quantity.bytes(progress.storedBytes)))"
        if progress.confirmed > 0 {
            text +=
                " and found \(Quantity.counted(Int64(progress.confirmed), "part")) of the same bytes as another to be right"
        }
        if progress.failures > 0 {
            text += " with \(Quantity.counted(Int64(progress.failures), "failed try", "failed tries"))"
        }
        text += " here."
        if work.isOutOfTime, work.left > 0 { text += " It ended before the rest was done, by --max-wait." }
        return text
    }
}
