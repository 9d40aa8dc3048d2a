import JobQueue
import Postgres

/// The ledger in numbers, at one time.
struct LedgerNumbers: Sendable {
    struct Lane: Sendable {
        let source, account, kind: String
        let live, scheduled, again, running: Int64
    }

    var totals = Totals()
    var lanes: [Lane] = []
    /// Seconds since the oldest ready part was found; nil if none is ready.
    var oldest: Double?
    var dead: [String: Int64] = [:]
    var failures: [String: Int64] = [:]
    var successes: [(source: String, account: String, time: Double)] = []
    var runs = Histogram(bounds: Metrics.runBounds)
    var turns: (open: Int64, held: Int64) = (0, 0)
    var workers: Int64 = 0
    var quotas: [StatusReport.Quota] = []
    var logins: [StatusReport.Login] = []
    var outages: [OpenBreaker] = []
    /// When the first time of the ledger's schedule that has no turn is due, in seconds since 1970; nil without a schedule.
    var nextDue: Double?

    init() {}

    func write(to text: inout MetricsText) {
        writeParts(to: &text)
        writeRuns(to: &text)
        writeGoogle(to: &text)
    }

    private func writeParts(to text: inout MetricsText) {
        text.gauge(
            "coldroll_jobs",
            "Parts in the queue, by lane and state.",
            lanes.flatMap { lane in
                let states = [
                    ("ready", max(0, lane.live - lane.scheduled - lane.running)), ("scheduled", lane.scheduled),
                    ("running", lane.running),
                ]
                return states.map { state, jobs in (labels(lane) + [("state", state)], Double(jobs)) }
            }
        )
        text.gauge(
            "coldroll_jobs_to_retry",
            "Parts that failed and wait to be tried again.",
            lanes.map { (labels($0), Double($0.again)) }
        )
        if let oldest {
            text.gauge("coldroll_oldest_ready_seconds", "Time since the oldest part that is ready was found.", oldest)
        }
        let places = [
            ("found", totals.found), ("live", totals.live), ("stored", totals.stored), ("duplicate", totals.duplicate),
            ("skipped", totals.skipped), ("dead", totals.dead),
        ]
        text.gauge(
            "coldroll_parts",
            "Parts by where they are; found is the sum of the others.",
            places.map { ([("state", $0)], Double($1)) }
        )
        text.gauge(
            "coldroll_parts_unaccounted",
            "Found less the rest: 0, or something is wrong.",
            Double(totals.unaccounted)
        )
        text.gauge("coldroll_stored_bytes", "Bytes of the parts that are stored.", Double(totals.storedBytes))
        text.gauge(
            "coldroll_dead_parts",
            "Parts that are given up, by reason.",
            samples(dead)
        )
        text.gauge(
            "coldroll_failed_tries",
            "Tries of parts that failed in the last day, by reason.",
            samples(failures)
        )
        text.gauge("coldroll_workers", "Workers with a sign of life in the last minute.", Double(workers))
    }

    private func writeRuns(to text: inout MetricsText) {
        text.gauge("coldroll_turn_open", "1 while a run waits or goes on.", Double(turns.open))
        text.gauge("coldroll_turn_held", "1 while a process has it.", Double(turns.held))
        if let nextDue {
            text.gauge("coldroll_next_due_timestamp_seconds", "When the schedule's next run is due.", nextDue)
        }
        text.gauge(
            "coldroll_last_success_timestamp_seconds",
            "End of the last run that left nothing to do.",
            successes.map { ([("source", $0.source), ("account", $0.account)], $0.time) }
        )
        text.histogram("coldroll_run_duration_seconds", "Runs that ended, from start to end.", [([], runs)])
    }

