import JobQueue
import Postgres

/// What `coldroll status` tells; the JSON keys are this type's property names in snake case, documented in
/// `docs/status.md`, and stay what they are.
struct StatusReport: Sendable, Equatable, Encodable {
    struct Parts: Sendable, Equatable, Encodable {
        let found, stored, duplicate, skipped, dead, ready, scheduled, running, unaccounted: Int64
        let originals, renditions, storedBytes: Int64
        let nextDueSeconds: Double?
    }

    struct Rate: Sendable, Equatable, Encodable {
        let partsPerSecond, bytesPerSecond: Double
        /// nil while nothing moves, nothing is left, or some of it waits for something else than its turn.
        var etaSeconds: Double?
        /// What keeps what is left from an end, though something may move meanwhile; nil if nothing does.
        var noEta: String? = nil
    }

    struct Worker: Sendable, Equatable, Encodable {
        /// As text: a random 63-bit number, which JSON readers would round.
        let id: String
        let host: String
        let processID, busy, slots: Int64
        let secondsSinceBeat: Double
        let version: String
        let jobs: Int64

        enum CodingKeys: String, CodingKey {
            case id, host, busy, slots, secondsSinceBeat, version, jobs
            // The encoder's snake case would make `process_id` of it as well, but by a rule about capitals.
            case processID = "process_id"
        }
    }

    struct Oldest: Sendable, Equatable, Encodable {
        /// `running` or `waiting`.
        let state: String
        let part: Int64
        let object: String
        let seconds: Double
    }

    struct Correction: Sendable, Equatable, Encodable {
        let place: String
        /// Kind and account; absent where nobody knows.
        let source: String?
        let kept, counted: Int64
    }

    struct Lane: Sendable, Equatable, Encodable {
        let lane: Int64
        let source, account, kind: String
        /// `open`, `paused` or `parked`.
        let state: String
        let reason: String?
        let secondsLeft: Double?
        /// Parts in its queue.
        let live: Int64
        /// Whether a worker that is alive serves its source.
        let isServed: Bool
        /// Whether nothing but `coldroll resume` opens it: neither time nor a login.
        var opensByHand = false
    }

    /// One of Google's daily quotas, which all processes of a project share.
    struct Quota: Sendable, Equatable, Encodable {
        let project, kind: String
        /// Requests a day, those drawn today, and those left.
        let limit, used, left: Int64
        /// Whether Google itself said that the day's quota is used up.
        let isRefused: Bool
        let resetsInSeconds: Double
        /// RFC 3339 day on which the queue is empty if it takes every request of each day; nil where today's are enough, or
        /// where parts wait for a person.
        var finishDate: String?
    }

    /// A service that is away.
    struct Outage: Sendable, Equatable, Encodable {
        /// `library`, `media` or `storage`.
        let service: String
        let place: String
        let reason: String
        let seconds, nextProbeSeconds: Double
    }

    /// The newest scan of a source.
    struct Scan: Sendable, Equatable, Encodable {
        let source, account: String
        /// As `ScanStanding.Scan.state`; `none` if the source was never scanned.
        let state: String
        /// Range of days; both nil for a full scan.
        let since, until: String?
        let secondsSinceStart, secondsSinceEnd: Double?
        let pages, seen, new: Int64
        /// Expected items that it did not see; nil where that was not compared.
        let missing: Int64?
        let reason: String?
        /// Pages that came without any item, also when they were asked for again.
        let emptyPages: Int64
        /// Age of the last full scan that is complete; nil if there is none.
        let secondsSinceFull: Double?
        /// Entries listed without an id and not acknowledged.
        let unreadable: Int64
        /// Whether a page of the Picker is open in which nobody was seen to press Done.
        var waitsForPick = false
    }

    /// A login by `coldroll login`.
    struct Login: Sendable, Equatable, Encodable {
        let source, account: String
        /// `good` or `refused`.
        let state: String
        let reason: String?
        let secondsSinceLogin: Double
        /// Until Google refuses it; nil where Google names no end.
        let endsInSeconds: Double?
        /// RFC 3339 day of that; nil as above.
        let endDate: String?
        /// That the access token lives on; nil before the first.
        let tokenSeconds: Double?
        let refreshes: Int64
    }

    /// What `work --drain` would make of the ledger as it is.
    struct Judgement: Sendable, Equatable, Encodable {
        let code: Int32
        /// What keeps the listings from being complete; nil if nothing does.
        let listing: String?
        /// What is to be compared yet before all is known to be stored; nil if nothing is.
        var comparison: String? = nil
    }

