import Foundation
import GoogleSimulator
import Postgres
import TestSupport
import Testing

/// Items whose bytes another item has too, or was given by mistake.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct TwinTests {
    /// A JPEG of 81 × 61 pixels with a comment that makes it another picture of the same size, and as many bytes.
    private static func picture(_ comment: String) throws -> Data {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let bytes = try Data(contentsOf: fixtures.appending(path: "Fixtures/formats/restarts.jpg"))
        return bytes.prefix(2) + Data([0xFF, 0xFE, 0, UInt8(comment.utf8.count + 2)]) + Data(comment.utf8)
            + bytes.dropFirst(2)
    }

    /// A library of these pictures by name; the first is the youngest, and so the one that is fetched first.
    private func stage(_ pictures: [(name: String, bytes: Data)]) throws -> Stage {
        let folder = NSTemporaryDirectory() + "coldroll-twins-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (age, picture) in pictures.enumerated() {
            let path = folder + "/" + picture.name
            try picture.bytes.write(to: URL(filePath: path))
            let date = Date(timeIntervalSince1970: 1_700_000_000 - Double(age) * 86_400 * 40)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
        }
        // Twelve beats pass before what may be another's is asked for again.
        return try Stage(beat: "2s") { $0.libraries = [folder] }
    }

    /// The first download of `name` brings the bytes of the other picture.
    private func misleadOnce(_ stage: Stage, _ name: String, times: Int = 1) {
        var wrong = FaultRule(on: "download", .wrongItem)
        wrong.match = name
        wrong.times = times
        stage.simulator.setFaults([wrong])
    }

    /// How many objects of the bucket say that they are this item's, by checksum.
    private func objects(_ stage: Stage, of name: String) throws -> [UInt32] {
        let entry = try #require(try stage.simulator.library.first { $0.filename == name })
        return stage.simulator.objects().filter { $0.metadata["coldroll-item"] == entry.id }.map(\.crc32c)
    }

    private func checksum(_ stage: Stage, _ name: String) throws -> UInt32 {
        try #require(try stage.simulator.library.first { $0.filename == name }).download.crc32c
    }

    /// The ledger's object of each item is the item's, and stands in the bucket under its name.
    private func proveEachHasItsOwn(_ stage: Stage, _ location: SourceLocation = #_sourceLocation) async throws {
        let rows = try await stage.texts(
            """
            SELECT concat_ws(' ', i.filename, p.object_name, o.crc32c)
            FROM coldroll.object AS o JOIN coldroll.part AS p ON p.id = o.part_id JOIN coldroll.item AS i ON i.id = p.item_id
            """
        )
        let library = try stage.simulator.library
        #expect(rows.count == library.count, sourceLocation: location)
        for row in rows {
            let words = row.split(separator: " ").map(String.init)
            let wanted = try #require(library.first { $0.filename == words[0] }).download.crc32c
            #expect(words[2] == String(wanted), "\(row)", sourceLocation: location)
            let there = stage.simulator.objects().first { $0.bucket == "archive" && $0.name == words[1] }
            #expect(there?.crc32c == wanted, "\(row)", sourceLocation: location)
        }
        #expect(try await stage.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.tally_error") == 0)
    }

    /// Stores the first of two with the other's bytes; nothing tells it yet, since the other one waits still.
    private func storeFirst(_ stage: Stage, _ location: SourceLocation = #_sourceLocation) async throws {
        misleadOnce(stage, "a.jpg")
        try await stage.run("scan")
        let other = "SELECT p.id::text FROM coldroll.part AS p WHERE p.object_name LIKE '%/b.jpg'"
        let part = try #require(try await stage.texts(other).first)
        try await stage.run("skip", part, "--reason", "later")
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 0 && end.output.contains("1 stored"), "\(end.output)", sourceLocation: location)
        #expect(stage.simulator.faults[0].struck == 1, sourceLocation: location)
        #expect(try objects(stage, of: "a.jpg") == [checksum(stage, "b.jpg")], sourceLocation: location)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.doubt") == 0, sourceLocation: location)
        let retried = try await stage.run("retry", part)
        #expect(retried.status == 0, "\(retried.output)", sourceLocation: location)
    }

    private func downloads(_ stage: Stage) -> Int { stage.simulator.counters.requests["download", default: 0] }

    @Test func `the first of two items that was given the other's bytes is found out before the run ends`() async throws
    {
        let stage = try stage([("a.jpg", Self.picture("one")), ("b.jpg", Self.picture("two"))])
        misleadOnce(stage, "a.jpg")
        let end = try await stage.run("run", "--slots", "1")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 1)
        // The wrong bytes were stored as its own, and stand there still, since nothing is ever deleted.
        let (own, others) = (try checksum(stage, "a.jpg"), try checksum(stage, "b.jpg"))
        #expect(try Set(objects(stage, of: "a.jpg")) == [own, others])
        try await proveEachHasItsOwn(stage)
        #expect(try await stage.texts("SELECT state FROM coldroll.doubts ORDER BY part") == ["replaced", "confirmed"])
        #expect(end.output.contains("2 stored"), "\(end.output)")

        stage.simulator.resetCounters()
        let second = try await stage.run("run")
        #expect(second.status == 0, "\(second.output)")
        #expect(downloads(stage) == 0)
    }

    @Test func `it is found out although weeks and another process lie between the two`() async throws {
        let stage = try stage([("a.jpg", Self.picture("one")), ("b.jpg", Self.picture("two"))])
        try await storeFirst(stage)
        let work = try await stage.run("work", "--drain")
        #expect(work.status == 0, "\(work.output)")
        try await proveEachHasItsOwn(stage)
        // Stored by itself, the other one was downloaded once, and then once more.
        #expect(
            try await stage.texts("SELECT state FROM coldroll.doubts ORDER BY part") == ["replaced", "confirmed"]
        )
    }

    @Test func `a failover that forgets the new name of what was replaced ends with each item's own bytes`()
        async throws
    {
        let stage = try stage([("a.jpg", Self.picture("one")), ("b.jpg", Self.picture("two"))])
        misleadOnce(stage, "a.jpg")
        // Two downloads of each of two tries have shown what it is: the one that is stored under the new name.
        var late = FaultRule(on: "download", .latency)
        late.match = "a.jpg"
        late.milliseconds = 5000
        late.after = 5
        stage.simulator.setFaults(stage.simulator.faults.map(\.rule) + [late])
        let run = try stage.start("run", "--slots", "1")
        try await stage.until("the last download") { stage.simulator.faults.last.map { $0.struck > 0 } == true }
        // As a standby has it that had not heard of the last commit.
        let forgotten = try await stage.texts(
            """
            WITH part AS (
                UPDATE coldroll.part AS p SET object_name = d.object_name, name_key = lower(d.object_name)
                FROM coldroll.doubt AS d
                WHERE d.part_id = p.id AND d.verdict = 'replaced' AND NOT EXISTS (
                    SELECT FROM coldroll.object AS o WHERE o.part_id = p.id)
                RETURNING p.id)
            UPDATE coldroll.doubt AS d SET ended_at = NULL, verdict = NULL, decided_by = NULL
            FROM part AS p WHERE d.part_id = p.id RETURNING p.id::text
            """
        )
        #expect(forgotten.count == 1)
        let end = try await run.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("lease"), "\(end.output)")
        try await proveEachHasItsOwn(stage)
        #expect(
            try await stage.texts("SELECT state FROM coldroll.doubts ORDER BY part") == ["replaced", "confirmed"]
        )
    }

    @Test func `three equal photos are stored as three, and not asked for again`() async throws {
        let same = try Self.picture("same")
        let stage = try stage([("a.jpg", same), ("b.jpg", same), ("c.jpg", same), ("d.jpg", Self.picture("else"))])
        let end = try await stage.run("run", "--slots", "1")
        #expect(end.status == 0, "\(end.output)")
        try await proveEachHasItsOwn(stage)
        // When they were stored one, two and two, and one each a while later; one of the other.
        #expect(downloads(stage) == 9)
        #expect(stage.simulator.objects().count { $0.bucket == "archive" } == 4)
        #expect(try await stage.texts("SELECT state FROM coldroll.doubts") == ["confirmed", "confirmed", "confirmed"])
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object WHERE confirmed") == 3)

        stage.simulator.resetCounters()
        for _ in 0..<2 {
            let again = try await stage.run("run")
            #expect(again.status == 0, "\(again.output)")
        }
        #expect(downloads(stage) == 0)
        let status = try await stage.run("status", "--json")
        #expect(status.output.contains(#""code":0"#), "\(status.output)")
    }

    @Test func `an item that is misled without end while it is checked stays in doubt, and the run says so`()
        async throws
    {
        let stage = try stage([("a.jpg", Self.picture("one")), ("b.jpg", Self.picture("two"))])
        try await storeFirst(stage)
        // From now on each download of it differs from every other one.
        var other = FaultRule(on: "download", .different)
        other.match = "a.jpg"
        stage.simulator.setFaults([other])
        let end = try await stage.run("work", "--drain", "--max-wait", "40s")
        #expect(end.status == 5, "\(end.output)")
        #expect(stage.simulator.faults[0].struck >= 3)
        #expect(
            try await stage.texts("SELECT state FROM coldroll.doubts WHERE state <> 'confirmed'") == [
                "is being checked"
            ]
        )
        // A person may keep what is stored.
        let doubted = "SELECT part::text FROM coldroll.doubts WHERE state = 'is being checked'"
        let part = try #require(try await stage.texts(doubted).first)
        let accepted = try await stage.run("accept", part)
        #expect(accepted.status == 0 && accepted.output.contains("stays stored as it is"), "\(accepted.output)")
        let after = try await stage.run("work", "--drain")
        #expect(after.status == 0, "\(after.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object WHERE confirmed") == 2)
    }

    @Test func `what deceives a check for a while replaces nothing that is right`() async throws {
        let same = try Self.picture("one")
        let stage = try stage([("a.jpg", same), ("c.jpg", Self.picture("two")), ("b.jpg", same)])
        // All that is asked in the first try of the check.
        var wrong = FaultRule(on: "download", .wrongItem)
        wrong.match = "a.jpg"
        wrong.after = 1
        wrong.times = 2
        stage.simulator.setFaults([wrong])
        let end = try await stage.run("run", "--slots", "1")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 2)
        try await proveEachHasItsOwn(stage)
        #expect(try await stage.texts("SELECT state FROM coldroll.doubts") == ["confirmed", "confirmed"])
        #expect(stage.simulator.objects().count { $0.bucket == "archive" } == 3)
    }

    @Test func `an item that was given another's bytes by both downloads of a try has its own in the end`() async throws
    {
        let stage = try stage([("b.jpg", Self.picture("two")), ("a.jpg", Self.picture("one"))])
        misleadOnce(stage, "a.jpg", times: 2)
        let end = try await stage.run("run", "--slots", "1")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 2)
        try await proveEachHasItsOwn(stage)
        #expect(try await stage.texts("SELECT state FROM coldroll.doubts ORDER BY state") == ["confirmed", "replaced"])
    }

    @Test func `a copy whose check brings a third item's bytes is checked once more, and has its own in the end`()
        async throws
    {
        let same = try Self.picture("one")
        let stage = try stage([("a.jpg", same), ("c.jpg", Self.picture("two")), ("b.jpg", same)])
        // The two downloads of both tries of the check, and the one that is stored.
        var wrong = FaultRule(on: "download", .wrongItem)
        wrong.match = "a.jpg"
        wrong.after = 1
        wrong.times = 5
        stage.simulator.setFaults([wrong])
        let end = try await stage.run("run", "--slots", "1")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 5)
        try await proveEachHasItsOwn(stage)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.doubt WHERE verdict = 'replaced'") == 2)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object WHERE NOT confirmed") == 0)
    }

    @Test func `items in a row that were each given the next one's bytes all have their own in the end`() async throws {
        let names = ["a", "b", "c", "d"]
        let stage = try stage(names.map { ("\($0).jpg", try Self.picture($0)) })
        #expect(try await stage.run("run").status == 0)
        // As if base URLs had been one off: the ledger says of the second and the third that they are stored as the next one
        // is. The first and the last are what a worker looks at to know the archive again.
        try await stage.texts(
            """
            WITH next AS (SELECT o.part_id, lead(o.size) OVER w AS size, lead(o.crc32c) OVER w AS crc32c, row_number() OVER w AS n
                          FROM coldroll.object AS o WINDOW w AS (ORDER BY o.part_id))
            UPDATE coldroll.object AS o SET size = n.size, crc32c = n.crc32c
            FROM next AS n WHERE n.part_id = o.part_id AND n.n IN (2, 3)
            """
        )
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 0, "\(end.output)")
        try await proveEachHasItsOwn(stage)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.doubt WHERE verdict = 'replaced'") == 2)
    }

    @Test func `what Google does not have any more stays in doubt until a person has looked at it`() async throws {
        let stage = try stage([("a.jpg", Self.picture("one")), ("b.jpg", Self.picture("two"))])
        try await storeFirst(stage)
        let entry = try #require(try stage.simulator.library.first { $0.filename == "a.jpg" })
        var gone = FaultRule(on: "get", .status)
        gone.status = 404
        gone.match = entry.id
        stage.simulator.setFaults([FaultRule(on: "batchGet", .status), gone])
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 2, "\(end.output)")
        #expect(stage.simulator.faults[1].struck > 0)
        let failures = try await stage.run("failures")
        #expect(failures.output.contains("with the same bytes as part"), "\(failures.output)")
        let doubted = "SELECT part::text FROM coldroll.doubts WHERE state LIKE 'cannot be checked: gone%'"
        let part = try #require(try await stage.texts(doubted).first)
        #expect(failures.output.contains("coldroll accept \(part)"), "\(failures.output)")
        let wrong = try await stage.run("accept", "--reason", "(")
        #expect(wrong.status == 1 && wrong.output.contains("is no regular expression"), "\(wrong.output)")
        let other = try await stage.run("accept", "--reason", "reduced")
        let none = "0 dead parts had such a reason ('coldroll failures' lists the reasons)\n"
        #expect(other.status == 0 && other.output == none, "\(other.output)")
        let accepted = try await stage.run("accept", "--reason", "^GONE.*same bytes as")
        #expect(accepted.status == 0, "\(accepted.output)")
        #expect(accepted.output.contains("stays stored as it is\n1 dead part had such a reason"), "\(accepted.output)")
        let after = try await stage.run("work", "--drain")
        #expect(after.status == 0, "\(after.output)")
    }

    @Test func `a worker that stays compares when it has nothing else to do, and status says so until then`()
        async throws
    {
        let same = try Self.picture("same")
        let stage = try stage([("a.jpg", same), ("b.jpg", same)])
        try await stage.run("scan")
        let worker = try stage.start("work")
        try await stage.until("both are stored") { try await stage.number("SELECT count(*) FROM coldroll.object") == 2 }
        let before = try await stage.run("status", "--json")
        #expect(before.output.contains(#""comparison":"#) && before.output.contains(#""code":5"#), "\(before.output)")
        try await stage.until("the comparison") {
            try await stage.number("SELECT count(*) FROM coldroll.object WHERE confirmed") == 2
        }
        // What ended a doubt is compared once more.
        try await stage.until("all is compared") {
            let after = try await stage.run("status", "--json")
            return !after.output.contains(#""comparison":"#) && after.output.contains(#""code":0"#)
        }
        worker.signal(SIGTERM)
        _ = try await worker.end()
        #expect(downloads(stage) == 5)
        try await proveEachHasItsOwn(stage)
    }

    @Test func `a worker that is killed while it checks leaves nothing undecided`() async throws {
        let stage = try stage([("a.jpg", Self.picture("one")), ("b.jpg", Self.picture("two"))])
        try await storeFirst(stage)
        let stored = "SELECT count(*) FROM coldroll.object"
        // What comes after the first download of the other one is a check, and hangs.
        var hang = FaultRule(on: "download", .stall)
        hang.after = 1
        stage.simulator.setFaults([hang])
        let worker = try stage.start("work", "--drain")
        try await stage.until("a check under way") { stage.simulator.faults[0].struck > 0 }
        #expect(try await stage.number("SELECT count(*) FROM coldroll.doubt WHERE ended_at IS NULL") == 2)
        worker.signal(SIGKILL)
        _ = try await worker.end()
        #expect(try await stage.number(stored) == 0, "what is in doubt is not stored")
        stage.simulator.setFaults([])
        // The marker remembers both: a ledger in the middle of a check is no older one.
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        try await proveEachHasItsOwn(stage)
    }
}
