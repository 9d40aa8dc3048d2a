import Foundation
import JobQueue

extension StatusReport {
    /// For a person; every line ends with a newline.
    var text: String {
        var lines = [sumLine, whereLine]
        if parts.unaccounted != 0 {
            lines.append("UNACCOUNTED: \(Quantity.grouped(parts.unaccounted)); see coldroll.balance by 'coldroll psql'")
        }
        for correction in corrected ?? [] { lines.append(correction.text) }
        for scan in scans { lines.append(scan.text) }
        if let listing = verdict.listing { lines.append("LISTING: \(harmless(listing))") }
        if let comparison = verdict.comparison { lines.append("COMPARISON: \(comparison)") }
        for login in logins { lines.append(login.text) }
        lines.append(rateLine)
        for outage in outages { lines.append(outage.text) }
        for quota in quotas { lines.append(quota.text) }
        for lane in lanes { lines.append(lane.text) }
        if workers.isEmpty { lines.append("workers   none") }
        for worker in workers { lines.append(worker.text) }
        for oldest in oldest { lines.append(oldest.text) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One JSON object on one line.
    var json: String { encoded(self) }

    private var sumLine: String {
        "stored    \(Quantity.grouped(parts.stored)) = \(Quantity.counted(parts.originals, "original")) + "
            + "\(Quantity.counted(parts.renditions, "Google rendition")), \(Quantity.bytes(parts.storedBytes))"
    }

    private var whereLine: String {
        let places: [(Int64, String)] = [
            (parts.stored, "stored"), (parts.duplicate, "duplicate"), (parts.skipped, "skipped"), (parts.dead, "dead"),
            (parts.ready, "ready"), (parts.scheduled, "scheduled"), (parts.running, "running"),
        ]
        let words = places.filter { $0.0 > 0 }.map { "\(Quantity.grouped($0.0)) \($0.1)" }
        var line = "found     \(Quantity.grouped(parts.found))"
        if !words.isEmpty { line += " = " + words.joined(separator: " + ") }
        if let due = parts.nextDueSeconds { line += "; next scheduled part due in \(Quantity.duration(max(0, due)))" }
        if parts.dead > 0 { line += "; 'coldroll failures' tells why parts are dead" }
        return line
    }

    private var rateLine: String {
        var line = "rate      \(Quantity.rate(perSecond: rate.partsPerSecond)), "
        line += Quantity.rate(bytesPerSecond: rate.bytesPerSecond)
        if let eta = rate.etaSeconds { line += ", ETA \(Quantity.duration(eta))" }
        if let noEta = rate.noEta { line += ", no ETA: \(noEta)" }
        return line
    }
}

extension StatusReport.Login {
    /// `login     library default: good until 2026-12-03, for 6 d 23 h more; logged in 1 h ago`.
    fileprivate var text: String {
        let head = "login     \(source) \(harmless(account)): "
        if let reason { return head + "REFUSED (\(harmless(reason)))" }
        let ago = "logged in \(Quantity.duration(max(0, secondsSinceLogin))) ago"
        guard let endsInSeconds, let endDate else { return head + "good, \(ago)" }
        if endsInSeconds < 0 { return head + "over since \(endDate); run 'coldroll login'" }
        return head + "good until \(endDate), for \(Quantity.duration(endsInSeconds)) more; \(ago)"
    }
}

extension StatusReport.Outage {
    fileprivate var text: String {
        let what =
            switch service {
            case "library":
                OpenBreaker.pickerProject(place).map { "the Picker API of project \(harmless($0))" }
                    ?? "the Library API of project \(harmless(place))"
            case "media": "Google's media service"
            default: "the archive \(harmless(place))"
            }
        // One that is due stays so while nobody works.
        let next = Quantity.duration(max(0, nextProbeSeconds)) + (nextProbeSeconds > 0 ? "" : ", once a process works")
        return
            "outage    \(what) has been away for \(Quantity.duration(max(0, seconds))); next try in \(next) (\(harmless(reason)))"
    }
}

extension StatusReport.Quota {
    fileprivate var text: String {
        let what = kind == "api" ? "API" : "media"
        var line =
            "quota     \(Quantity.grouped(used)) of \(Quantity.grouped(limit)) \(what) requests of project "
            + "\(harmless(project)) used today"
        if isRefused { line += ", Google gives no more" }
        line += "; anew in \(Quantity.duration(max(0, resetsInSeconds)))"
        if let finishDate { line += "; done by \(finishDate)" }
        return line
    }
}

extension StatusReport.Correction {
    fileprivate var text: String {
        "corrected \(place) parts of \(harmless(source ?? "no known source")): the sum that is kept said "
            + "\(Quantity.grouped(kept)), there are \(Quantity.grouped(counted))"
    }
}

extension StatusReport.Scan {
    /// `scan      library ada: complete, full, ended 2 h 05 min ago; 12 pages, 1,200 items listed, 3 new`.
    fileprivate var text: String {
        var line = "scan      \(source) \(harmless(account)): \(state)"
        guard state != "none" else { return line }
        let isPicked = source == "picker"
        if waitsForPick { line += ", waits for you to pick" }
        line += isPicked ? "" : isFull ? ", full" : ", \(since ?? "…") to \(until ?? "…") only"
        if let seconds = secondsSinceEnd {
            line += ", ended \(Quantity.duration(max(0, seconds))) ago"
        } else if let seconds = secondsSinceStart {
            line += ", begun \(Quantity.duration(max(0, seconds))) ago"
        }
        line +=
            "; \(Quantity.counted(pages, "page")), \(Quantity.counted(seen, "item")) listed, \(Quantity.grouped(new)) new"
        if let missing, missing > 0 { line += ", \(Quantity.grouped(missing)) missing" }
        if emptyPages > 0 { line += ", \(Quantity.counted(emptyPages, "page")) without an item" }
        if unreadable > 0 { line += ", \(Quantity.grouped(unreadable)) without an id" }
        guard !isPicked, state != "complete" || !isFull else { return line }
        guard let seconds = secondsSinceFull else { return line + "; no full scan is complete yet" }
        return line + "; last complete full scan \(Quantity.duration(max(0, seconds))) ago"
    }

    private var isFull: Bool { since == nil && until == nil }
}

extension StatusReport.Lane {
    fileprivate var text: String {
        var line = "lane \(lane)    \(source) \(harmless(account)) \(kind): "
        switch state {
        // The reason says what paused it, and of a login what to do.
        case "paused":
            line += reason.map(harmless) ?? state
            if opensByHand { line += " \(until)" }
        case "parked": line += "parked \(until)" + (reason.map { " (\(harmless($0)))" } ?? "")
        default: line += state
        }
        return live > 0 ? line + "; \(Quantity.counted(live, "part")) in it" : line
    }
}

extension StatusReport.Worker {
    fileprivate var text: String {
        let most = slots > 0 ? "of \(slots)" : "(auto)"
        return "worker    \(harmless(host)) process \(processID): \(busy) \(most) slots busy, "
            + "\(Quantity.counted(jobs, "job")), last beat \(Quantity.duration(max(0, secondsSinceBeat))) ago"
    }
}

extension StatusReport.Oldest {
    fileprivate var text: String {
        "oldest    \(state): part \(part), \(harmless(object)), \(Quantity.duration(max(0, seconds)))"
    }
}

/// The value as one line of JSON with keys in snake case and in alphabetical order.
func encoded(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "infinity",
        negativeInfinity: "-infinity",
        nan: "nan"
    )
    guard let data = try? encoder.encode(value) else {
        preconditionFailure("a report of numbers and texts can always be written as JSON")
    }
    return String(decoding: data, as: UTF8.self)
}