    let parts: Parts
    /// Sums that were kept wrong and are corrected now; only an exact report looks.
    var corrected: [Correction]? = nil
    let verdict: Judgement
    let scans: [Scan]
    let logins: [Login]
    var rate: Rate
    let outages: [Outage]
    var quotas: [Quota]
    var lanes: [Lane]
    var workers: [Worker]
    var oldest: [Oldest]
}

extension StatusReport {
    /// Asks the ledger for everything; a few short statements.
    ///
    /// - Parameters:
    ///   - database: the ledger.
    ///   - exact: counts part by part, and corrects the sums that are kept; half a minute for ten million.
    /// - Throws: `PostgresError` if the database does not answer.
    init(_ database: Database, exact: Bool) async throws {
        let queue = database.queue
        corrected = exact ? try await queue.recount().map(Correction.init) : nil
        let totals = exact ? try await queue.totals(sources: []) : try await queue.tallies(sources: [])
        let whole = try await Verdict(database, sources: [], places: nil, totals: totals, interrupted: false)
        parts = Parts(totals)
        logins = try await database.pool.run(StatusStatements.logins).map(Login.init)
        // Whoever works on a source whose login is refused ends with that, whatever the sums are.
        let isRefused = logins.contains { $0.state == "refused" }
        // No sum of nothing is a success: whoever reads the code alone would take it for one.
        let isNew = whole.standing.scans.isEmpty
        // Only where all else is done: a drain compares last.
        let isDue = whole.status == .done && !isNew ? try await database.ledger.isComparisonDue(sources: []) : false
        let status = (isNew || isDue) && whole.status == .done ? .unfinished : whole.status
        verdict = Judgement(
            code: (isRefused ? .credentials : status).code,
            listing: isNew ? Standing.nothing : whole.standing.sentence,
            comparison: isDue
                ? "What was stored last is not compared with the rest yet, to find items that were given another one's bytes: a "
                    + "worker that stays does so within a minute, 'coldroll run' or 'coldroll work --drain' at its end."
                : nil
        )
        scans = whole.standing.scans.map(Scan.init)
        lanes = try await database.pool.run(StatusStatements.lanes).map { row throws(PostgresError) in
            var lane = try Lane(row)
            lane.opensByHand = whole.waits.contains { $0.paused == lane.lane }
            return lane
        }
        rate = try Rate(try await database.pool.run(StatusStatements.rate), left: totals.live, lanes: lanes)
        outages = try await database.queue.openBreakers().map(Outage.init)
        let isHeld = lanes.contains { $0.live > 0 && ($0.state == "paused" || !$0.isServed) }
        quotas = try await database.pool.run(StatusStatements.quotas).map { row throws(PostgresError) in
            var quota = try Quota(row)
            if isHeld { quota.finishDate = nil }
            return quota
        }
        workers = try await database.pool.run(StatusStatements.workers).map(Worker.init)
        oldest = try await database.pool.run(StatusStatements.oldest).map(Oldest.init)
    }
}

extension StatusReport.Parts {
    init(_ totals: Totals) {
        self.init(
            found: totals.found,
            stored: totals.stored,
            duplicate: totals.duplicate,
            skipped: totals.skipped,
            dead: totals.dead,
            ready: totals.ready,
            scheduled: totals.scheduled,
            running: totals.running,
            unaccounted: totals.unaccounted,
            originals: totals.originals,
            renditions: totals.renditions,
            storedBytes: totals.storedBytes,
            nextDueSeconds: totals.nextDue
        )
    }
}

extension StatusReport.Correction {
    init(_ error: TallyError) {
        self.init(place: error.place, source: error.source, kept: error.tallied, counted: error.counted)
    }
}

extension StatusReport.Scan {
    init(_ standing: ScanStanding) {
        let newest = standing.newest
        self.init(
            source: standing.source,
            account: standing.account,
            state: newest?.state ?? "none",
            since: newest?.since,
            until: newest?.until,
            secondsSinceStart: newest?.secondsSinceStart,
            secondsSinceEnd: newest?.secondsSinceEnd,
            pages: newest?.pages ?? 0,
            seen: newest?.seen ?? 0,
            new: newest?.new ?? 0,
            missing: newest?.missing,
            reason: newest?.reason,
            emptyPages: newest?.emptyPages ?? 0,
            secondsSinceFull: standing.secondsSinceFull,
            unreadable: standing.unreadable,
            waitsForPick: standing.awaitsPick
        )
    }
}

