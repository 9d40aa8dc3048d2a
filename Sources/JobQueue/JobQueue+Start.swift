package import Postgres

/// Which transfers may begin.
package struct Starts: Sendable, Equatable {
    /// These; the database knows that they do.
    package var begun: Set<JobReference> = []
    /// These are the worker's, but their lane was paused or parked since they were claimed: give them back.
    package var heldBack: Set<JobReference> = []

    package init(begun: Set<JobReference> = [], heldBack: Set<JobReference> = []) {
        self.begun = begun
        self.heldBack = heldBack
    }
}

extension JobQueue {
    /// Says that these transfers begin; returns those that may, and those that are to be given back.
    ///
    /// The rest is not this worker's any more. Asked before a transfer begins, never after: should the part kill its
    /// worker in the next instant, the database knows whom to blame, and that what only waited is innocent. Safe to
    /// repeat.
    ///
    /// - Parameters:
    ///   - worker: whose jobs they are.
    ///   - jobs: what begins.
    ///   - waits: whether it is on the disk when this returns, as it is anyway while a scan is open; else a part that takes
    ///     the database's machine down with it, in the first moments of its transfer, may be forgotten. True for the first
    ///     starts of a worker's life: such a part would begin again and again otherwise, and never be blamed.
    /// - Returns: what may begin, and what is to be given back.
    /// - Throws: `PostgresError`; ask again, nothing has begun.
    package func start(
        worker: Int64,
        _ jobs: [JobReference],
        waits: Bool = false
    ) async throws(PostgresError) -> Starts {
        var starts = Starts()
        guard !jobs.isEmpty else { return starts }
        let rows = try await pool.run(
            StartStatements.start,
            [.integer(worker), .integers(jobs.map(\.part)), .integers(jobs.map(\.lease)), .boolean(waits)]
        )
        var begun: Int64 = 0, lost: Set<JobReference> = []
        for row in rows {
            guard let part = try row.integerOrNil(0) else {
                begun = try row.integer(1)
                continue
            }
            let job = JobReference(part: part, lease: try row.integer(1))
            if try row.boolean(2) { starts.heldBack.insert(job) } else { lost.insert(job) }
        }
        if begun > 0 {
            let named = jobs.filter { !starts.heldBack.contains($0) && !lost.contains($0) }
            starts.begun = Set(named)
            guard named.count == begun else {
                throw PostgresError(
                    code: .unexpectedAnswer,
                    message:
                        "\(begun) transfers were noted as begun, and \(named.count) are not named as held back",
                    statement: StartStatements.start.name
                )
            }
        }
        return starts
    }
}
