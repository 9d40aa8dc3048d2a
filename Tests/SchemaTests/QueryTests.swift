import Foundation
import JobQueue
import Postgres
import Schema
import TestSupport
import Testing

/// The queries of sql/queries, run by psql as the reader that `coldroll psql` is.
@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct QueryTests {
    /// A ledger in the middle of an import: two hosts, one of them silent, a dead part, retries, stored files, a paused lane.
    private func fill() async throws -> QueueFixture {
        let fixture = try await QueueFixture()
        try await fixture.record(12)
        try await fixture.record(2, from: 100, isVideo: true)
        let nas = try await fixture.queue.register(
            host: "nas",
            processID: 7,
            version: "1.2",
            slots: 4,
            sources: [fixture.source]
        )
        let pi = try await fixture.queue.register(
            host: "pi",
            processID: 8,
            version: "1.2",
            slots: 2,
            sources: [fixture.source]
        )
        let jobs = try await fixture.queue.claim(worker: nas, sources: [fixture.source], limit: 12)
            .sorted { $0.reference.part < $1.reference.part }
        try #require(jobs.map(\.kind).count { $0 == .video } == 2)
        // Parts 1 to 3 are stored, 4 is dead after a failure, 5 and 6 are tried again, 7 is left out; 8 to 10 run.
        _ = try await fixture.queue.complete(
            worker: nas,
            [(0, 5_000_000), (1, 3_000_000), (2, 1_000_000)].map { index, size in
                Completion(job: jobs[index].reference, result: .stored(QueueFixture.object(size), motion: nil))
            }
        )
        _ = try await fixture.queue.fail(
            worker: nas,
            [
                Failure(job: jobs[3].reference, reason: "cut", message: "The body was cut."),
                Failure(job: jobs[4].reference, reason: "cut", message: "The body was cut."),
                Failure(job: jobs[5].reference, reason: "timeout", message: "No answer.", retryAfter: .seconds(900)),
            ]
        )
        try await fixture.sql("SELECT coldroll.retry(4)")
        // What failed comes after what is fresh; here it is to be the next.
        try await fixture.sql(
            "UPDATE coldroll.job SET rank = (SELECT min(rank) - 1 FROM coldroll.job) WHERE part_id = 4"
        )
        let again = try await fixture.queue.claim(worker: pi, sources: [fixture.source], limit: 1)
        try #require(again.map(\.reference.part) == [4])
        _ = try await fixture.queue.complete(
            worker: pi,
            [Completion(job: again[0].reference, result: .dead(reason: "gone"))]
        )
        _ = try await fixture.queue.complete(
            worker: nas,
            [Completion(job: jobs[6].reference, result: .skipped(reason: "raw"))]
        )
        _ = try await fixture.queue.claim(worker: pi, sources: [fixture.source], limit: 1)
        try await fixture.sql("UPDATE coldroll.job SET claimed_at = now() - interval '3 hours' WHERE part_id = 8")
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() - interval '10 minutes' WHERE host = 'pi'")
        try await fixture.sql("UPDATE coldroll.object SET stored_at = now() - interval '30 minutes' WHERE part_id = 1")
        try await fixture.sql("ANALYZE")
        return fixture
    }

    /// Runs a query as psql -f does, as a reader; its rows, columns separated by bars.
    private func run(_ name: String, _ more: [String] = []) async throws -> [String] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../sql/queries/\(name).sql")
        let answer = try await Program.run(
            "env",
            [
                "PGOPTIONS=-c role=coldroll_reader -c default_transaction_read_only=on", "psql", "-XqAt", "-v",
                "ON_ERROR_STOP=1",
            ] + more + ["-f", file.path(percentEncoded: false), MigratedDatabase.conninfo]
        )
        #expect(answer.status == 0, "\(answer.text)")
        return answer.text.split(separator: "\n").map(String.init)
    }

    /// Columns of each row, counted from 0.
    private func columns(_ rows: [String], _ numbers: [Int]) -> [[String]] {
        rows.map { row in
            let all = row.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            return numbers.map { $0 < all.count ? all[$0] : "" }
        }
    }

    @Test func `there are twelve queries, each a file that says first what it answers`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../sql/queries")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        #expect(files.sorted() == Query.all.map { $0.name + ".sql" }.sorted())
        #expect(files.count == 12)
        for query in Query.all {
            #expect(query.sql.hasPrefix("-- "))
            #expect(
                try query.sql
                    == String(contentsOf: folder.appending(path: query.name + ".sql"), encoding: .utf8)
            )
        }
    }

    @Test func `running says which process has how many transfers of what kind`() async throws {
        _ = try await fill()
        let rows = try await run("running")
        #expect(
            columns(rows, [0, 1, 2, 3, 4, 5, 6, 7, 8, 11]) == [
                ["nas", "7", "alive", "0", "4", "5", "3", "2", "0", "1.2"],
                ["pi", "8", "alive", "0", "2", "1", "1", "0", "0", "1.2"],
            ]
        )
        #expect(columns(rows, [9])[0][0].hasPrefix("03:00:"))
        #expect(columns(rows, [10])[1][0].hasPrefix("00:10:"))
    }

    @Test func `slow begins with the transfer that runs longest, beside what its host manages`() async throws {
        _ = try await fill()
        let rows = try await run("slow")
        #expect(rows.count == 6)
        // Two files of 4 MB in the last quarter of an hour.
        #expect(
            columns(rows, [0, 1, 2, 3, 6, 7, 8, 9, 10])[0] == [
                "8", "202401/item7", "still", "nas", "1", "image/jpeg", "12.0", "2", "4.44 kB/s",
            ]
        )
        #expect(columns(rows, [3, 9]).contains(["pi", "0"]))
    }

    @Test func `failures groups by reason, the dead first`() async throws {
        _ = try await fill()
        #expect(
            columns(try await run("failures"), [0, 1, 2, 3, 4, 7, 8]) == [
                ["dead", "gone", "1", "1", "0", "4", "The body was cut."],
                ["will try again", "cut", "1", "1", "0", "5", "The body was cut."],
                ["will try again", "timeout", "1", "1", "0", "6", "No answer."],
            ]
        )
    }

    @Test func `retries lists what is due next`() async throws {
        _ = try await fill()
        let rows = try await run("retries")
        #expect(
            columns(rows, [0, 1, 2, 3, 4, 6, 8]) == [
                ["5", "202401/item4", "library", "default", "photo", "1", "cut: The body was cut."],
                ["6", "202401/item5", "library", "default", "photo", "1", "timeout: No answer."],
            ]
        )
        #expect(columns(rows, [5])[1][0].hasPrefix("00:1"))
    }

    @Test func `throughput sums files and bytes by hour and host`() async throws {
        let fixture = try await fill()
        try await fixture.sql(
            "UPDATE coldroll.object SET stored_at = date_trunc('hour', now()) - interval '90 minutes'"
        )
        try await fixture.sql("UPDATE coldroll.object SET adopted = true WHERE part_id = 3")
        let rows = try await run("throughput")
        // 8 MB in an hour.
        #expect(columns(rows, [1, 2, 3, 4, 5]) == [["nas", "2", "8.00 MB", "2.22 kB/s", "1"]])
    }

    @Test func `eta divides what is left by the speed of the last hour`() async throws {
        let fixture = try await fill()
        let rows = try await run("eta")
        // 14 parts, of which 3 are stored, 1 is dead and 1 left out; three in half an hour are six an hour.
        #expect(
            columns(rows, [0, 1, 2, 3, 4, 5, 6, 7, 9]) == [
                ["library", "default", "14", "5", "35.7", "9", "6", "01:30:00", "1"]
            ]
        )
        try await fixture.sql("SELECT coldroll.pause(id) FROM coldroll.lane WHERE kind = 'photo'")
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() - interval '8 minutes'")
        let held = try #require(columns(try await run("eta"), [7, 8, 10]).first)
        #expect(held.prefix(2) == ["", ""])
        #expect(held[2].contains(/^no worker is running; \d+ parts in lane \d+, which is paused by hand$/), "\(held)")
    }

    @Test func `stuck names what does not move, and why`() async throws {
        let fixture = try await fill()
        #expect(
            columns(try await run("stuck"), [0, 1, 2]) == [
                ["running for more than two hours", "8", "nas"], ["its worker is silent", "11", "pi"],
            ]
        )
        let lane = try await fixture.number("SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        try await fixture.sql("SELECT coldroll.pause($1)", [.integer(lane)])
        try await fixture.makeDue()
        try await fixture.sql("UPDATE coldroll.job SET due = now() - interval '5 minutes' WHERE part_id = 5")
        try await fixture.sql("DELETE FROM coldroll.worker WHERE host = 'pi'")
        let problems = columns(try await run("stuck"), [0, 1])
        #expect(problems.contains(["due, and no worker has swept", "5"]))
        #expect(problems.contains(["its worker is unknown", "11"]))
        #expect(problems.contains { $0[0].hasPrefix("ready, but its lane is paused by hand") })
        #expect(problems.count == 4)
    }

    @Test func `stuck does not call silent who beats once a minute`() async throws {
        let fixture = try await fill()
        // Six beats are a death, and another worker sees it then.
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() - interval '6 minutes'")
        #expect(columns(try await run("stuck"), [0, 1]) == [["running for more than two hours", "8"]])
    }

    @Test func `stuck tells of the last worker that was killed, of outages and of parked lanes`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        _ = try await fixture.worker()
        #expect(try await run("stuck") == [])
        _ = try await fixture.queue.reportOutage(.media, place: "123", worker: 1, reason: "it answered 503")
        #expect(
            try await run("stuck").map { $0.split(separator: "|")[0] } == [
                "Google's media service (123) is away: it answered 503"
            ]
        )
        try await fixture.sql("UPDATE coldroll.breaker SET since = NULL, next_probe_at = NULL, reason = NULL")
        try await fixture.queue.park(source: fixture.source, lane: nil, for: .seconds(3600), reason: "The day is over.")
        let parked = try #require(try await run("stuck").first)
        #expect(
            parked.wholeMatch(of: /ready, but its lane is parked for 00:5\d:\d\d more: The day is over.\|1\|\|/) != nil
        )
        // Nobody is left who could declare it dead: its row says alive for ever.
        try await fixture.sql("UPDATE coldroll.worker SET beat_at = now() - interval '2 days'")
        let unserved = try await run("stuck")
        #expect(unserved.count == 1)
        #expect(
            unserved.first?.hasPrefix("ready, but no living worker serves its source|1||2 days") == true,
            "\(unserved)"
        )
    }

    @Test func `biggest begins with the largest file and its share`() async throws {
        _ = try await fill()
        #expect(
            columns(try await run("biggest"), [0, 1, 5, 6, 7]) == [
                ["1", "202401/item0", "5.00 MB", "5000000", "55.56"],
                ["2", "202401/item1", "3.00 MB", "3000000", "33.33"],
                ["3", "202401/item2", "1.00 MB", "1000000", "11.11"],
            ]
        )
    }

    @Test func `acknowledged lists what was skipped, accepted, or is not listed any more, and entries without an id`()
        async throws
    {
        let fixture = try await fill()
        #expect(
            columns(try await run("acknowledged"), [0, 1, 2, 3, 4, 5, 7, 9]) == [
                ["skipped", "library", "default", "7", "202401/item6", "item6", "f", "raw, by worker"]
            ]
        )
        // Part 1 is stored, 12 is not: both left the listing. Of two scans that were accepted the second one speaks.
        try await fixture.sql(
            """
            INSERT INTO coldroll.absence (item_id, source_id, scan_id, believed)
            SELECT p.item_id, $1, 1, p.id = 1 FROM coldroll.part AS p WHERE p.id IN (1, 12)
            """,
            [.integer(fixture.source)]
        )
        let accepted = """
            WITH scan AS (
                INSERT INTO coldroll.scan (source_id, unreadable, outcome, ended_at, accepted)
                VALUES ($1, $2, 'complete', now(), $3)
                RETURNING id
            )
            INSERT INTO coldroll.unread (scan_id, entries, identity, filename)
            SELECT s.id, $2, 'x', 'x.jpg' FROM scan AS s WHERE $2 > 0
            """
        try await fixture.sql(accepted, [.integer(fixture.source), .integer(2), .boolean(true)])
        try await fixture.sql(accepted, [.integer(fixture.source), .integer(1), .boolean(true)])
        try await fixture.sql(accepted, [.integer(fixture.source), .integer(3), .boolean(false)])
        let rows = try await run("acknowledged")
        #expect(
            columns(rows, [0]).map { $0[0] } == [
                "skipped", "not listed any more", "not listed any more", "without an id",
            ]
        )
        #expect(
            columns(rows, [3, 7, 9])[1...2] == [
                ["1", "t", "taken for deleted from Google"], ["12", "f", "not believed: the scan is suspicious"],
            ]
        )
        #expect(columns(rows, [9])[3][0].wholeMatch(of: /1 entry of scan \d+, accepted/) != nil)
        #expect(columns(rows, [5])[3] == ["x.jpg"])
        // One that has them all is the end of it.
        try await fixture.sql(accepted, [.integer(fixture.source), .integer(0), .boolean(false)])
        #expect(try await run("acknowledged").count == 3)
        // What had been given up and is stored since by somebody's word.
        try await fixture.sql(
            """
            INSERT INTO coldroll.outcome (part_id, kind, reason, decided_by, superseded_at, superseded_by)
            VALUES (1, 'dead', 'cut: it ends oddly', 'worker', now(), 'anna, accept'), (2, 'dead', 'cut', 'worker', now(), 'anna, retry')
            """
        )
        #expect(
            columns(try await run("acknowledged"), [0, 3, 7, 9]).last == [
                "stored as it is", "1", "t", "cut: it ends oddly, accepted by anna",
            ]
        )
        // And what was accepted before it was given up, or keeps another item's bytes.
        let user = try await fixture.texts("SELECT coldroll.accept(5), session_user::text")
        try #require(user[0].contains("even if it is smaller"))
        try await fixture.sql("DELETE FROM coldroll.job WHERE part_id = 5")
        try await fixture.sql(
            """
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
            VALUES (5, 1, 7, 1, 1, 1, false, 'unrecognised', 'unknown')
            """
        )
        try await fixture.sql(
            """
            INSERT INTO coldroll.doubt (part_id, twin_id, generation, size, crc32c, lease, worker_id, stored_at, adopted, fidelity,
                                        media_kind, object_name, ended_at, verdict, decided_by)
            SELECT o.part_id, 3, 1, o.size, o.crc32c, o.lease, o.worker_id, o.stored_at, false, o.fidelity, o.media_kind, 'n',
                   now(), 'accepted', 'anna'
            FROM coldroll.object AS o WHERE o.part_id = 2
            """
        )
        let kept = columns(try await run("acknowledged"), [0, 3, 9]).suffix(3)
        #expect(kept.contains(["stored as it is", "2", "has the same bytes as part 3, accepted by anna"]))
        #expect(
            kept.contains { $0[1] == "5" && $0[2].hasPrefix("cut: The body was cut., accepted by ") },
            "\(kept)"
        )
        let story = try await run("story", ["-v", "part=5"])
        #expect(story.contains { $0.contains("accepted") }, "\(story)")
        #expect(!story.contains { $0.contains("dead") }, "\(story)")
    }

    @Test func `runs tells which of them listed all of a library`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.sql("INSERT INTO coldroll.source (kind, account) VALUES ('picker', 'default')")
        let row = """
            INSERT INTO coldroll.run (source_id, host, started_at, ended_at, outcome, found, stored, duplicate, skipped, dead, live,
                                      unaccounted, stored_bytes)
            SELECT s.id, 'nas', now() - make_interval(days => $2::integer), now() - make_interval(days => $2::integer) + interval '2 hours',
                   'complete', 9, 9, 0, 0, 0, 0, 0, 9
            FROM coldroll.source AS s WHERE s.kind = $1
            """
        let scan = """
            INSERT INTO coldroll.scan (source_id, outcome, reason, started_at, ended_at, since, seen, new, items)
            SELECT s.id, $3, CASE WHEN $3 <> 'complete' THEN 'few' END,
                   now() - make_interval(days => $2::integer) + make_interval(mins => $5::integer),
                   now() - make_interval(days => $2::integer) + interval '1 hour', $4::date, 9, 9, 7
            FROM coldroll.source AS s WHERE s.kind = $1
            """
        for (kind, days, outcome, since, began) in [
            ("library", 5, "complete", nil, 1), ("library", 4, "complete", "2026-01-01", 1),
            ("library", 3, "suspicious", nil, 1),
            // A scan of before, gone on with.
            ("library", 2, "complete", nil, -10),
            ("picker", 1, "complete", nil, 1),
        ] as [(String, Int64, String, String?, Int64)] {
            try await fixture.sql(row, [.text(kind), .integer(days)])
            try await fixture.sql(scan, [.text(kind), .integer(days), .text(outcome), .text(since), .integer(began)])
            // The others listed a part, went on with a scan of before, or picked.
            guard kind == "library", since == nil, began > 0 else { continue }
            try await fixture.sql(
                """
                UPDATE coldroll.run AS r SET scan_id = (SELECT max(c.id) FROM coldroll.scan AS c)
                WHERE r.number = (SELECT max(l.number) FROM coldroll.run AS l)
                """
            )
        }
        #expect(
            columns(try await run("runs"), [1, 6, 7, 8]) == [
                ["picker", "complete", "f", "7"], ["library", "complete", "f", "7"], ["library", "complete", "f", "7"],
                ["library", "complete", "f", "7"], ["library", "complete", "t", "7"],
            ]
        )
    }

    @Test func `tables tells dead rows, vacuums and a snapshot that is held`() async throws {
        let fixture = try await fill()
        let holder = try await Connection.connect(MigratedDatabase.conninfo)
        try await holder.script(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM coldroll.job",
            name: "test.hold"
        )
        try await fixture.sql("VACUUM coldroll.item")
        let rows = try await run("tables")
        let tables = try await fixture.texts(
            "SELECT relname FROM pg_class WHERE relnamespace = 'coldroll'::regnamespace AND relkind = 'r' ORDER BY 1"
        )
        #expect(columns(rows, [0]).map { $0[0] }.sorted() == tables)
        let item = try #require(columns(rows, [0, 6, 8, 10]).first { $0[0] == "item" })
        // One page of fourteen small rows is mostly empty.
        #expect(Int(item[1]).map { 50...99 ~= $0 } == true)
        #expect(item[2] != "")
        #expect(item[3].hasPrefix("00:00:") || item[3].hasPrefix("00:01:"))
        await holder.close()
    }

    @Test func `a transaction that wrote and then does nothing is told, also without a snapshot`() async throws {
        let fixture = try await QueueFixture()
        #expect(try await fixture.texts("SELECT coalesce(coldroll.snapshot_held()::text, 'none')") == ["none"])
        let writer = try await Connection.connect(MigratedDatabase.conninfo)
        try await writer.script("BEGIN; INSERT INTO coldroll.tally VALUES (1, NULL, 1, 0, 'found')", name: "test.write")
        #expect(
            try await fixture.number(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND backend_xmin IS NULL"
            ) >= 1
        )
        #expect(try await fixture.texts("SELECT coalesce(coldroll.snapshot_held()::text, 'none')") != ["none"])
        await writer.close()
    }

    @Test func `story of what is no number says so`() async throws {
        #expect(try await run("story", ["-v", "part=x"]).first?.hasSuffix("That is no number of a part.") == true)
    }

    @Test func `sizes are those that the commands print`() async throws {
        let fixture = try await QueueFixture()
        // As `Quantity.bytes` has them.
        let sizes: [(Int64, String)] = [
            (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9994, "9.99 kB"), (9996, "10.0 kB"), (99_940, "99.9 kB"),
            (99_960, "100 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"), (11_950_000, "12.0 MB"),
            (1_950_000_000, "1.95 GB"),
        ]
        for (bytes, text) in sizes {
            #expect(try await fixture.texts("SELECT coldroll.size_text(\(bytes))") == [text])
        }
    }

    @Test func `story tells all about one item, in order of time`() async throws {
        _ = try await fill()
        let dead = columns(try await run("story", ["-v", "part=4"]), [1, 2, 3])
        #expect(dead.map { $0[1] } == ["found", "part still", "failure 1", "dead"])
        #expect(dead[0][2].hasPrefix("library default, scan 1, item3, image/jpeg, 4000 x 3000, taken 2024-01-02"))
        #expect(dead[1] == ["4", "part still", "202401/item3"])
        #expect(dead[2][2].hasPrefix("cut: The body was cut., nas process 7, lease "))
        #expect(dead[3][2].hasPrefix("gone, decided by worker, 1 failures"))
        let stored = columns(try await run("story", ["-v", "part=2"]), [2, 3])
        #expect(stored.map { $0[0] } == ["found", "part still", "stored"])
        #expect(stored[2][1].hasPrefix("3000000 bytes, crc32c 7, generation 1, rendition, jpeg, nas process 7, lease "))
        let waiting = columns(try await run("story", ["-v", "part=6"]), [2, 3])
        #expect(waiting.last?[0] == "now scheduled")
        #expect(waiting.last?[1].contains("1 failures, 0 crashes, timeout: No answer.") == true)
    }
}
