import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// One sequence of commands, and what the database must look like after it.
struct ModelRun {
    enum Place: Equatable {
        case ready, scheduled, stored, skipped, dead
        case running(Int64)
    }
    struct Part {
        var place = Place.ready
        var lane: Int64
        var lease: Int64 = 0, worker: Int64 = 0
        var isStarted = false
        var attempt = 0, crashes = 0
    }
    struct Claim {
        let job: JobReference
        let worker: Int64
    }
    enum Command: CaseIterable {
        case record, register, claim, start, complete, fail, release, rename, beat, die, outage, promote, person, stop,
            pause, park
    }

    let fixture: QueueFixture
    /// The same queue behind a relay that takes answers away.
    let lossy: JobQueue
    let cutter: AnswerCutter
    var random: SeededGenerator
    var parts: [Int64: Part] = [:]
    /// Every claim ever made: old ones are tried again and again.
    var claims: [Claim] = []
    /// Whether each is alive.
    var workers: [Int64: Bool] = [:]
    var closedLanes: Set<Int64> = []
    var items = 0
    var crashes = 0
    /// How often each command had something to do.
    var done: [Command: Int] = [:]
    var struck: Int { cutter.struck }

    init(random: SeededGenerator) async throws {
        var timing = JobQueue.Timing()
        timing.attempts = 3
        timing.crashes = 2
        timing.beat = .zero
        fixture = try await QueueFixture(timing: timing, connections: 1)
        cutter = try AnswerCutter()
        lossy = JobQueue(
            pool: ConnectionPool(conninfo: cutter.conninfo, limit: 1, applicationName: "coldroll tests"),
            timing: fixture.queue.timing,
            logger: .none
        )
        self.random = random
    }

    mutating func step() async throws -> Command {
        let weights: [(Command, Int)] = [
            (.record, 3), (.register, 3), (.claim, 7), (.start, 5), (.complete, 4), (.fail, 2), (.release, 2),
            (.rename, 3), (.beat, 2), (.die, 2), (.outage, 1), (.promote, 2), (.person, 3), (.stop, 1), (.pause, 1),
            (.park, 1),
        ]
        var ticket = Int.random(in: 0..<weights.reduce(0) { $0 + $1.1 }, using: &random)
        for (command, weight) in weights {
            ticket -= weight
            if ticket < 0 {
                try await run(command)
                return command
            }
        }
        return .record
    }

    private mutating func run(_ command: Command) async throws {
        switch command {
        case .record: try await record()
        case .register: try await register()
        case .claim: try await claim()
        case .start: try await start()
        case .complete: try await complete()
        case .fail: try await fail()
        case .release: try await release()
        case .rename: try await rename()
        case .beat: try await beat()
        case .die: try await die()
        case .outage: try await outage()
        case .promote: try await promote()
        case .person: try await person()
        case .stop: try await stop()
        case .pause: try await pause()
        case .park: try await park()
        }
    }

    mutating func count(_ command: Command) { done[command, default: 0] += 1 }

    /// Runs a command of the queue; one time in six its answer is lost first, and it is repeated.
    mutating func telling<R: Sendable>(
        _ statement: String,
        _ body: (JobQueue) async throws -> R
    ) async throws -> R {
        guard Int.random(in: 0..<6, using: &random) == 0 else { return try await body(fixture.queue) }
        try await losing(statement, body)
        return try await body(lossy)
    }

    /// Makes the server choose lanes as it did the last time that this seed ran.
    mutating func seedServer(_ pool: ConnectionPool) async throws {
        let seed = Double.random(in: -1...1, using: &random)
        _ = try await pool.run(Statement("test.seed", "SELECT setseed($1)"), [.double(seed)])
    }

    /// Runs a command whose statement commits and is not answered.
    func losing<R>(_ statement: String, _ body: (JobQueue) async throws -> R) async throws {
        let before = cutter.struck
        cutter.cut(after: statement)
        let error = await #expect(throws: PostgresError.self) { _ = try await body(lossy) }
        #expect(error?.code == .connectionLost)
        #expect(cutter.struck == before + 1, "the fault did not strike")
    }

    /// Whether the claim is the latest of its part, and the part is still to be ended by it.
    func holds(_ claim: Claim, running: Bool) -> Bool {
        guard let part = parts[claim.job.part], part.lease == claim.job.lease, part.worker == claim.worker else {
            return false
        }
        switch part.place {
        case .running: return true
        case .ready, .scheduled: return !running
        case .stored, .skipped, .dead: return false
        }
    }

