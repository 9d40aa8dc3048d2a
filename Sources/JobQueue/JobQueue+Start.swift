package import Postgres

extension JobQueue {
    /// Says that these transfers begin; returns those that may.
    ///
    /// The rest is not this worker's any more. Asked before a transfer begins, never after: should the part kill its
    /// worker in the next instant, the database knows whom to blame, and that what only waited is innocent. Safe to
    /// repeat.
    package func start(
        worker: Int64,
        _ jobs: [JobReference]
    ) async throws(PostgresError) -> Set<JobReference> {
        guard !jobs.isEmpty else { return [] }
        let rows = try await pool.run(
            StartStatements.start,
            [.integer(worker), .integers(jobs.map(\.part)), .integers(jobs.map(\.lease))]
        )
        var begun: Set<JobReference> = []
        for row in rows { begun.insert(JobReference(part: try row.integer(0), lease: try row.integer(1))) }
        return begun
    }
}
