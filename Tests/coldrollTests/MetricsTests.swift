import Archiver
import Foundation
@testable import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

@testable import coldroll

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct MetricsTests {
    private func database(_ fixture: QueueFixture) -> Database {
        Database(
            conninfo: "",
            listenConninfo: "",
            pool: fixture.pool,
            ledger: fixture.ledger,
            queue: fixture.queue
        )
    }

    /// Every line is a comment or a sample in the form of the format's description; each series stands once.
    private func check(_ text: String) {
        var series: Set<String> = []
        var typed: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# TYPE ") {
                typed.insert(String(line.split(separator: " ")[2]))
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            let sample = line.wholeMatch(
                of: #/([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)+\})? (-?[0-9.e+-]+|NaN|\+Inf)/#
            )
            guard let sample else {
                Issue.record("no sample: \(line)")
                continue
            }
            let name = String(sample.1).replacing(#/_(bucket|sum|count)$/#, with: "")
            #expect(typed.contains(name) || typed.contains(String(sample.1)), "\(line)")
            #expect(series.insert("\(sample.1)\(sample.2 ?? "")").inserted, "twice: \(line)")
        }
        #expect(text.hasSuffix("\n"))
    }

    @Test func `the ledger's sums are shown, and nothing that names a file or a secret`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(10)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 6)
        _ = try await fixture.queue.complete(
            worker: worker,
            [
                QueueFixture.stored(jobs[0]), QueueFixture.stored(jobs[1]),
                Completion(job: jobs[2].reference, result: .dead(reason: "gone: IMG_1.jpg is not there")),
                Completion(job: jobs[3].reference, result: .dead(reason: "IMG_2.jpg")),
            ]
        )
        _ = try await fixture.queue.fail(
            worker: worker,
            [Failure(job: jobs[4].reference, reason: "cut", message: "IMG_3.jpg was cut", retryAfter: nil)]
        )
        try await fixture.ledger.signIn(
            source: fixture.source,
            id: "00000000-0000-4000-8000-000000000001",
            subject: "104",
            scopes: ["openid"],
            lifetime: .seconds(600_000),
            replacing: nil
        )
        let run = try await fixture.ledger.beginRun(source: fixture.source, host: "h").number
        try await fixture.ledger.finishRun(run, outcome: "complete", totals: Totals(), unreadable: 0)
        try await fixture.sql("UPDATE coldroll.run SET started_at = ended_at - interval '100 seconds'")
        _ = try await fixture.ledger.askForTurn(source: fixture.source)
        _ = try await fixture.ledger.keepSchedule(source: fixture.source, expression: "0 3 1 * *", zone: "UTC")
        let metrics = Metrics(database: database(fixture), source: fixture.source, isScheduled: true)
        metrics.note(PartTime(kind: .still, isStored: true, duration: .milliseconds(300)))
        metrics.note(PartTime(kind: .still, isStored: true, duration: .seconds(3)))
        let text = try await metrics.text()
        check(text)
        for line in [
            "coldroll_jobs{source=\"library\",account=\"default\",lane=\"photo\",state=\"ready\"} 4",
            "coldroll_jobs{source=\"library\",account=\"default\",lane=\"photo\",state=\"scheduled\"} 1",
            "coldroll_jobs{source=\"library\",account=\"default\",lane=\"photo\",state=\"running\"} 1",
            "coldroll_jobs_to_retry{source=\"library\",account=\"default\",lane=\"photo\"} 1",
            "coldroll_parts{state=\"found\"} 10", "coldroll_parts{state=\"stored\"} 2",
            "coldroll_parts{state=\"dead\"} 2",
            "coldroll_parts_unaccounted 0", "coldroll_stored_bytes 20", "coldroll_dead_parts{reason=\"gone\"} 1",
            "coldroll_dead_parts{reason=\"other\"} 1", "coldroll_failed_tries{reason=\"cut\"} 1", "coldroll_workers 1",
            "coldroll_turn_open 1", "coldroll_turn_held 0", "coldroll_run_duration_seconds_bucket{le=\"60\"} 0",
            "coldroll_run_duration_seconds_bucket{le=\"300\"} 1", "coldroll_run_duration_seconds_bucket{le=\"+Inf\"} 1",
            "coldroll_run_duration_seconds_sum 100", "coldroll_login_good{source=\"library\",account=\"default\"} 1",
            "coldroll_part_duration_seconds_bucket{kind=\"still\",result=\"stored\",le=\"0.5\"} 1",
            "coldroll_part_duration_seconds_bucket{kind=\"still\",result=\"stored\",le=\"5\"} 2",
            "coldroll_part_duration_seconds_count{kind=\"still\",result=\"stored\"} 2",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)\n\(text)")
        }
        for name in [
            "coldroll_oldest_ready_seconds", "coldroll_last_success_timestamp_seconds", "coldroll_login_expiry_seconds",
            "coldroll_next_due_timestamp_seconds",
        ] {
            #expect(text.contains("\n\(name)"), "\(name)")
        }
        #expect(!text.contains("coldroll_token_expiry_seconds"), "nothing is known of a token")
        #expect(!text.contains("IMG_") && !text.contains("item1"))
    }

    @Test func `every metric is documented, and none that is not there`() throws {
        var numbers = LedgerNumbers()
        numbers.lanes = [.init(source: "s", account: "a", kind: "photo", live: 1, scheduled: 0, again: 0, running: 0)]
        (numbers.oldest, numbers.nextDue, numbers.dead, numbers.failures) = (1, 1, ["x": 1], ["x": 1])
        numbers.successes = [("s", "a", 1)]
        numbers.quotas = [
            .init(
                project: "p",
                kind: "api",
                limit: 1,
                used: 0,
                left: 1,
                isRefused: false,
                resetsInSeconds: 1,
                finishDate: nil
            )
        ]
        numbers.logins = [
            .init(
                source: "s",
                account: "a",
                state: "good",
                reason: nil,
                secondsSinceLogin: 1,
                endsInSeconds: 1,
                endDate: nil,
                tokenSeconds: 1,
                refreshes: 1
            )
        ]
        numbers.outages = [OpenBreaker(service: .media, place: "p", reason: "r", seconds: 1, secondsToProbe: 1)]
        var text = MetricsText()
        numbers.write(to: &text)
        check(text.text)
        let told = text.text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map {
            $0.split(separator: " ")[2]
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/serve.md")
        let documented = try String(contentsOf: file, encoding: .utf8).matches(of: #/\n\| `(coldroll_[a-z_]+)` \|/#)
            .map(\.output.1)
        let own = ["coldroll_build_info", "coldroll_part_duration_seconds"]
        #expect(Set(documented.map(String.init)) == Set(told.map(String.init) + own))
        #expect(Set(documented).count == documented.count)
    }

    @Test func `an empty ledger has numbers too`() async throws {
        let fixture = try await QueueFixture()
        let text = try await Metrics(database: database(fixture), source: fixture.source, isScheduled: false).text()
        check(text)
        #expect(text.contains("\ncoldroll_parts{state=\"found\"} 0\n"))
        #expect(!text.contains("coldroll_oldest_ready_seconds") && !text.contains("coldroll_next_due"))
    }

    @Test func `however often it is asked, the ledger is looked at now and then`() async throws {
        let fixture = try await QueueFixture()
        let metrics = Metrics(database: database(fixture), source: fixture.source, isScheduled: false)
        _ = try await metrics.text()
        try await fixture.record(5)
        for _ in 0..<20 { #expect(try await metrics.text().contains("\ncoldroll_parts{state=\"found\"} 0\n")) }
    }

    @Test func `the next due time is that of the ledger's schedule, and stays behind where nobody sees to it`()
        async throws
    {
        let fixture = try await QueueFixture()
        let (ledger, source) = (fixture.ledger, fixture.source)
        func next() async throws -> String? {
            let text = try await Metrics(database: database(fixture), source: source, isScheduled: true).text()
            return text.firstMatch(of: #/\ncoldroll_next_due_timestamp_seconds (\d+)\n/#).map { String($0.1) }
        }
        #expect(try await next() == nil)
        _ = try await ledger.keepSchedule(source: source, expression: "0 3 1 * *", zone: "Europe/Helsinki")
        try await fixture.sql("UPDATE coldroll.schedule SET since = '2026-08-15 00:00+00'")
        // 2026-09-01 03:00 in Helsinki.
        #expect(try await next() == "1788220800")
        _ = try await ledger.makeDue(source: source, at: 1_788_220_800)
        // The clocks there were still those of summer in October.
        #expect(try await next() == "1790812800")
        try await fixture.sql("UPDATE coldroll.schedule SET zone = 'Mars/Olympus'")
        #expect(try await next() == nil)
    }

    @Test func `labels are escaped`() {
        var text = MetricsText()
        text.gauge("x", "a\nb", [([("account", "a\"b\\c\nd")], 1.5)])
        #expect(text.text == "# HELP x a\\nb\n# TYPE x gauge\nx{account=\"a\\\"b\\\\c\u{FFFD}d\"} 1.5\n")
        check(text.text)
    }
}
