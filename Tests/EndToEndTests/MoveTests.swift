import Foundation
import GoogleSimulator
import JobQueue
import Postgres
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `coldroll move` between the private PostgreSQL and a shared one.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct MoveTests {
    private func stage(_ count: Int) throws -> Stage {
        try Stage { $0.synthesis = SynthesisOptions(count: count, sizes: 5_000...9_000, videoPercent: 0) }
    }

    /// A ledger of many parts, without a library behind it.
    private func fill(_ stage: Stage, _ count: Int = 60_000) async throws {
        try await stage.texts(
            """
            WITH s AS (
                INSERT INTO coldroll.source (kind, account) VALUES ('library', 'default') RETURNING id
            ), l AS (
                INSERT INTO coldroll.lane (source_id, kind) SELECT id, 'photo' FROM s RETURNING id
            ), i AS (
                INSERT INTO coldroll.item (source_id, scan_id, is_video, source_item, capture_from, filename)
                SELECT s.id, 1, false, 'item' || n, 'api', E'ümlaut\\t\\\\' || n FROM s, generate_series(1, \(count)) AS n
                RETURNING id, source_id
            ), p AS (
                INSERT INTO coldroll.part (item_id, source_id, kind, folder_month, object_name, name_key)
                SELECT id, source_id, 'still', '202401', '202401/' || id, '202401/' || id FROM i RETURNING id
            ), o AS (
                INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, adopted, fidelity, media_kind)
                SELECT id, 1, id, id, nextval('coldroll.lease'), 1, false, 'rendition', 'jpeg' FROM p WHERE id % 2 = 0
            )
            INSERT INTO coldroll.job (part_id, lane_id) SELECT p.id, l.id FROM p, l WHERE p.id % 2 = 1
            """
        )
    }

    private func expectMoved(_ end: Program.End, _ location: SourceLocation = #_sourceLocation) {
        #expect(end.status == 1, "\(end.output)", sourceLocation: location)
        #expect(end.output.contains("This ledger was moved to the "), "\(end.output)", sourceLocation: location)
    }

    @Test func `a laptop's ledger becomes a fleet's and comes back, and what it left behind refuses`() async throws {
        let stage = try stage(12)
        #expect(try await stage.run("setup", changing: Stage.inPrivate).status == 0)
        #expect(try await stage.run("run", changing: Stage.inPrivate).status == 0)
        // As it is now, in a backup.
        try FileManager.default.createDirectory(atPath: stage.directory + "/backup", withIntermediateDirectories: true)
        let copy = try Program(
            "/bin/cp",
            ["-a", stage.privateDirectory, stage.directory + "/backup/postgresql"],
            [:],
            output: stage.directory + "/cp"
        )
        #expect(try await copy.end().status == 0)

        let watch = try stage.start("status", "--watch", changing: Stage.inPrivate)
        try await stage.until("the status") { try watch.output.contains("stored    12") }
        let there = try await stage.run("move", stage.shared, changing: Stage.inPrivate)
        #expect(there.status == 0, "\(there.output)")
        #expect(there.output.contains("Moved the ledger: 12 items, 12 parts, 12 stored objects."), "\(there.output)")
        for command in ["run", "scan", "work", "status", "setup"] {
            let end = try await stage.run(command, changing: Stage.inPrivate)
            expectMoved(end)
            #expect(end.output.contains("the database t_"), "\(end.output)")
        }

        let nothing = try await stage.run("move", "private", changing: Stage.inPrivate)
        expectMoved(nothing)
        #expect(nothing.output.contains("the database t_"), "\(nothing.output)")

        // It shows no numbers that are of yesterday.
        try await stage.until("the watch's end") { try watch.output.contains("This ledger was moved") }
        expectMoved(try await watch.end())

        stage.simulator.resetCounters()
        let again = try await stage.run("run")
        #expect(again.status == 0, "\(again.output)")
        #expect(stage.simulator.counters.requests("redirectTarget") == 0)
        try stage.simulator.addPhoto(named: "new.jpg")
        #expect(try await stage.run("run").status == 0)
        #expect(try await stage.number("SELECT max(number) FROM coldroll.run") == 3)
        let old = try await stage.run(
            "run",
            changing: Stage.inPrivate.merging(["COLDROLL_HOME": stage.directory + "/backup"]) { $1 }
        )
        #expect(old.status == 2, "\(old.output)")
        #expect(old.output.contains("older than its archive"), "\(old.output)")

        let before = try await stage.sums(stage.conninfo)
        let back = try await stage.run("move", "private")
        #expect(back.status == 0, "\(back.output)")
        expectMoved(try await stage.run("run"))
        expectMoved(try await stage.run("move", stage.shared + "&application_name=again"))
        try stage.simulator.addPhoto(named: "newer.jpg")
        #expect(try await stage.run("run", changing: Stage.inPrivate).status == 0)
        let status = try await stage.run("status", changing: Stage.inPrivate)
        #expect(status.output.contains("stored    14 = "), "\(status.output)")
        #expect(before.rows["object"] == 13)
        try stage.proveEverythingIsStored()
    }

    @Test func `killed at any of three instants, the old ledger goes on or the same command ends the move`()
        async throws
    {
        let stage = try stage(1)
        try await fill(stage)
        let sums = try await stage.sums(stage.conninfo)
        func kill(_ move: Program) async throws {
            move.signal(SIGKILL)
            #expect(try await move.end().status == SIGKILL)
        }
        let isCopying =
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'coldroll move' AND query LIKE 'COPY coldroll.%'"

        // In the middle of the copy.
        let first = try stage.start("move", "private")
        // A process of its own, since the copy takes less than a busy test may sleep.
        let hunt = #"until [ -n "$(psql -XAtc "$1" "$2")" ]; do kill -0 "$3" || exit 1; done; kill -9 "$3""#
        let query = isCopying + " AND datname = current_database()"
        let hunter = try Program(
            "/bin/sh",
            ["-c", hunt, "sh", query, stage.conninfo, "\(first.processID)"],
            stage.environment.filter { $0.key == "PATH" },
            output: stage.directory + "/hunter"
        )
        let hunted = try await hunter.end()
        #expect(hunted.status == 0, "\(hunted.output)")
        #expect(try await first.end().status == SIGKILL)
        try await stage.texts("UPDATE coldroll.lane SET park_reason = NULL")
        #expect(try await stage.sums(stage.conninfo) == sums)
        #expect(try await stage.run("status").status == 0)
        let empty = try await stage.run("status", changing: Stage.inPrivate)
        #expect(empty.output.contains("found     0\n"), "\(empty.output)")

        // When the copy is whole, and the old ledger does not know.
        let gate = try await Connection.connect(stage.conninfo)
        try await gate.script("BEGIN; SELECT FROM coldroll.ledger FOR UPDATE", name: "test.gate")
        let standing = "SELECT standing FROM coldroll.ledger"
        let second = try stage.start("move", "private")
        try await stage.until("the copy's end: \(second.output)") {
            (try? await stage.texts(standing, on: stage.privateConninfo)) == ["arriving"]
        }
        // What this attempt leaves must not be taken for the next one's.
        let moves = "SELECT move_id::text FROM coldroll.ledger"
        let known = try await stage.texts(moves, on: stage.privateConninfo)
        try await kill(second)
        try await gate.script("ROLLBACK", name: "test.open")
        try await stage.texts("UPDATE coldroll.lane SET park_reason = NULL")
        #expect(try await stage.run("status").status == 0)
        let unfinished = try await stage.run("status", changing: Stage.inPrivate)
        #expect(unfinished.status == 1)
        #expect(unfinished.output.contains("whose move from the database t_"), "\(unfinished.output)")
        #expect(unfinished.output.contains("has not ended. Repeat"), "\(unfinished.output)")

        // When the old ledger knows, and the copy does not.
        try await gate.script("BEGIN; SELECT FROM coldroll.ledger FOR UPDATE", name: "test.gate")
        let third = try stage.start("move", "private")
        try await stage.until("the copy's end: \(third.output)") {
            // The server of the command before may still be on its way out.
            guard let now = try? await stage.texts(moves, on: stage.privateConninfo) else { return false }
            return now != known && now != [""]
        }
        let far = try await Connection.connect(stage.privateConninfo)
        try await far.script("BEGIN; SELECT FROM coldroll.ledger FOR UPDATE", name: "test.gate")
        try await gate.script("ROLLBACK", name: "test.open")
        try await stage.until("the old ledger's mark") { try await stage.texts(standing) == ["moved"] }
        try await kill(third)
        await far.close()
        expectMoved(try await stage.run("status"))
        #expect(try await stage.run("status", changing: Stage.inPrivate).output.contains("has not ended"))

        let last = try await stage.run("move", "private")
        #expect(last.status == 0, "\(last.output)")
        #expect(last.output.contains("Ended the move that had been broken off"))
        #expect(try await stage.run("move", "private").output.contains("was moved there already"))
        let watch = try stage.start("status", "--watch", changing: Stage.inPrivate)
        try await stage.until("the status") { try watch.output.contains("found     60") }
        #expect(try watch.output.contains("60,000") || watch.output.contains("60000"))
        let arrived = try await stage.sums(stage.privateConninfo)
        #expect(arrived.lines.filter { !$0.hasPrefix("ledger:") } == sums.lines.filter { !$0.hasPrefix("ledger:") })
        watch.signal(SIGTERM)
        _ = try await watch.end()
        #expect(stage.postmaster == nil)
    }

    @Test func `live workers and a live scan keep the ledger where it is, silent ones do not`() async throws {
        let stage = try stage(1)
        try await fill(stage, 10)
        try await stage.texts(
            """
            INSERT INTO coldroll.worker (id, host, process_id, version, slots, sources, beat_at)
            VALUES (7, 'nas', 42, '1', 1, '{1}', now() + interval '1 hour')
            """
        )
        let live = try await stage.run("move", "private")
        #expect(live.status == 5)
        #expect(live.output.contains("Somebody works on this ledger: nas, process 42. Stop them"), "\(live.output)")
        try await stage.texts("UPDATE coldroll.worker SET beat_at = now() - interval '31 s'")
        try await stage.texts(
            "INSERT INTO coldroll.scan (source_id, renewed_at) SELECT id, now() + interval '1 hour' FROM coldroll.source"
        )
        let scanned = try await stage.run("move", "private")
        #expect(scanned.status == 5)
        #expect(scanned.output.contains("a scan of library default"), "\(scanned.output)")
        try await stage.texts("UPDATE coldroll.scan SET renewed_at = now() - interval '31 s'")

        // Somebody writes and does not end.
        let writer = try await Connection.connect(stage.conninfo)
        try await writer.script("BEGIN; UPDATE coldroll.lane SET park_reason = NULL", name: "test.write")
        let busy = try await stage.run("move", "private")
        #expect(busy.status == 5)
        #expect(busy.output.contains("a transaction that was left open"), "\(busy.output)")
        await writer.close()
        #expect(try await stage.run("move", "private").status == 0)
    }

    @Test func `a worker that slept through the move changes nothing and says where the ledger went`() async throws {
        let stage = try stage(5)
        let zombie = try stage.start("work")
        try await stage.until("the worker") { try await stage.number("SELECT count(*) FROM coldroll.worker") == 1 }
        zombie.signal(SIGSTOP)
        try await stage.texts("UPDATE coldroll.worker SET beat_at = now() - interval '31 s'")
        #expect(try await stage.run("move", "private").status == 0)
        let sums = try await stage.sums(stage.conninfo)
        zombie.signal(SIGCONT)
        let end = try await zombie.end()
        #expect(end.status != 0)
        #expect(
            end.output.contains("This ledger was moved to the private PostgreSQL in \(stage.directory)/home"),
            "\(end.output)"
        )
        #expect(try await stage.sums(stage.conninfo) == sums)
    }

    @Test func `a database that holds another ledger is refused, and no password is ever shown`() async throws {
        let stage = try stage(1)
        try await fill(stage, 10)
        #expect(try await stage.run("setup", changing: Stage.inPrivate).status == 0)
        let full = try await stage.run("move", stage.shared, changing: Stage.inPrivate)
        #expect(full.status == 1)
        #expect(full.output.contains("There is a ledger in the database t_"), "\(full.output)")
        #expect(full.output.contains("'DROP SCHEMA coldroll CASCADE'"), "\(full.output)")
        #expect(try await stage.run("status", changing: Stage.inPrivate).status == 0)
        let same = try await stage.run("move", "private", changing: Stage.inPrivate)
        #expect(same.status == 1 && same.output.contains("already: nothing to move"), "\(same.output)")
        let itself = try await stage.run("move", stage.shared)
        #expect(itself.status == 1)
        #expect(itself.output.contains("already: nothing to move"), "\(itself.output)")

        let secret = stage.shared.replacing("postgresql://", with: "postgresql://postgres:hunter2@")
        let typed = try await stage.run("move", secret, changing: Stage.inPrivate)
        #expect(typed.status == 1)
        #expect(typed.output.contains("PGPASSWORD"), "\(typed.output)")
        let hidden = secret.replacing("user=postgres&", with: "").replacing("&user=postgres", with: "")
        let moved = try await stage.run("move", "private", changing: ["COLDROLL_DATABASE_URL": hidden])
        #expect(moved.status == 0, "\(moved.output)")
        let refused = try await stage.run("status", changing: ["COLDROLL_DATABASE_URL": hidden])
        let kept = try await stage.texts("SELECT l::text FROM coldroll.ledger AS l")
        for text in [typed.output, moved.output, refused.output] + kept {
            #expect(!text.contains("hunter2"), "\(text)")
        }
    }

    /// Moves a ledger of three photos from the private PostgreSQL and takes it back there as if the shared one were lost.
    private func reclaimed(_ stage: Stage, meanwhile: () async throws -> Void) async throws {
        #expect(try await stage.run("setup", changing: Stage.inPrivate).status == 0)
        #expect(try await stage.run("run", changing: Stage.inPrivate).status == 0)
        let nothing = try await stage.run("reclaim", changing: Stage.inPrivate)
        #expect(nothing.status == 1)
        #expect(nothing.output.contains("This is the ledger already: nothing to reclaim."), "\(nothing.output)")
        #expect(try await stage.run("move", stage.shared, changing: Stage.inPrivate).status == 0)
        try await meanwhile()
        let question = try await stage.run("reclaim", changing: Stage.inPrivate)
        #expect(question.status == 1)
        expectMoved(try await stage.run("status", changing: Stage.inPrivate))
        let name = try #require(question.output.firstMatch(of: #/coldroll reclaim --lost '(the database t_[^']*)'/#))
        let reclaim = try await stage.run("reclaim", "--lost", String(name.1), changing: Stage.inPrivate)
        #expect(reclaim.status == 0, "\(reclaim.output)")
        #expect(reclaim.output.contains("This is the ledger again, as it was on 20"), "\(reclaim.output)")
    }

    @Test func `a reclaimed ledger goes on, and the side that was called lost is stopped by the marker`() async throws {
        let stage = try stage(3)
        try await reclaimed(stage) {}
        let setup = try await stage.run("setup", changing: Stage.inPrivate)
        #expect(setup.status == 0, "\(setup.output)")
        try stage.simulator.addPhoto(named: "new.jpg")
        #expect(try await stage.run("run", changing: Stage.inPrivate).status == 0)
        try stage.proveEverythingIsStored()
        let lost = try await stage.run("run")
        #expect(lost.status == 2, "\(lost.output)")
        #expect(lost.output.contains("older than its archive"), "\(lost.output)")
    }

    @Test func `a ledger that was reclaimed although the other side had gone on is stopped by the marker`() async throws
    {
        let stage = try stage(3)
        try await reclaimed(stage) {
            try stage.simulator.addPhoto(named: "new.jpg")
            #expect(try await stage.run("run").status == 0)
        }
        for command in ["setup", "run"] {
            let end = try await stage.run(command, changing: Stage.inPrivate)
            #expect(end.status == 2, "\(end.output)")
            #expect(end.output.contains("older than its archive"), "\(end.output)")
        }
        #expect(try await stage.run("run").status == 0)
    }
}
