package import Postgres

extension JobQueue {
    /// Ends jobs; returns those that were accepted.
    ///
    /// What is missing was not this worker's any more: somebody claimed it since, or a failover forgot that its part was
    /// renamed. A completion that comes late but before anybody else's claim is accepted. Safe to repeat after a lost connection: a repeat is looked up.
    /// Stored parts, stored parts with a clip, confirmed ones and other ends are a statement each; a fault in a later one leaves the
    /// earlier ones done.
    package func complete(
        worker: Int64,
        _ completions: [Completion]
    ) async throws(PostgresError) -> Set<JobReference> {
        // Whoever waits for row locks does so in the order of parts.
        let sorted = completions.sorted { $0.job.part < $1.job.part }
        var stored = StoredBatch(), withMotion = StoredBatch(), ended = EndedBatch()
        var confirmed: [JobReference] = []
        for completion in sorted {
            switch completion.result {
            case .confirmed: confirmed.append(completion.job)
            case .stored(let object, motion: nil): stored.append(completion.job, object)
            case .stored(let object, motion: let clip?): withMotion.append(completion.job, object, clip)
            case .skipped(let reason): ended.append(completion.job, completion.result.word, reason)
            case .dead(let reason): ended.append(completion.job, completion.result.word, reason)
            }
        }
        var accepted: Set<JobReference> = []
        if !stored.jobs.isEmpty {
            let values = [.integer(worker)] + stored.values
            do {
                accepted.formUnion(try await run(stored.jobs, values))
            } catch  where error.constraint == "object_pkey" {
                accepted.formUnion(try await run(CompleteStatements.storedAgain, values))
            }
        }
        if !withMotion.jobs.isEmpty {
            let values = [.integer(worker)] + withMotion.values + withMotion.motionValues
            let done = try await retryingNameRaces { () throws(PostgresError) in
                try await run(CompleteStatements.storedWithMotion, values)
            }
            accepted.formUnion(done)
        }
        if !ended.jobs.isEmpty {
            accepted.formUnion(try await run(CompleteStatements.ended, [.integer(worker)] + ended.values))
        }
        if !confirmed.isEmpty {
            let jobs: [PostgresValue] = [.integers(confirmed.map(\.part)), .integers(confirmed.map(\.lease))]
            accepted.formUnion(try await run(DoubtStatements.confirmed, [.integer(worker)] + jobs))
        }
        if accepted.count < sorted.count {
            let missing = sorted.filter { !accepted.contains($0.job) }
            accepted.formUnion(
                try await run(
                    CompleteStatements.repeated,
                    [
                        .integer(worker), .integers(missing.map(\.job.part)), .integers(missing.map(\.job.lease)),
                        .texts(missing.map(\.result.word)),
                    ]
                )
            )
        }
        return accepted
    }

    /// Runs `job.complete`, which names what was accepted only where it is less than all.
    private func run(_ jobs: [JobReference], _ values: [PostgresValue]) async throws(PostgresError) -> [JobReference] {
        var named: [JobReference] = []
        var accepted: Int64 = 0
        for row in try await pool.run(CompleteStatements.stored, values) {
            if let part = try row.integerOrNil(0) {
                named.append(JobReference(part: part, lease: try row.integer(1)))
            } else {
                accepted = try row.integer(1)
            }
        }
        return accepted == Int64(jobs.count) ? jobs : named
    }

    private func run(_ statement: Statement, _ values: [PostgresValue]) async throws(PostgresError) -> [JobReference] {
        var jobs: [JobReference] = []
        for row in try await pool.run(statement, values) {
            jobs.append(JobReference(part: try row.integer(0), lease: try row.integer(1)))
        }
        return jobs
    }
}

extension Completion.Result {
    /// The word for it in the database.
    fileprivate var word: String {
        switch self {
        case .stored, .confirmed: "stored"
        case .skipped: "skipped"
        case .dead: "dead"
        }
    }
}

/// Columns of stored parts.
private struct StoredBatch {
    var jobs: [JobReference] = []
    private var objects: [ObjectRecord] = []
    private var months: [String?] = []
    private var ordinals: [Int64?] = [], positions: [Int64?] = [], names: [String?] = [], keys: [String?] = []

    mutating func append(_ job: JobReference, _ object: ObjectRecord) {
        jobs.append(job)
        objects.append(object)
    }

    mutating func append(_ job: JobReference, _ object: ObjectRecord, _ clip: NewPart) {
        append(job, object)
        months.append(clip.folderMonth)
        for (position, candidate) in clip.names.enumerated() {
            ordinals.append(Int64(jobs.count))
            positions.append(Int64(position))
            names.append(candidate.name)
            keys.append(candidate.key)
        }
    }

    /// `$2` to `$11`.
    var values: [PostgresValue] {
        [
            .integers(jobs.map(\.part)), .integers(jobs.map(\.lease)), .integers(objects.map(\.generation)),
            .integers(objects.map(\.size)), .integers(objects.map { Int64($0.crc32c) }), .texts(objects.map(\.md5)),
            .texts(objects.map(\.fidelity.rawValue)), .texts(objects.map(\.mediaKind)),
            .booleans(objects.map(\.adopted)), .texts(objects.map(\.newName)),
        ]
    }

    /// `$12` to `$16`.
    var motionValues: [PostgresValue] {
        [.texts(months), .integers(ordinals), .integers(positions), .texts(names), .texts(keys)]
    }
}

/// Columns of parts that are skipped or dead.
private struct EndedBatch {
    var jobs: [JobReference] = []
    private var kinds: [String?] = [], reasons: [String?] = []

    mutating func append(_ job: JobReference, _ kind: String, _ reason: String) {
        jobs.append(job)
        kinds.append(kind)
        reasons.append(reason)
    }

    /// `$2` to `$5`.
    var values: [PostgresValue] {
        [.integers(jobs.map(\.part)), .integers(jobs.map(\.lease)), .texts(kinds), .texts(reasons)]
    }
}
