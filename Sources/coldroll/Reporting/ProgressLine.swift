import Logging

/// What a line of progress says, as words for a terminal and as fields for a log, which `docs/status.md` lists.
struct ProgressLine: Sendable, Equatable {
    /// Most important first: what does not fit is left out from the end.
    let words: [String]
    let fields: [String: LogValue]

    init(_ scan: ScanProgress) {
        words = [
            "scanning", Quantity.counted(scan.seen, "item"), "\(Quantity.grouped(scan.new)) new",
            Quantity.counted(scan.pages, "page"),
        ]
        fields = [
            "pages": .integer(scan.pages), "items_seen": .integer(scan.seen), "items_new": .integer(scan.new),
        ]
    }

    /// - Parameters:
    ///   - work: how far it is.
    ///   - meter: what it knows of the speed.
    ///   - awaitsPick: whether a person is to pick before there is more to do.
    init(_ work: WorkerProgress, _ meter: RateMeter, awaitsPick: Bool = false) {
        // Earlier picks may still be fetched meanwhile.
        let standstill = work.standstill ?? (awaitsPick && work.live == 0 ? "waits for you to pick" : nil)
        // The sums of all hosts are seconds old: what this process has stored meanwhile is known to be done.
        let done = min(work.total, max(work.total - work.live, work.stored))
        // Before a scan's first page, and until the sums were asked for, nothing is known to be done or not.
        var words = [
            work.total == 0
                ? "starting" : "\(Quantity.grouped(done))/\(Quantity.grouped(work.total)) parts done"
        ]
        var fields: [String: LogValue] = [
            "parts_done": .integer(done), "parts_found": .integer(work.total),
            "parts_left": .integer(work.total - done),
            "parts_stored_here": .integer(work.stored), "bytes_stored_here": .integer(work.storedBytes),
            "parts_failed_here": .integer(work.failed),
        ]
        if let speed = meter.bytesPerSecond {
            words.append(Quantity.rate(bytesPerSecond: speed))
            fields["bytes_per_second"] = .integer(Int64(speed.rounded()))
        }
        if let standstill {
            // Speed and time left are those of before it.
            words = work.total == 0 ? [standstill] : [words[0], standstill]
            fields["waits"] = .string(standstill)
        } else if let held = work.held {
            words.append("no ETA: \(held)")
            fields["waits"] = .string(held)
        } else if let left = meter.secondsLeft(for: work.live), work.live > 0 {
            words.append("ETA \(Quantity.duration(left))")
            fields["eta_seconds"] = .integer(Int64(left.rounded()))
        }
        if work.failed > 0 { words.append("\(Quantity.grouped(work.failed)) failed") }
        words.append("\(Quantity.bytes(work.storedBytes)) stored here")
        self.words = words
        self.fields = fields
    }

    /// The words in at most so many columns; the first is cut if even it does not fit.
    func text(columns: Int) -> String {
        var line = words[0]
        for word in words.dropFirst() {
            guard line.count + 3 + word.count <= columns else { break }
            line += " · " + word
        }
        return String(line.prefix(max(0, columns)))
    }
}