    private func writeGoogle(to text: inout MetricsText) {
        let quota = quotas.map { (labels: [(name: "project", value: $0.project), ("kind", $0.kind)], $0) }
        text.gauge("coldroll_quota_limit", "Requests a day.", quota.map { ($0.labels, Double($0.1.limit)) })
        text.gauge("coldroll_quota_left", "Requests left today.", quota.map { ($0.labels, Double($0.1.left)) })
        func login(_ value: (StatusReport.Login) -> Double?) -> [(labels: MetricsText.Labels, value: Double)] {
            logins.compactMap { login in
                value(login).map { ([("source", login.source), ("account", login.account)], $0) }
            }
        }
        text.gauge("coldroll_login_good", "0 if Google refuses the login.", login { $0.reason == nil ? 1 : 0 })
        text.gauge(
            "coldroll_login_expiry_seconds",
            "Time until the login ends; absent where Google names no end.",
            login { $0.endsInSeconds }
        )
        text.gauge(
            "coldroll_token_expiry_seconds",
            "Time until the shared access token ends; it is renewed when it is needed.",
            login { $0.tokenSeconds }
        )
        text.gauge(
            "coldroll_outage_seconds",
            "How long a service has been away; absent while it answers.",
            outages.map { ([("service", $0.service.rawValue), ("place", $0.place)], $0.seconds) }
        )
    }

    private func samples(_ numbers: [String: Int64]) -> [(labels: MetricsText.Labels, value: Double)] {
        numbers.sorted { $0.key < $1.key }.map { ([("reason", $0.key)], Double($0.value)) }
    }

    private func labels(_ lane: Lane) -> MetricsText.Labels {
        [("source", lane.source), ("account", lane.account), ("lane", lane.kind)]
    }
}

extension LedgerNumbers {
    /// Asks for all of it: about a dozen short statements; for the schedule only where this process keeps it.
    ///
    /// - Throws: `PostgresError`.
    init(_ database: Database, source: Int64, isScheduled: Bool) async throws {
        let pool = database.pool
        totals = try await database.queue.tallies(sources: [])
        lanes = try await pool.run(MetricStatements.lanes).map { row in
            Lane(
                source: try row.text(0),
                account: try row.text(1),
                kind: try row.text(2),
                live: try row.integer(3),
                scheduled: try row.integer(4),
                again: try row.integer(5),
                running: try row.integer(6)
            )
        }
        oldest = try await pool.run(MetricStatements.oldest).first?.double(0)
        dead = try Self.words(try await pool.run(MetricStatements.dead))
        failures = try Self.words(try await pool.run(MetricStatements.failures))
        successes = try await pool.run(MetricStatements.successes).map {
            (try $0.text(0), try $0.text(1), try $0.double(2))
        }
        let rows = try await pool.run(MetricStatements.runs, [.doubles(Metrics.runBounds)])
        runs = Histogram(
            bounds: Metrics.runBounds,
            counts: try rows.dropLast().map { try $0.integer(1) },
            count: try rows.last?.integer(1) ?? 0,
            sum: try rows.last?.double(2) ?? 0
        )
        if let row = try await pool.run(MetricStatements.turns, [.integer(source)]).first {
            turns = (try row.integer(0), try row.integer(1))
        }
        workers = try await pool.run(MetricStatements.workers).first?.integer(0) ?? 0
        quotas = try await pool.run(StatusStatements.quotas).map(StatusReport.Quota.init)
        logins = try await pool.run(StatusStatements.logins).map(StatusReport.Login.init)
        outages = try await database.queue.openBreakers()
        if isScheduled, let kept = try await database.ledger.schedule(source: source) {
            nextDue = Schedule(kept).map { Double($0.next(after: $0.settled(kept))) }
        }
    }

    /// Numbers by reason.
    ///
    /// Reasons are short words; a sentence, which may name a file, is none.
    private static func words(_ rows: [Row]) throws(PostgresError) -> [String: Int64] {
        var numbers: [String: Int64] = [:]
        for row in rows {
            let text = try row.text(0)
            let isWord =
                (1...40).contains(text.utf8.count)
                && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
            numbers[isWord ? text : "other", default: 0] += try row.integer(1)
        }
        return numbers
    }
}
