import JobQueue
import Postgres
import TestSupport
import Testing

/// Random commands against the real SQL and against a model of a few lines, in step.
///
/// The seed is in the name of the case; a failing one is repeated by its number.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ModelTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `after every command each part is in exactly one place, the one that the model says`(_ seed: UInt64)
        async throws
    {
        var timing = JobQueue.Timing()
        timing.attempts = 3
        timing.crashes = 2
        let fixture = try await QueueFixture(timing: timing)
        var run = ModelRun(fixture: fixture, random: SplitMix(state: seed))
        for _ in 0..<150 {
            try await run.step()
            try await run.check()
        }
    }
}

/// A small generator with a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One sequence of commands.
private struct ModelRun {
    enum Place: Equatable {
        case ready, scheduled, stored, skipped, dead
        case running(Int64)
    }
    struct Model {
        var place: Place
        var lease: Int64 = 0, worker: Int64 = 0
        var attempt = 0, crashes = 0
    }
    struct Claim {
        let job: JobReference
        let worker: Int64
    }

    let fixture: QueueFixture
    var random: SplitMix
    var parts: [Int64: Model] = [:]
    /// Every claim ever made: old ones are tried again and again.
    var claims: [Claim] = []
    var workers: [Int64: Bool] = [:]
    var items = 0

    init(fixture: QueueFixture, random: SplitMix) {
        self.fixture = fixture
        self.random = random
    }

    mutating func step() async throws {
        switch Int.random(in: 0..<16, using: &random) {
        case 0, 1: try await record()
        case 2: workers[try await fixture.worker()] = true
        case 3, 4, 5, 6: try await claim()
        case 7, 8, 9: try await complete()
        case 10: try await fail()
        case 11: try await release()
        case 12: try await die()
        case 13: try await promote()
        case 14: try await person()
        default: try await stop()
        }
    }

    private mutating func record() async throws {
        let fresh = Int.random(in: 0...6, using: &random)
        let first = Int.random(in: max(0, items - 3)...items, using: &random)
        let page = (first..<items + fresh).map {
            QueueFixture.item("i\($0)", name: "n\($0 % 5)", isVideo: $0 % 3 == 0)
        }
        let counts = try await fixture.ledger.record(fixture.scan, page, unreadable: 0, nextPageToken: "t")
        #expect(counts == PageCounts(seen: page.count, new: fresh, known: page.count - fresh))
        items += fresh
        for row in try await fixture.sql("SELECT id FROM coldroll.part") {
            let id = try row.integer(0)
            if parts[id] == nil { parts[id] = Model(place: .ready) }
        }
    }

    private mutating func claim() async throws {
        guard let worker = workers.keys.sorted().randomElement(using: &random) else { return }
        let limit = Int.random(in: 1...5, using: &random)
        let jobs = try await fixture.claim(worker, limit)
        let ready = parts.values.count { $0.place == .ready }
        #expect(jobs.count == (workers[worker] == true ? min(limit, ready) : 0))
        for job in jobs {
            let model = try #require(parts[job.reference.part])
            #expect(model.place == .ready)
            #expect(job.reference.lease > model.lease)
            #expect(job.attempt == model.attempt + 1 && job.crashes == model.crashes)
            parts[job.reference.part]?.place = .running(worker)
            parts[job.reference.part]?.lease = job.reference.lease
            parts[job.reference.part]?.worker = worker
            claims.append(Claim(job: job.reference, worker: worker))
        }
    }

    /// Whether the claim is the latest of its part, and the part is still to be ended by it.
    private func holds(_ claim: Claim, running: Bool) -> Bool {
        guard let model = parts[claim.job.part], model.lease == claim.job.lease, model.worker == claim.worker else {
            return false
        }
        switch model.place {
        case .running: return true
        case .ready, .scheduled: return !running
        case .stored, .skipped, .dead: return false
        }
    }

    private mutating func complete() async throws {
        guard let claim = claims.randomElement(using: &random) else { return }
        let choice = Int.random(in: 0..<5, using: &random)
        let clip: NewPart? =
            choice == 1 ? CompletionTests.clip("clip\(claim.job.part % 3)", suffix: "\(claim.job.part)") : nil
        let result: Completion.Result =
            switch choice {
            case 3: .skipped(reason: "x")
            case 4: .dead(reason: "x")
            default: .stored(QueueFixture.object(), motion: clip)
            }
        let held = holds(claim, running: false)
        let ended = try await recordedEnds(claim)
        let word = choice == 3 ? "skipped" : choice == 4 ? "dead" : "stored"
        let accepted = try await fixture.queue.complete(
            worker: claim.worker,
            [Completion(job: claim.job, result: result)]
        )
        // Accepted if it is the newest claim, or if this very claim has ended the job before.
        #expect(accepted.contains(claim.job) == (held || ended.contains(word)))
        guard held else { return }
        parts[claim.job.part]?.place = choice == 3 ? .skipped : choice == 4 ? .dead : .stored
        for row in try await fixture.sql("SELECT id FROM coldroll.part WHERE kind = 'motion'") {
            let id = try row.integer(0)
            if parts[id] == nil { parts[id] = Model(place: .ready) }
        }
    }

