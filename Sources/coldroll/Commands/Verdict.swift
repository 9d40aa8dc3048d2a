import Archiver
import JobQueue

/// What the sums of the ledger, and the listings behind them, mean for the exit code of a command that stored things.
struct Verdict: Sendable, Equatable {
    let totals: Totals
    /// How the sources were listed.
    let standing: Standing
    /// Why lanes stand still.
    let waits: [LaneWait]
    /// Services that are away, each in words.
    var outages: [String] = []
    /// Whether the command was stopped from outside.
    let interrupted: Bool

    /// The exit status: what nobody can account for weighs more than parts that still wait, these more than dead ones and
    /// than listings that may have left something out.
    var status: ExitStatus {
        if interrupted { return .interrupted }
        if totals.unaccounted != 0 || !addsUp || standing.unreadable > 0 { return .dead }
        if totals.live > 0 { return .unfinished }
        return totals.dead > 0 ? .dead : standing.status
    }

    private var addsUp: Bool {
        totals.found == totals.stored + totals.duplicate + totals.skipped + totals.dead + totals.live
    }

    var ending: Ending { Ending(status, sentence) }

    /// The sums, then what is left to do.
    var sentence: String {
        var text = Self.sums(totals)
        if totals.unaccounted != 0 || !addsUp {
            text += " The sums do not add up (\(Quantity.grouped(totals.unaccounted)) unaccounted for): see the view "
            text += "coldroll.balance by 'coldroll psql', and please report it."
        }
        if totals.dead > 0 {
            text += " \(Quantity.counted(totals.dead, "part")) failed for good: see 'coldroll failures'."
        }
        if totals.live > 0 { text += " " + waiting }
        if let listing = standing.sentence { text += " But: " + listing }
        guard interrupted else { return text }
        let isLeft = totals.live > 0 || standing.status == .unfinished
        return (isLeft ? "Interrupted; the same command goes on with it. " : "Interrupted. ") + text
    }

    /// How many wait, for what, until when.
    private var waiting: String {
        var text = "\(Quantity.counted(totals.live, "part")) still to do: \(Quantity.grouped(totals.ready)) ready, "
        text += "\(Quantity.grouped(totals.scheduled)) scheduled, \(Quantity.grouped(totals.running)) running"
        if let due = totals.nextDue {
            text += ", the next one due in \(Quantity.duration(max(0, due)))"
        }
        text += "."
        for wait in waits { text += " " + wait.sentence }
        for outage in outages { text += " \(outage)" }
        return text
    }

    /// The one sum that says what is safe.
    static func sums(_ totals: Totals) -> String {
        var text = "\(Quantity.grouped(totals.stored)) stored = \(Quantity.counted(totals.originals, "original")) + "
        text += Quantity.counted(totals.renditions, "Google rendition")
        text += " (\(Quantity.bytes(totals.storedBytes))), of \(Quantity.counted(totals.found, "part")) found"
        if totals.duplicate > 0 { text += "; \(Quantity.counted(totals.duplicate, "duplicate"))" }
        if totals.skipped > 0 { text += "; \(Quantity.grouped(totals.skipped)) skipped" }
        return text + "."
    }
}

extension LaneWait {
    /// How long, to go behind "waits".
    var until: String {
        let time = seconds.map { "for \(Quantity.duration(max(0, $0))) more" }
        return time ?? paused.map { "until 'coldroll resume \($0)'" } ?? "until the next login"
    }

    /// How long and why, to go behind "waits".
    var words: String { "\(until): \(reason)" }

    /// `3 parts wait`, or `waits` of a lane in which nothing is yet.
    var subject: String { parts > 0 ? "\(Quantity.counted(parts, "part")) \(parts == 1 ? "waits" : "wait")" : "waits" }

    /// How many, how long and why.
    var sentence: String {
        // Most reasons are sentences of their own.
        (parts > 0 ? subject : "Waits") + " \(words)" + (reason.hasSuffix(".") ? "" : ".")
    }
}

extension Verdict {
    /// Asks the ledger for the sums of the archive's source; outages elsewhere are not its own.
    ///
    /// Counted part by part, unless it was stopped from outside: whoever does that will not wait for long.
    init(_ archive: Archive, interrupted: Bool) async throws {
        let queue = archive.database.queue
        let sources = [archive.source]
        let totals = try await interrupted ? queue.tallies(sources: sources) : queue.totals(sources: sources)
        self = try await Self(
            archive.database,
            sources: [archive.source],
            places: archive.context.places,
            totals: totals,
            interrupted: interrupted
        )
    }

    /// What these sums mean, with how the sources (all if empty) and the places (all if nil) stand.
    init(
        _ database: Database,
        sources: [Int64],
        places: [Service: String]?,
        totals: Totals,
        interrupted: Bool
    ) async throws {
        self.totals = totals
        standing = try await Standing(database, sources: sources)
        waits = try await database.queue.waiting(sources: sources)
        outages = Self.sentences(try await database.queue.openBreakers(), of: places)
        self.interrupted = interrupted
    }

    /// A sentence for each outage of these places, of all if nil.
    static func sentences(_ breakers: [OpenBreaker], of places: [Service: String]?) -> [String] {
        breakers.filter { places == nil || places?[$0.service] == $0.place }.map { breaker in
            let service =
                switch breaker.service {
                case .library:
                    OpenBreaker.pickerProject(breaker.place) == nil ? "The Library API" : "Google's Picker API"
                case .media: "Google's media service"
                case .storage: "The archive"
                }
            return "\(service) has been away for \(Quantity.duration(max(0, breaker.seconds))): \(breaker.reason)"
        }
    }
}
