import JobQueue
import Postgres
import TestSupport
import Testing

/// What is asked all the time costs the same, however many jobs wait.
@Suite(.migratedDatabase, .timeLimit(.minutes(10)), .serialized) struct DepthTests {
    @Test func `a claim and the sums of status read as many pages of 300,000 jobs as of 3,000`() async throws {
        let fixture = try await QueueFixture()
        let few = try await pages(fixture, 3000)
        try await fixture.sql("DELETE FROM coldroll.job")
        try await fixture.sql("DELETE FROM coldroll.part")
        try await fixture.sql("DELETE FROM coldroll.item")
        try await fixture.sql("VACUUM coldroll.job")
        let many = try await pages(fixture, 300_000)
        // An index of a hundred times as many rows is a level or two higher.
        #expect(many.claim < few.claim * 1.5 + 200)
        #expect(many.tallies < 200)
        #expect(few.tallies < 200)
    }

    /// Pages that a claim of 100 and the sums touch in a ledger of this many jobs.
    private func pages(_ fixture: QueueFixture, _ jobs: Int64) async throws -> (claim: Double, tallies: Double) {
        let worker = try await fixture.worker()
        try await fixture.fill(jobs)
        try await fixture.sql("ANALYZE coldroll.job, coldroll.part, coldroll.item, coldroll.lane, coldroll.tally")
        #expect(try await fixture.claim(worker, 100).count == 100)
        let sums = Plan.Call(name: "part.tallies", values: [.integers([fixture.source])])
        let tallies = try await Plan(fixture, sums, run: true)
        // What waits in the queue is never counted, nor what was found.
        #expect(tallies.nodes.allSatisfy { $0.relation != "part" && $0.relation != "object" })
        #expect(
            tallies.access("job").isSubset(of: [
                "Index Scan job_running", "Index Scan job_scheduled", "Index Only Scan job_running",
                "Index Only Scan job_scheduled", "Bitmap Heap Scan ",
            ])
        )
        #expect(try await fixture.queue.tallies(sources: []).ready == jobs - 100)
        let claim = try await Plan(fixture, .claim(worker, fixture.source, 100), run: true)
        return (claim.blocks, tallies.blocks)
    }
}
