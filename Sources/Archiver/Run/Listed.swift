import JobQueue
import Logging

/// How a run came by its listing.
enum Listed {
    /// It has listed by itself.
    case own(ScanSummary)
    /// Another process ended the scan that it waited for.
    case joined(ScanState)
    /// It goes on with what was picked before.
    case pickedBefore

    var summary: ScanSummary? {
        guard case .own(let summary) = self else { return nil }
        return summary
    }
}

extension Listed {
    /// Scans, or waits for the process that does; takes its scan over should it vanish.
    ///
    /// A scan of a part of the library is waited for and then followed by one of its own.
    ///
    /// - Throws: what `Scan.run` throws; `.outOfTime` if another process is still at it after the longest wait.
    init(byScanningOrJoining scan: Scan) async throws {
        var joined: Int64?
        var busy = ""
        let deadline = scan.deadline()
        while true {
            if let other = joined, let newest = try await scan.context.ledger.newestScan(source: scan.source),
                newest.id >= other, let outcome = newest.outcome, newest.covers(since: scan.since, until: scan.until)
            {
                if outcome == "failed" {
                    let reason = newest.reason ?? "The scan that this run joined failed."
                    throw ArchiverError(code: .nothingFound, message: reason)
                }
                // A suspicious one came to the end of the listing: what it found is to be stored, and the end says the rest.
                scan.context.logger.log(.info, "the scan that this run joined has ended", ["scan": .integer(newest.id)])
                self = .joined(newest)
                return
            }
            do {
                self = .own(try await scan.run())
                return
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
}
