import JobQueue
import Postgres
import TestSupport
import Testing

/// What workers and scans do.
extension ModelRun {
    mutating func record() async throws {
        count(.record)
        let fresh = Int.random(in: 0...6, using: &random)
        let first = Int.random(in: max(0, items - 3)...items, using: &random)
        let page = (first..<items + fresh).map {
            QueueFixture.item("i\($0)", name: "n\($0 % 5)", isVideo: $0 % 3 == 0)
        }
        let number = Int64.random(in: 1...Int64.max, using: &random)
        let (ledger, scan) = (fixture.ledger, fixture.scan)
        if Int.random(in: 0..<6, using: &random) == 0 {
            let lossyLedger = Ledger(pool: lossy.pool)
            try await losing("INSERT INTO coldroll.item") { _ in
                try await lossyLedger.record(scan, page, unreadable: 0, nextPageToken: "t", page: number)
            }
        }
        let counts = try await ledger.record(scan, page, unreadable: 0, nextPageToken: "t", page: number)
        #expect(counts == PageCounts(seen: page.count, new: fresh, known: page.count - fresh))
        items += fresh
        try await learnParts()
    }

    mutating func register() async throws {
        count(.register)
        let (id, source) = (Int64.random(in: 2...Int64.max, using: &random), fixture.source)
        let worker = try await telling("INSERT INTO coldroll.worker") { queue in
            try await queue.register(id: id, host: "h", processID: 1, version: "t", slots: 4, sources: [source])
        }
        workers[worker] = true
    }

    mutating func claim() async throws {
        guard let worker = anyWorker() else { return }
        let limit = Int.random(in: 1...5, using: &random)
        let ready = parts.values.count { $0.place == .ready && !closedLanes.contains($0.lane) }
        let expected = workers[worker] == true ? min(limit, ready) : 0
        if Int.random(in: 0..<6, using: &random) == 0 {
            // Nobody hears of these: only a heartbeat finds them.
            let source = fixture.source
            try await seedServer(lossy.pool)
            let highest = parts.values.map(\.lease).max() ?? 0
            try await losing("SET state = 'running'") { queue in
                try await queue.claim(worker: worker, sources: [source], limit: limit)
            }
            let rows = try await fixture.sql(
                "SELECT part_id, lease FROM coldroll.job WHERE state = 'running' AND worker_id = $1 AND lease > $2",
                [.integer(worker), .integer(highest)]
            )
            // The second round, for what other lanes left, did not take place.
            #expect(rows.count <= expected)
            for row in rows { claimed(try row.integer(0), try row.integer(1), worker) }
            return
        }
        try await seedServer(fixture.pool)
        let jobs = try await fixture.claim(worker, limit)
        #expect(jobs.count == expected)
        for job in jobs {
            let part = try #require(parts[job.reference.part])
            #expect(part.place == .ready && !closedLanes.contains(part.lane))
            #expect(job.reference.lease > part.lease)
            #expect(job.attempt == part.attempt + 1 && job.crashes == part.crashes)
            claimed(job.reference.part, job.reference.lease, worker)
            claims.append(Claim(job: job.reference, worker: worker))
        }
        if !jobs.isEmpty { count(.claim) }
    }

    private mutating func claimed(_ part: Int64, _ lease: Int64, _ worker: Int64) {
        parts[part]?.place = .running(worker)
        parts[part]?.lease = lease
        parts[part]?.worker = worker
        parts[part]?.isStarted = false
    }