    /// An old claim or a new one: half of the time one that counts.
    mutating func anyClaim() -> Claim? {
        let current = claims.filter { holds($0, running: true) }
        if Bool.random(using: &random), let claim = current.randomElement(using: &random) { return claim }
        return claims.randomElement(using: &random)
    }

    mutating func aliveWorker() -> Int64? {
        workers.filter(\.value).keys.sorted().randomElement(using: &random)
    }

    /// Mostly one that is alive.
    mutating func anyWorker() -> Int64? {
        if Int.random(in: 0..<6, using: &random) > 0 { return aliveWorker() }
        return workers.keys.sorted().randomElement(using: &random)
    }

    /// Learns of parts that a command made.
    mutating func learnParts() async throws {
        let rows = try await fixture.sql(
            """
            SELECT p.id, l.id
            FROM coldroll.part AS p
            JOIN coldroll.item AS i ON i.id = p.item_id
            JOIN coldroll.lane AS l ON l.source_id = p.source_id
                 AND l.kind = CASE WHEN i.is_video THEN 'video' ELSE 'photo' END
            """
        )
        for row in rows {
            let id = try row.integer(0)
            if parts[id] == nil { parts[id] = Part(lane: try row.integer(1)) }
        }
    }

    /// What the database says otherwise than the model; nothing is in two places or nowhere.
    func trouble() async throws -> [String] {
        let rows = try await fixture.sql(
            """
            SELECT p.id, num_nonnulls(o.part_id, c.part_id, j.part_id), coalesce(c.kind, j.state::text, 'stored'),
                   j.worker_id, j.attempt, j.crashes, coalesce(j.lease, o.lease),
                   EXISTS (SELECT FROM coldroll.job_start AS s, unnest(s.parts, s.leases) AS u(part_id, lease)
                           WHERE s.worker_id = j.worker_id AND u.part_id = j.part_id AND u.lease = j.lease)
            FROM coldroll.part AS p
            LEFT JOIN coldroll.object AS o ON o.part_id = p.id
            LEFT JOIN coldroll.outcome AS c ON c.part_id = p.id AND c.superseded_at IS NULL
            LEFT JOIN coldroll.job AS j ON j.part_id = p.id
            """
        )
        var trouble: [String] = []
        if rows.count != parts.count { trouble.append("\(rows.count) parts instead of \(parts.count)") }
        for row in rows {
            let id = try row.integer(0)
            guard let part = parts[id] else {
                trouble.append("part \(id) is not known")
                continue
            }
            if try row.integer(1) != 1 { trouble.append("part \(id) is in \(try row.integer(1)) places") }
            let word = try row.text(2)
            let place: Place? =
                switch word {
                case "ready": .ready
                case "scheduled": .scheduled
                case "running": .running(try row.integer(3))
                case "stored": .stored
                case "skipped": .skipped
                case "dead": .dead
                default: nil
                }
            if place != part.place { trouble.append("part \(id) is \(word), not \(part.place)") }
            if let attempt = try row.integerOrNil(4) {
                let counted = try row.integer(5), isStarted = try row.boolean(7)
                // What does not run any more may be forgotten.
                let isWrong = isStarted != part.isStarted && word == "running"
                if attempt != part.attempt || counted != part.crashes || isWrong {
                    trouble.append(
                        "part \(id) has \(attempt) attempts, \(counted) crashes, started \(isStarted), not \(part)"
                    )
                }
            }
            if word == "stored" || place.map(\.isLive) == true, try row.integer(6) != part.lease {
                trouble.append("part \(id) has lease \(try row.integer(6)), not \(part.lease)")
            }
        }
        let history = try await fixture.number("SELECT count(*) FROM coldroll.job_error WHERE is_crash")
        if history != crashes { trouble.append("\(history) crashes were written down, not \(crashes)") }
        let unaccounted = try await fixture.queue.totals(sources: []).unaccounted
        if unaccounted != 0 { trouble.append("\(unaccounted) parts are unaccounted") }
        return trouble
    }
}

extension ModelRun.Place {
    fileprivate var isLive: Bool {
        switch self {
        case .ready, .scheduled, .running: true
        case .stored, .skipped, .dead: false
        }
    }
}
