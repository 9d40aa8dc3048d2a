import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// How long the history of failures is kept.
@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct PruneTests {
    @Test func `old failures go, but for the last one of a part that is dead or tried again`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(4)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3).sorted { $0.reference.part < $1.reference.part }
        let parts = jobs.map(\.reference.part)
        _ = try await fixture.queue.complete(
            worker: worker,
            [
                QueueFixture.stored(jobs[0]),
                Completion(job: jobs[1].reference, result: .dead(reason: "FAILED")),
            ]
        )
        // Two old failures and one of last month for each: of one that is stored now, of a dead one, of one that runs.
        for part in parts {
            for (age, reason) in [(300, "first"), (200, "second")] {
                try await fixture.sql(
                    """
                    INSERT INTO coldroll.job_error (part_id, lease, worker_id, at, attempt, is_crash, reason, message)
                    VALUES ($1, 1, 1, now() - make_interval(days => $2::integer), 1, false, $3, 'It failed.')
                    """,
                    [.integer(part), .integer(Int64(age)), .text(reason)]
                )
            }
        }
        try await fixture.sql(
            """
            INSERT INTO coldroll.job_error (part_id, lease, worker_id, at, attempt, is_crash, reason, message)
            VALUES ($1, 1, 1, now() - interval '30 days', 1, false, 'third', 'It failed.')
            """,
            [.integer(parts[0])]
        )
        try await fixture.queue.tidy()
        let left = try await fixture.texts(
            "SELECT concat_ws(' ', part_id, reason) FROM coldroll.job_error ORDER BY part_id"
        )
        #expect(left == ["\(parts[0]) third", "\(parts[1]) second", "\(parts[2]) second"])
        // Once it is stored, nothing needs its failures.
        _ = try await fixture.queue.complete(worker: worker, [QueueFixture.stored(jobs[2])])
        try await fixture.queue.tidy()
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error") == 3)
        try await JobQueue(pool: fixture.pool, logger: .none).tidy()
        #expect(
            try await fixture.texts("SELECT concat_ws(' ', part_id, reason) FROM coldroll.job_error ORDER BY part_id")
                == ["\(parts[0]) third", "\(parts[1]) second"]
        )
    }

    @Test func `a run removes a bounded number, and the next run goes on`() async throws {
        var timing = JobQueue.Timing()
        timing.errorAge = .seconds(86_400)
        let fixture = try await QueueFixture(timing: timing)
        try await fixture.sql(
            """
            INSERT INTO coldroll.job_error (part_id, lease, worker_id, at, attempt, is_crash, reason, message)
            SELECT n, 1, 1, now() - interval '2 days', 1, false, 'cut', 'It was cut.' FROM generate_series(1, 12000) AS n
            """
        )
        for left in [7000, 2000, 0] {
            try await fixture.queue.tidy()
            #expect(try await fixture.number("SELECT count(*) FROM coldroll.job_error") == Int64(left))
        }
    }
}
