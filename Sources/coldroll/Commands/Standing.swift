import JobQueue

/// What the listings of some sources mean for what a command may say of the library: what was never listed, or listed
/// without an id, is in no sum.
struct Standing: Sendable, Equatable {
    let scans: [ScanStanding]

    /// Entries that nobody can account for weigh most; a listing that is not to be believed is no better.
    ///
    /// One that is open or failed, or that never was, is not finished.
    var status: ExitStatus {
        if unreadable > 0 || scans.contains(where: { $0.unsettled?.state == "suspicious" }) { return .dead }
        return scans.contains { $0.unsettled != nil || $0.newest == nil } ? .unfinished : .done
    }

    /// What a ledger is told that has no source yet: its sums are right, and say nothing of any library.
    static let nothing = "Nothing was ever listed: run 'coldroll scan' or 'coldroll run'."

    /// Entries that were listed without an id and are not acknowledged.
    var unreadable: Int64 { scans.reduce(0) { $0 + $1.unreadable } }

    /// Whether such entries came from a picker alone.
    private var isPicked: Bool { scans.allSatisfy { $0.unreadable == 0 || $0.source == "picker" } }

    /// What keeps the listings from being complete, and what to do; nil if nothing does.
    var sentence: String? {
        var sentences: [String] = []
        if unreadable > 0 {
            let gaps = Array(scans.flatMap(\.gaps).prefix(Self.mostNamed))
            sentences.append(Self.sentence(ofUnreadable: unreadable, named: gaps, isPicked: isPicked))
        }
        if let unkept = sentence(ofUnkept: scans.filter { $0.source != "picker" }.reduce(0) { $0 + $1.unkept }) {
            sentences.append(unkept)
        }
        sentences += scans.compactMap { sentence(of: $0) }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    /// Entries that are named, of all accounts.
    private static let mostNamed = 5

    /// Entries without an id, some of them by name, and what to do.
    static func sentence(ofUnreadable count: Int64, named gaps: [Gap] = [], isPicked: Bool) -> String {
        "Google listed \(Quantity.counted(count, "entry", "entries")) without an id: \(count == 1 ? "it" : "they") may be photos, "
            + "and nothing can fetch or count them.\(names(gaps, of: count)) Run 'coldroll scan' again; if they stay, look for them in "
            + "Google Photos (the scan logs the filenames that Google gave) and save them by hand or by Takeout, then "
            + (isPicked ? "pick anything that comes whole: that settles it." : "'coldroll scan --accept-gaps'.")
    }

    /// Entries by their names, as a sentence behind one that counts them; empty if there are none.
    static func names(_ gaps: [Gap], of count: Int64) -> String {
        guard !gaps.isEmpty else { return "" }
        let names = gaps.map { gap in
            let name = gap.filename.map { "'\(harmless($0))'" } ?? "one without a name"
            return name + (gap.day.map { " of \($0)" } ?? "")
        }
        return
            " \(count > gaps.count ? "Among them" : count == 1 ? "It is" : "They are") \(names.joined(separator: ", "))."
    }

    /// What no acknowledgement is about.
    private func sentence(ofUnkept count: Int64) -> String? {
        guard count > 0 else { return nil }
        return
            "Of \(Quantity.counted(count, "entry", "entries")) of these the ledger keeps nothing, so that they cannot be accepted: a "
            + "coldroll of before listed them, and a full scan of this one ends that; or one scan had more than 1,000 different ones."
    }

    private func sentence(of scan: ScanStanding) -> String? {
        guard scan.newest != nil else {
            return "Nothing of \(name(scan)) was listed yet: run \(commands(scan))." + mistake(scan)
        }
        guard let unsettled = scan.unsettled else { return nil }
        switch unsettled.state {
        case "running" where scan.awaitsPick:
            return "\(name(scan, "The")) waits for you to pick: whoever runs it has shown the link."
        case "running": return "A scan of \(name(scan)) is going on: there may be more \(rest(scan))."
        case "broken off":
            return "A scan of \(name(scan)) was broken off, so there may be more \(rest(scan)): \(commands(scan)) "
                + "goes on with it." + mistake(scan)
        case "suspicious": return unsettled.reason ?? "A scan of \(name(scan)) is not to be believed: scan again."
        default:
            let reason = unsettled.reason.map { " (\($0))" } ?? ""
            return
                "A scan of \(name(scan)) failed\(reason), so there may be more \(rest(scan)): run "
                + "\(commands(scan))." + mistake(scan)
        }
    }

    /// The way out for whoever never meant this source; empty where anything was ever seen of it.
    private func mistake(_ scan: ScanStanding) -> String {
        guard !scan.hasItems, scan.secondsSinceFull == nil, (scan.newest?.seen ?? 0) == 0, scan.unreadable == 0 else {
            return ""
        }
        let account = scan.account == "default" ? "" : " --account \(harmless(scan.account))"
        return " If that source was chosen by mistake: 'coldroll forget \(scan.source)\(account)'."
    }

    /// What lists it, whatever COLDROLL_SOURCE is by then; the library is what it is as a rule.
    private func commands(_ scan: ScanStanding) -> String {
        let flag = scan.source == "picker" ? " --source picker" : ""
        return "'coldroll scan\(flag)' or 'coldroll run\(flag)'"
    }

    private func rest(_ scan: ScanStanding) -> String { scan.source == "picker" ? "that was picked" : "in the library" }

    private func name(_ scan: ScanStanding, _ article: String = "the") -> String {
        "\(article) \(scan.source) of account \(harmless(scan.account))"
    }
}

extension Standing {
    /// Asks the ledger for the listings of these sources (all if empty).
    init(_ database: Database, sources: [Int64]) async throws {
        scans = try await database.ledger.standings(sources: sources)
    }
}