extension StatusReport.Rate {
    fileprivate init(_ rows: [Row], left: Int64, lanes: [StatusReport.Lane]) throws(PostgresError) {
        let count = try rows.first?.integer(0) ?? 0
        let bytes = try rows.first?.integer(1) ?? 0
        let seconds = try rows.first?.double(2) ?? 60
        self.init(count: count, bytes: bytes, seconds: seconds, left: left, lanes: lanes)
    }

    /// So many parts and bytes in so many seconds, more than 0, and so many parts left in these lanes.
    init(count: Int64, bytes: Int64, seconds: Double, left: Int64, lanes: [StatusReport.Lane] = []) {
        partsPerSecond = Double(count) / seconds
        bytesPerSecond = Double(bytes) / seconds
        noEta = Self.hindrance(lanes)
        etaSeconds = count > 0 && left > 0 && noEta == nil ? Double(left) * seconds / Double(count) : nil
    }

    /// Why the parts in these lanes have no end in sight; nil if all of them have their turn.
    private static func hindrance(_ lanes: [StatusReport.Lane]) -> String? {
        let held = lanes.filter { $0.live > 0 }
        var words: [String] = []
        if !held.isEmpty, lanes.allSatisfy({ !$0.isServed }) {
            words.append("no worker is running")
        } else {
            var names: [String] = []
            for lane in held where !lane.isServed && names.last != lane.name { names.append(lane.name) }
            words += names.map { "no worker serves \($0)" }
        }
        words += held.filter { $0.state != "open" }.map { lane in
            "\(Quantity.counted(lane.live, "part")) \(lane.live == 1 ? "waits" : "wait") \(lane.until)"
        }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }
}

extension StatusReport.Outage {
    fileprivate init(_ breaker: OpenBreaker) {
        self.init(
            service: breaker.service.rawValue,
            place: breaker.place,
            reason: breaker.reason,
            seconds: breaker.seconds,
            nextProbeSeconds: breaker.secondsToProbe
        )
    }
}

extension StatusReport.Quota {
    /// A row of `StatusStatements.quotas`.
    init(_ row: Row) throws(PostgresError) {
        project = try row.text(0)
        kind = try row.text(1)
        limit = try row.integer(2)
        used = try row.integer(3)
        isRefused = try row.boolean(4)
        left = isRefused ? 0 : max(0, limit - used)
        resetsInSeconds = try row.double(5)
        finishDate = row.textOrNil(6)
    }
}

extension StatusReport.Login {
    init(_ row: Row) throws(PostgresError) {
        source = try row.text(0)
        account = try row.text(1)
        reason = row.textOrNil(2)
        state = reason == nil ? "good" : "refused"
        secondsSinceLogin = try row.double(3)
        endsInSeconds = try row.doubleOrNil(4)
        endDate = row.textOrNil(5)
        tokenSeconds = try row.doubleOrNil(6)
        refreshes = try row.integer(7)
    }
}

extension StatusReport.Lane {
    fileprivate init(_ row: Row) throws(PostgresError) {
        lane = try row.integer(0)
        source = try row.text(1)
        account = try row.text(2)
        kind = try row.text(3)
        state = try row.text(4)
        reason = row.textOrNil(5)
        secondsLeft = try row.doubleOrNil(6)
        live = try row.integer(7)
        isServed = try row.boolean(8)
    }

    /// Its source, as a person calls it.
    fileprivate var name: String { "\(source) \(harmless(account))" }

    /// For how long it hands out nothing, to go behind "wait".
    var until: String {
        if let secondsLeft { return "for \(Quantity.duration(max(0, secondsLeft))) more" }
        return opensByHand ? "until 'coldroll resume \(lane)'" : "until the next login"
    }
}

extension StatusReport.Worker {
    fileprivate init(_ row: Row) throws(PostgresError) {
        id = String(try row.integer(0))
        host = try row.text(1)
        processID = try row.integer(2)
        busy = try row.integer(3)
        slots = try row.integer(4)
        secondsSinceBeat = try row.double(5)
        version = try row.text(6)
        jobs = try row.integer(7)
    }
}

extension StatusReport.Oldest {
    fileprivate init(_ row: Row) throws(PostgresError) {
        state = try row.text(0)
        part = try row.integer(1)
        object = try row.text(2)
        seconds = try row.double(3)
    }
}