    private func recordedEnds(_ claim: Claim) async throws -> [String] {
        try await fixture.texts(
            """
            SELECT 'stored' FROM coldroll.object WHERE part_id = $1 AND lease = $2
            UNION ALL SELECT kind FROM coldroll.outcome WHERE part_id = $1 AND lease = $2 AND decided_by = 'worker'
            """,
            [.integer(claim.job.part), .integer(claim.job.lease)]
        )
    }

    private mutating func fail() async throws {
        guard let claim = claims.randomElement(using: &random) else { return }
        let held = holds(claim, running: true)
        let dead = try await fixture.queue.fail(
            worker: claim.worker,
            [Failure(job: claim.job, reason: "x", message: "y")]
        )
        guard held, var model = parts[claim.job.part] else { return }
        model.attempt += 1
        model.place = model.attempt >= 3 ? .dead : .scheduled
        #expect(dead.contains(claim.job.part) == (model.attempt >= 3))
        parts[claim.job.part] = model
    }

    private mutating func release() async throws {
        guard let claim = claims.randomElement(using: &random) else { return }
        let held = holds(claim, running: true)
        let waits = Bool.random(using: &random)
        try await fixture.queue.release(
            worker: claim.worker,
            [Release(job: claim.job, delay: waits ? .seconds(100) : .zero)]
        )
        if held { parts[claim.job.part]?.place = waits ? .scheduled : .ready }
    }

    private mutating func die() async throws {
        guard let worker = workers.filter(\.value).keys.sorted().randomElement(using: &random) else { return }
        try await fixture.silence(worker)
        // Nothing else is due: what the sweep may promote was made due by `promote` alone.
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        workers[worker] = false
        for (part, model) in parts where model.place == .running(worker) {
            parts[part]?.crashes += 1
            parts[part]?.place = model.crashes + 1 >= 2 ? .dead : .scheduled
        }
        try await holdBack()
    }

    /// Keeps what is scheduled from becoming due by the clock.
    private func holdBack() async throws {
        try await fixture.sql("UPDATE coldroll.job SET due = due + interval '1 day' WHERE state = 'scheduled'")
    }

    private mutating func promote() async throws {
        try await fixture.makeDue()
        let swept = try await fixture.queue.sweep(mayDeclareDeath: false)
        #expect(swept.promoted == parts.values.count { $0.place == .scheduled })
        for (part, model) in parts where model.place == .scheduled { parts[part]?.place = .ready }
    }

    private mutating func person() async throws {
        guard let part = parts.keys.sorted().randomElement(using: &random), let model = parts[part] else { return }
        let fresh = Model(place: .ready)
        let expected: Model?
        let done: Bool
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            done = (try? await fixture.call("retry", part)) != nil
            expected =
                switch model.place {
                case .dead, .skipped: fresh
                case .scheduled: with(model, .ready)
                default: nil
                }
        case 1:
            done = (try? await fixture.texts("SELECT coldroll.skip($1, 'x')", [.integer(part)])) != nil
            expected =
                switch model.place {
                case .dead, .scheduled, .ready: with(model, .skipped)
                default: nil
                }
        default:
            done = (try? await fixture.call("accept", part)) != nil
            expected =
                switch model.place {
                case .dead: fresh
                case .scheduled, .ready: with(model, .ready)
                default: nil
                }
        }
        #expect(done == (expected != nil))
        if let expected { parts[part] = expected }
    }

    private func with(_ model: Model, _ place: Place) -> Model {
        var model = model
        model.place = place
        return model
    }

    private mutating func stop() async throws {
        guard let worker = workers.filter(\.value).keys.sorted().randomElement(using: &random) else { return }
        try await fixture.queue.stop(worker: worker)
        workers[worker] = false
        for (part, model) in parts where model.place == .running(worker) { parts[part]?.place = .ready }
    }

    /// The database says of every part what the model says, and nothing is in two places or nowhere.
    func check() async throws {
        let rows = try await fixture.sql(
            """
            SELECT p.id, num_nonnulls(o.part_id, c.part_id, j.part_id), coalesce(c.kind, j.state::text, 'stored'),
                   j.worker_id, j.attempt, j.crashes, j.lease
            FROM coldroll.part AS p
            LEFT JOIN coldroll.object AS o ON o.part_id = p.id
            LEFT JOIN coldroll.outcome AS c ON c.part_id = p.id AND c.superseded_at IS NULL
            LEFT JOIN coldroll.job AS j ON j.part_id = p.id
            """
        )
        #expect(rows.count == parts.count)
        for row in rows {
            let model = try #require(parts[try row.integer(0)])
            #expect(try row.integer(1) == 1)
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
            #expect(place == model.place)
            if let attempt = try row.integerOrNil(4) {
                #expect(attempt == Int64(model.attempt))
                #expect(try row.integer(5) == Int64(model.crashes))
                #expect(try row.integer(6) == model.lease)
            }
        }
        #expect(try await fixture.queue.totals(sources: []).unaccounted == 0)
    }
}