    mutating func start() async throws {
        guard let claim = anyClaim() else { return }
        let starts = try await telling("INSERT INTO coldroll.job_start") { queue in
            try await queue.start(worker: claim.worker, [claim.job])
        }
        let isHeld = holds(claim, running: true) && workers[claim.worker] == true
        let isOpen = parts[claim.job.part].map { !closedLanes.contains($0.lane) } ?? false
        #expect(
            starts == Starts(begun: isHeld && isOpen ? [claim.job] : [], heldBack: isHeld && !isOpen ? [claim.job] : [])
        )
        guard isHeld, isOpen else { return }
        parts[claim.job.part]?.isStarted = true
        count(.start)
    }

    mutating func complete() async throws {
        guard let claim = anyClaim() else { return }
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
        let accepted = try await telling("DELETE FROM coldroll.job") { queue in
            try await queue.complete(worker: claim.worker, [Completion(job: claim.job, result: result)])
        }
        // Accepted if it is the newest claim, or if this very claim has ended the job before.
        #expect(accepted.contains(claim.job) == (held || ended.contains(word)))
        guard held else { return }
        parts[claim.job.part]?.place = choice == 3 ? .skipped : choice == 4 ? .dead : .stored
        count(.complete)
        try await learnParts()
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

    mutating func fail() async throws {
        guard let claim = anyClaim() else { return }
        let held = holds(claim, running: true)
        let dead = try await telling("job_error") { queue in
            try await queue.fail(worker: claim.worker, [Failure(job: claim.job, reason: "x", message: "y")])
        }
        guard held, var part = parts[claim.job.part] else { return }
        part.attempt += 1
        part.place = part.attempt >= 3 ? .dead : .scheduled
        #expect(dead.contains(claim.job.part) == (part.attempt >= 3))
        parts[claim.job.part] = part
        count(.fail)
        try await holdBack()
    }

    mutating func release() async throws {
        guard let claim = anyClaim() else { return }
        let held = holds(claim, running: true)
        let waits = Bool.random(using: &random)
        try await telling("SET state = CASE WHEN h.delay") { queue in
            try await queue.release(
                worker: claim.worker,
                [Release(job: claim.job, delay: waits ? .seconds(100) : .zero)]
            )
        }
        guard held else { return }
        parts[claim.job.part]?.place = waits ? .scheduled : .ready
        count(.release)
        try await holdBack()
    }

    mutating func rename() async throws {
        guard let claim = anyClaim() else { return }
        let name = "renamed\(Int.random(in: 0..<9, using: &random))"
        let isTaken =
            try await fixture.number(
                "SELECT count(*) FROM coldroll.part WHERE name_key = $1 AND id <> $2",
                [.text(name), .integer(claim.job.part)]
            ) > 0
        let expected = holds(claim, running: true) && !isTaken
        let candidate = NameCandidate(name: name, key: name)
        let renamed: Renaming
        if expected {
            renamed = try await telling("SET object_name") { queue in
                try await queue.rename(worker: claim.worker, claim.job, to: candidate)
            }
            count(.rename)
        } else {
            renamed = try await fixture.queue.rename(worker: claim.worker, claim.job, to: candidate)
        }
        #expect(renamed == (expected ? .renamed : holds(claim, running: true) ? .taken : .leaseLost))
    }

    /// A heartbeat of a worker that believes to hold whatever it ever claimed, or a part of that.
    mutating func beat() async throws {
        guard let worker = anyWorker() else { return }
        let mine = Set(
            parts.filter { $0.value.place == .running(worker) }.map {
                JobReference(part: $0.key, lease: $0.value.lease)
            }
        )
        var held: Set<JobReference> = []
        for claim in claims where claim.worker == worker {
            if mine.contains(claim.job) ? Int.random(in: 0..<4, using: &random) > 0 : Bool.random(using: &random) {
                held.insert(claim.job)
            }
        }
        let believed = held
        let answer = try await telling("SET beat_at") { queue in
            try await queue.beat(worker: worker, busy: 1, held: Array(believed))
        }
        #expect(answer.alive == workers[worker])
        #expect(Set(answer.lost) == held.subtracting(mine))
        #expect(Set(answer.orphaned) == mine.subtracting(held))
        guard answer.alive, !answer.orphaned.isEmpty else { return }
        try await fixture.queue.release(worker: worker, answer.orphaned.map { Release(job: $0) })
        for job in answer.orphaned { parts[job.part]?.place = .ready }
        count(.beat)
    }

    mutating func die() async throws {
        guard let worker = aliveWorker() else { return }
        // However slow this machine is, the others have been heard.
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() WHERE state = 'alive'")
        try await fixture.silence(worker)
        _ = try await telling("killed its worker") { queue in try await queue.sweep(mayDeclareDeath: true) }
        workers[worker] = false
        for (id, part) in parts where part.place == .running(worker) {
            guard part.isStarted else {
                parts[id]?.place = .scheduled
                continue
            }
            crashes += 1
            parts[id]?.crashes += 1
            parts[id]?.place = part.crashes + 1 >= 2 ? .dead : .scheduled
            count(.die)
        }
        try await holdBack()
    }

    /// Nobody was heard for ten minutes: nobody is dead.
    mutating func outage() async throws {
        count(.outage)
        try await fixture.sql(
            "UPDATE coldroll.worker SET beat_at = now() - interval '10 minutes' WHERE state = 'alive'"
        )
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        let first = aliveWorker()
        if let first { #expect(try await fixture.queue.beat(worker: first, busy: 0, held: []).alive) }
        // Its contact is not steady yet, and the others have not been back.
        _ = try await fixture.queue.sweep(mayDeclareDeath: true)
        try await fixture.sql(
            "UPDATE coldroll.worker SET beat_at = now(), steady_since = started_at WHERE state = 'alive'"
        )
    }

    mutating func promote() async throws {
        try await fixture.makeDue()
        let waiting = parts.values.count { $0.place == .scheduled }
        _ = try await telling("'scheduled' AND j.due <= now()") { queue in
            try await queue.sweep(mayDeclareDeath: false)
        }
        for (id, part) in parts where part.place == .scheduled { parts[id]?.place = .ready }
        if waiting > 0 { count(.promote) }
    }

    mutating func stop() async throws {
        guard let worker = aliveWorker() else { return }
        count(.stop)
        try await telling("'stopped'") { queue in try await queue.stop(worker: worker) }
        workers[worker] = false
        for (id, part) in parts where part.place == .running(worker) { parts[id]?.place = .ready }
    }

    /// Keeps what is scheduled from becoming due by the clock.
    private func holdBack() async throws {
        try await fixture.sql("UPDATE coldroll.job SET due = due + interval '1 day' WHERE state = 'scheduled'")
    }
}
