import JobQueue
import Synchronization

/// One listing of a run, and the work until what it found is done.
struct RunPass {
    /// nil where another process was scanning the source, and where what was picked before is gone on with.
    private(set) var scan: ScanSummary?
    private(set) var work: WorkSummary
    /// Whether the listing still went on when it was asked again, or could not be asked: there may be more.
    private(set) var mayHaveMore = false
    /// Whether there is no time left for another pass, or nobody wants one.
    private(set) var isOver: Bool
    /// Whether what it listed, or the scan that it joined, is complete.
    let isWithoutDoubt: Bool

    /// Scans and works at the same time.
    ///
    /// - Parameters:
    ///   - scanner: lists.
    ///   - options: of the worker; `drain` is implied.
    ///   - isFirst: of its run: a person is asked whether he wants to pick more, and the end of a listing is believed where the
    ///     work took less than five seconds longer.
    ///   - progress: about twice a second.
    /// - Throws: what `runScan` and `runWorker` throw.
    init(
        _ scanner: Scan,
        _ options: WorkerOptions,
        isFirst: Bool,
        _ progress: @escaping @Sendable (WorkerProgress) -> Void
    ) async throws {
        let (context, source, stop) = (scanner.context, scanner.source, scanner.stop)
        let feed = Feed()
        var options = options
        options.drain = true
        let worker = Worker(context: context, options: options, sources: [source], stop: stop, isFed: { feed.isOpen })
        // A worker that fails stops the scan: what it would list could not be stored.
        async let worked = worker.run(progress: progress, failed: { stop.requestOnce() })
        var listed: Listed
        do {
            listed = try await goesOnWithPicks(scanner) ? .pickedBefore : try await Listed(byScanningOrJoining: scanner)
            // A later session would settle what this one had without an id: the person is told first.
            while isFirst, let summary = listed.summary, summary.unreadable == 0, await scanner.wantsMore() {
                listed = .own(summary.followed(by: try await scanner.run()))
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
        let end = ContinuousClock.now
        work = try await worked
        scan = listed.summary
        switch listed {
        case .own(let summary): isWithoutDoubt = summary.doubt == nil
        case .joined(let state): isWithoutDoubt = state.outcome == "complete"
        case .pickedBefore: isWithoutDoubt = true
        }
        isOver = stop.level != .none || work.isOutOfTime
        mayHaveMore = isOver ? false : try await context.settled()
        if !mayHaveMore { try await askAgain(scanner, listed, since: end, isFirst: isFirst) }
    }

    /// Asks whether the listing still ends where it had ended: whatever made an answer look like its end may have lasted for a
    /// while, and the work gave it time to pass.
    private mutating func askAgain(
        _ scanner: Scan,
        _ listed: Listed,
        since end: ContinuousClock.Instant,
        isFirst: Bool
    ) async throws {
        var scanner = scanner
        // One that was joined may be of a wider range.
        if case .joined(let other) = listed { (scanner.since, scanner.until) = (other.since, other.until) }
        guard let listing = scanner.context.items.again(scanner) else { return }
        let isLongAgo = end.duration(to: .now) > .seconds(5)
        // One that had ended too early once is not believed at once the next time.
        guard isLongAgo || !isFirst || listed.summary.map({ $0.emptyPages > 0 }) ?? false else { return }
        guard !isOver else {
            mayHaveMore = true
            return
        }
        do {
            if !isLongAgo { try await scanner.sleep(scanner.silence) }
            let id: Int64, end: ListingEnd
            switch listed {
            case .own(let summary): (id, end) = (summary.id, summary.end)
            // Who made it may have died before it asked for its end again, or never does, as 'coldroll scan'.
            case .joined(let other):
                guard let last = try await scanner.end(of: other) else {
                    // Who made it has found more behind its end, and may have died since. A suspicious one tells by itself.
                    mayHaveMore = other.outcome == "complete"
                    return
                }
                (id, end) = (other.id, last)
            case .pickedBefore: return
            }
            let sequel = try await scanner.sequel(of: listing, to: end)
            mayHaveMore = sequel != .none
            if case .more(let reason) = sequel {
                scan?.isAccepted = false
                try await scanner.answered { try await scanner.context.ledger.disbelieve(id, reason: reason) }
            }
        } catch let error as ArchiverError where error.code == .interrupted || error.code == .outOfTime {
            // All that was listed is stored by now: the sums are told.
            (isOver, mayHaveMore) = (true, true)
        }
    }

    /// What this pass and one after it did.
    func followed(by next: RunPass, isPicked: Bool) -> RunPass {
        var both = next
        both.work.progress.add(work.progress)
        guard let scan else { return both }
        // The library was listed whole again; of what was picked a later listing may show less.
        if isPicked { both.scan = scan.listedAgain(by: next.scan) } else { both.scan?.new += scan.new }
        return both
    }
}

/// Whether there is enough to do without a new picking session: what was picked before waits in the queue, as after a
/// worker's death, and nobody says that he wants to pick more meanwhile.
private func goesOnWithPicks(_ scan: Scan) async throws -> Bool {
    guard scan.context.picker != nil else { return false }
    let isSettled = try await scan.context.ledger.standings(sources: [scan.source]).first?.unsettled == nil
    guard isSettled, try await scan.context.queue.hasLive(sources: [scan.source]) else { return false }
    return await !scan.wantsMore()
}

/// Whether a scan may still add jobs.
private final class Feed: Sendable {
    private let state = Mutex(true)
    var isOpen: Bool { state.withLock { $0 } }
    func close() { state.withLock { $0 = false } }
}
