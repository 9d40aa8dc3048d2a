package import Postgres

extension JobQueue {
    /// Registers this process and returns its random 63-bit id.
    ///
    /// `slots` are its transfers at once, 0 if it decides by itself. Whoever repeats this after a lost connection
    /// passes the same `id`.
    package func register(
        id: Int64 = .random(in: 1...Int64.max),
        host: String,
        processID: Int,
        version: String,
        slots: Int,
        sources: [Int64]
    ) async throws(PostgresError) -> Int64 {
        _ = try await pool.run(
            WorkerStatements.register,
            [
                .integer(id), .text(host), .integer(Int64(processID)), .text(version), .integer(Int64(slots)),
                .integers(sources),
            ]
        )
        return id
    }

    /// Heartbeat with reconciliation.
    ///
    /// `busy` counts the transfers that go on; `held` is everything that the process still owes an end, completions on
    /// their way to the database included.
    package func beat(worker: Int64, busy: Int, held: [JobReference]) async throws(PostgresError) -> BeatAnswer {
        let isWhole = hints.isDue(.beat), began = ContinuousClock.now
        let oldest = isWhole ? 0 : held.map(\.lease).min() ?? .max
        let rows = try await pool.run(
            WorkerStatements.beat,
            [
                .integer(worker), .integer(Int64(busy)), .integers(held.map(\.part)), .integers(held.map(\.lease)),
                .double((timing.beat * 3).seconds), .double((timing.dead / 2).seconds),
                .integer(oldest),
            ]
        )
        if isWhole { hints.walked(.beat, since: began) }
        var alive = false
        var lost: [JobReference] = [], orphaned: [JobReference] = []
        for row in rows {
            let word = try row.text(0)
            if word == "alive" {
                alive = true
                continue
            }
            let job = JobReference(part: try row.integer(1), lease: try row.integer(2))
            if word == "lost" { lost.append(job) } else { orphaned.append(job) }
        }
        return BeatAnswer(alive: alive, lost: lost, orphaned: orphaned)
    }

    /// Marks the worker stopped (`beat` answers not alive from now on); what it still has goes back, nothing counted.
    package func stop(worker: Int64) async throws(PostgresError) {
        _ = try await pool.run(WorkerStatements.stop, [.integer(worker)])
    }
}
