import JobQueue
import Postgres
import TestSupport
import Testing

/// Wrong states cannot be written, whoever writes them.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ConstraintTests {
    @Test(arguments: [
        ("ledger_pkey", "INSERT INTO coldroll.ledger DEFAULT VALUES"),
        ("ledger_is_only_check", "INSERT INTO coldroll.ledger (is_only) VALUES (false)"),
        ("ledger_binding", "UPDATE coldroll.ledger SET archive = 'x'"),
        ("source_kind_check", "INSERT INTO coldroll.source (kind, account) VALUES ('album', 'a')"),
        ("source_identity", "INSERT INTO coldroll.source (kind, account) VALUES ('library', 'default')"),
        ("scan_open", "INSERT INTO coldroll.scan (source_id) SELECT id FROM coldroll.source"),
        ("scan_counts_agree", "UPDATE coldroll.scan SET seen = seen + 1"),
        ("scan_parts_have_jobs", "UPDATE coldroll.scan SET parts = parts + 1"),
        ("scan_end", "UPDATE coldroll.scan SET outcome = 'complete'"),
        ("scan_reason", "UPDATE coldroll.scan SET outcome = 'failed', ended_at = now()"),
        ("scan_outcome_check", "UPDATE coldroll.scan SET outcome = 'fine', ended_at = now(), reason = 'x'"),
        ("scan_accepted", "UPDATE coldroll.scan SET accepted = true"),
        (
            "scan_accepted",
            "UPDATE coldroll.scan SET accepted = true, outcome = 'complete', ended_at = now(), since = '2024-01-01'"
        ),
        ("scan_missing_check", "UPDATE coldroll.scan SET missing = -1"),
        ("run_end", "INSERT INTO coldroll.run (source_id, host, outcome) SELECT id, 'h', 'x' FROM coldroll.source"),
        ("run_counts", "INSERT INTO coldroll.run (source_id, host, found) SELECT id, 'h', 1 FROM coldroll.source"),
        ("item_identity", "UPDATE coldroll.item SET source_item = 'item0'"),
        ("part_of_item", "UPDATE coldroll.part SET item_id = 1"),
        ("part_name_key", "UPDATE coldroll.part SET name_key = 'same'"),
        ("part_kind_check", "UPDATE coldroll.part SET kind = 'thumbnail'"),
        ("part_folder_month_check", "UPDATE coldroll.part SET folder_month = '2024-01'"),
        ("part_folder_month_check", "UPDATE coldroll.part SET folder_month = '2024-1'"),
        ("part_folder_month_check", "UPDATE coldroll.part SET folder_month = '20241'"),
        ("part_folder_month_check", "UPDATE coldroll.part SET folder_month = ''"),
        ("part_folder_month_check", "UPDATE coldroll.part SET folder_month = '２０24'"),
        ("part_object_name_check", "UPDATE coldroll.part SET object_name = repeat('x', 1025)"),
        ("part_object_name_check", "UPDATE coldroll.part SET object_name = ''"),
        ("object_size_check", "UPDATE coldroll.object SET size = -1"),
        ("object_crc32c_check", "UPDATE coldroll.object SET crc32c = 4294967296"),
        ("object_fidelity_check", "UPDATE coldroll.object SET fidelity = 'perfect'"),
        ("object_lease_check", "UPDATE coldroll.object SET lease = 0"),
        (
            "object_pkey",
            """
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            SELECT part_id, 2, 1, 1, 1, 1, false, 'rendition', 'jpeg' FROM coldroll.object
            """
        ),
        (
            "outcome_current",
            """
            INSERT INTO coldroll.outcome (part_id, kind, reason, decided_by)
            SELECT part_id, 'skipped', 'x', 'me' FROM coldroll.outcome
            """
        ),
        ("outcome_kind_check", "UPDATE coldroll.outcome SET kind = 'lost'"),
        ("outcome_reason_check", "UPDATE coldroll.outcome SET reason = ''"),
        ("outcome_duplicate", "UPDATE coldroll.outcome SET kind = 'duplicate'"),
        ("outcome_not_of_itself", "UPDATE coldroll.outcome SET kind = 'duplicate', duplicate_of = part_id"),
        ("outcome_superseded", "UPDATE coldroll.outcome SET superseded_at = now()"),
        ("job_pkey", "INSERT INTO coldroll.job (part_id, lane_id) SELECT part_id, lane_id FROM coldroll.job LIMIT 1"),
        ("job_running_has_lease", "UPDATE coldroll.job SET state = 'running' WHERE lease = 0"),
        ("job_claimed", "UPDATE coldroll.job SET lease = 99"),
        ("job_claimed", "UPDATE coldroll.job SET worker_id = NULL WHERE lease > 0"),
        ("job_scheduled_has_time", "UPDATE coldroll.job SET state = 'scheduled' WHERE lease = 0"),
        ("job_scheduled_has_time", "UPDATE coldroll.job SET due = now()"),
        ("job_attempt_check", "UPDATE coldroll.job SET attempt = -1"),
        ("job_crashes_check", "UPDATE coldroll.job SET crashes = -1"),
        ("job_start_pairs", "INSERT INTO coldroll.job_start (worker_id, parts, leases) VALUES (1, '{1,2}', '{1}')"),
        ("job_start_pairs", "INSERT INTO coldroll.job_start (worker_id, parts, leases) VALUES (1, '{}', '{}')"),
        ("lane_identity", "INSERT INTO coldroll.lane (source_id, kind) SELECT source_id, kind FROM coldroll.lane"),
        ("lane_kind_check", "UPDATE coldroll.lane SET kind = 'file'"),
        ("lane_park", "UPDATE coldroll.lane SET parked_until = now()"),
        ("lane_pause", "UPDATE coldroll.lane SET paused_at = now()"),
        ("lane_slow", "UPDATE coldroll.lane SET slowed_at = now()"),
        (
            "budget_kind_check",
            "INSERT INTO coldroll.budget (project, kind, day_limit, day) VALUES ('1', 'disk', 1, '2026-01-01')"
        ),
        (
            "budget_drawn_check",
            "INSERT INTO coldroll.budget (project, kind, day_limit, day, drawn) VALUES ('1', 'api', 1, '2026-01-01', -1)"
        ),
        ("breaker_open", "INSERT INTO coldroll.breaker (service, place, since) VALUES ('media', '1', now())"),
        ("breaker_service_check", "INSERT INTO coldroll.breaker (service, place) VALUES ('moon', '1')"),
        ("turn_why_check", "INSERT INTO coldroll.turn (source_id, why) SELECT id, 'whim' FROM coldroll.source"),
        ("turn_held", "INSERT INTO coldroll.turn (source_id, why, holder) SELECT id, 'call', 1 FROM coldroll.source"),
        ("turn_begun", "INSERT INTO coldroll.turn (source_id, why, tries) SELECT id, 'call', 1 FROM coldroll.source"),
        (
            "turn_waits",
            "INSERT INTO coldroll.turn (source_id, why, holder, beat_at, next_try_at) SELECT id, 'call', 1, now(), now() FROM coldroll.source"
        ),
        (
            "turn_end",
            "INSERT INTO coldroll.turn (source_id, why, ended_at) SELECT id, 'call', now() FROM coldroll.source"
        ),
        (
            "turn_open",
            "INSERT INTO coldroll.turn (source_id, why) SELECT id, w FROM coldroll.source, (VALUES ('call'), ('schedule')) AS v (w)"
        ),
        (
            "notice_event_check",
            "INSERT INTO coldroll.notice (source_id, event, subject, words) SELECT id, 'weather', 'x', 'x' FROM coldroll.source"
        ),
        ("worker_state_check", "UPDATE coldroll.worker SET state = 'ill', ended_at = now()"),
        ("worker_end", "UPDATE coldroll.worker SET state = 'dead'"),
        (
            "upload_stored_offset_check",
            "INSERT INTO coldroll.upload (part_id, lease, stored_offset, archive_url, object_name, session_uri) VALUES (1, 1, -1, 'x', 'x', 'x')"
        ),
    ])
    func `a wrong state is refused`(_ constraint: String, _ sql: String) async throws {
        let fixture = try await Self.filled()
        let error = await #expect(throws: PostgresError.self) { try await fixture.sql(sql) }
        #expect(error?.constraint == constraint)
    }

    /// Parts that are stored, dead, running and ready.
    private static func filled() async throws -> QueueFixture {
        let fixture = try await QueueFixture()
        try await fixture.record(4)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        _ = try await fixture.queue.complete(
            worker: worker,
            [QueueFixture.stored(jobs[0]), Completion(job: jobs[1].reference, result: .dead(reason: "x"))]
        )
        return fixture
    }

    @Test func `every table, column, view and function is explained`() async throws {
        let fixture = try await QueueFixture()
        let silent = try await fixture.texts(
            """
            SELECT c.relname || coalesce('.' || a.attname, '')
            FROM pg_class AS c
            LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = 'coldroll'::regnamespace AND c.relkind IN ('r', 'v')
              AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)
            UNION ALL
            SELECT p.proname FROM pg_proc AS p
            WHERE p.pronamespace = 'coldroll'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
            """
        )
        #expect(silent.isEmpty)
    }
}
