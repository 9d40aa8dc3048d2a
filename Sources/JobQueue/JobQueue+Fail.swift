package import Postgres

extension JobQueue {
    /// Counts failures of the parts themselves; returns the parts that died of them.
    ///
    /// A part is scheduled again with jittered backoff, or after `retryAfter` and up to a tenth more; after
    /// `timing.attempts` it is dead with the reason. A job that is not this worker's any more is left alone.
    package func fail(worker: Int64, _ failures: [Failure]) async throws(PostgresError) -> Set<PartID> {
        guard !failures.isEmpty else { return [] }
        let sorted = failures.sorted { $0.job.part < $1.job.part }
        let rows = try await pool.run(
            FailureStatements.fail,
            [
                .integer(worker), .integers(sorted.map(\.job.part)), .integers(sorted.map(\.job.lease)),
                .texts(sorted.map(\.reason)), .texts(sorted.map(\.message)),
                .doubles(sorted.map { $0.retryAfter?.seconds }), .integer(Int64(timing.attempts)),
                .double(timing.firstBackoff.seconds), .double(timing.longestBackoff.seconds),
            ]
        )
        var dead: Set<PartID> = []
        for row in rows {
            dead.insert(try row.integer(0))
        }
        return dead
    }

    /// Gives jobs back, attempt not counted.
    ///
    /// A job that is not this worker's any more is left alone.
    package func release(worker: Int64, _ releases: [Release]) async throws(PostgresError) {
        guard !releases.isEmpty else { return }
        let sorted = releases.sorted { $0.job.part < $1.job.part }
        _ = try await pool.run(
            FailureStatements.release,
            [
                .integer(worker), .integers(sorted.map(\.job.part)), .integers(sorted.map(\.job.lease)),
                .doubles(sorted.map(\.delay.seconds)), .texts(sorted.map(\.note)),
            ]
        )
    }

    /// Makes a still a video, or the reverse, where the scan was told wrongly what an item is; nothing of it is stored yet.
    ///
    /// - Returns: false if the claim is lost: stop. Else give the job back: its next claim fetches the other rendition.
    package func correct(
        worker: Int64,
        _ job: JobReference,
        to kind: PartKind
    ) async throws(PostgresError) -> Bool {
        try await !pool.run(
            FailureStatements.correct,
            [.integer(worker), .integer(job.part), .integer(job.lease), .text(kind.rawValue)]
        ).isEmpty
    }

    /// Gives an unstored part another name (its own was taken by a foreign object).
    package func rename(
        worker: Int64,
        _ job: JobReference,
        to name: NameCandidate
    ) async throws(PostgresError) -> Renaming {
        do {
            let rows = try await pool.run(
                FailureStatements.rename,
                [.integer(worker), .integer(job.part), .integer(job.lease), .text(name.name), .text(name.key)]
            )
            return rows.isEmpty ? .leaseLost : .renamed
        } catch {
            guard error.constraint == "part_name_key" else { throw error }
            return .taken
        }
    }
}
