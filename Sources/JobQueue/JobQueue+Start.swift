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
    package func start(
        worker: Int64,
        _ jobs: [JobReference]
    ) async throws(PostgresError) -> Starts {
        var starts = Starts()
        guard !jobs.isEmpty else { return starts }
        let rows = try await pool.run(
            StartStatements.start,
            [.integer(worker), .integers(jobs.map(\.part)), .integers(jobs.map(\.lease))]
        )
        for row in rows {
            let job = JobReference(part: try row.integer(0), lease: try row.integer(1))
            if try row.boolean(2) { starts.begun.insert(job) } else { starts.heldBack.insert(job) }
        }
        return starts
    }
}
