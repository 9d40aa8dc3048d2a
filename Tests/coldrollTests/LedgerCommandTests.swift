import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

@testable import coldroll

/// The commands that ask and change the ledger, run as a person runs them.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct LedgerCommandTests {
    private var environment: [String: String] { ["COLDROLL_DATABASE_URL": MigratedDatabase.conninfo] }

    private func run(_ words: String...) async throws -> Program.Answer {
        try await Program.run(words, environment: environment)
    }

    /// Three photos: one stored, one dead, one waiting; returns the number of the dead part.
    private func fill() async throws -> Int64 {
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        let ledger = Ledger(pool: pool)
        let queue = JobQueue(pool: pool, logger: .none)
        let source = try await ledger.source(kind: "library", account: "ada", clientID: nil)
        let scan = try await ledger.openScan(source: source, since: nil, until: nil)
        let items = (1...3).map { number in
            let name = NameCandidate(name: "202401/\(number).jpg", key: "202401/\(number).jpg")
            return FoundItem(
                sourceItem: "item-\(number)",
                filename: "\(number).jpg",
                mimeType: "image/jpeg",
                captureTime: "2024-01-02T03:04:05Z",
                captureFrom: "api",
                width: 1,
                height: 1,
                isVideo: false,
                parts: [NewPart(kind: .still, folderMonth: "202401", names: [name])]
            )
        }
        _ = try await ledger.record(scan, items, unreadable: 0, nextPageToken: nil)
        _ = try await ledger.finish(scan, outcome: "complete", reason: nil)
        let worker = try await queue.register(host: "nas", processID: 7, version: "1", slots: 4, sources: [source])
        let jobs = try await queue.claim(worker: worker, sources: [source], limit: 2)
        try #require(jobs.count == 2)
        let object = ObjectRecord(
            generation: 1,
            size: 1_000_000,
            crc32c: 1,
            md5: nil,
            fidelity: .rendition,
            mediaKind: "jpeg",
            adopted: false
        )
        let ended = try await queue.complete(
            worker: worker,
            [
                Completion(job: jobs[0].reference, result: .stored(object, motion: nil)),
                Completion(job: jobs[1].reference, result: .dead(reason: "reduced")),
            ]
        )
        try #require(ended.count == 2)
        await pool.close()
        return jobs[1].reference.part
    }

    @Test func everyStatementOfTheCommandsFitsTheSchema() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        for statement in AdminStatements.all + StatusStatements.all + DoctorStatements.all + MetricStatements.all {
            let counts = try await connection.describe(statement)
            #expect(counts.columns >= 1, "\(statement.name)")
        }
        await connection.close()
    }

    @Test func statusTellsTheSumsAndWhoWorks() async throws {
        _ = try await fill()
        let text = try await run("status")
        #expect(text.code == 0)
        #expect(text.error == "")
        #expect(text.output.hasPrefix("stored    1 = 0 originals + 1 Google rendition, 1.00 MB\n"))
        #expect(
            text.output.contains(
                "found     3 = 1 stored + 1 dead + 1 ready; 'coldroll failures' tells why parts are dead\n"
            )
        )
        #expect(text.output.contains("library ada photo: open"))
        #expect(text.output.contains("worker    nas process 7"))
        let json = try await run("status", "--json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let parts = try #require(report["parts"] as? [String: Any])
        #expect(parts["found"] as? Int == 3)
        #expect(parts["unaccounted"] as? Int == 0)
        #expect(parts["stored_bytes"] as? Int == 1_000_000)
        #expect((report["oldest"] as? [[String: Any]])?.first?["state"] as? String == "waiting")
    }

    @Test func `a ledger in which nothing was ever listed is no success`() async throws {
        let text = try await run("status")
        #expect(text.code == 0)
        #expect(text.output.contains("LISTING: Nothing was ever listed: run 'coldroll scan' or 'coldroll run'.\n"))
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        let ledger = Ledger(pool: pool)
        #expect(try await verdict() == 5)
        // Nor is a source that was only chosen.
        let source = try await ledger.source(kind: "library", account: "ada", clientID: nil)
        #expect(try await verdict() == 5)
        let scan = try await ledger.openScan(source: source, since: nil, until: nil)
        _ = try await ledger.finish(scan, outcome: "complete", reason: nil)
        #expect(try await verdict() == 0)
        await pool.close()
    }

    /// `verdict.code` of `status --json`.
    private func verdict() async throws -> Int? {
        let json = try await run("status", "--json")
        #expect(json.code == 0)
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        return (report["verdict"] as? [String: Any])?["code"] as? Int
    }

    @Test func `the day on which a quota lets the queue be empty follows from the queue of all sources of the project`()
        async throws
    {
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        let ledger = Ledger(pool: pool)
        let queue = JobQueue(pool: pool, logger: .none)
        for (account, client, parts) in [("ada", "123-a.x", 10), ("eve", "123-b.x", 14), ("bob", "9-a.x", 1000)] {
            let source = try await ledger.source(kind: "library", account: account, clientID: client)
            _ = try await pool.run(
                Statement(
                    "test.tally",
                    "INSERT INTO coldroll.tally (source_id, place, parts) VALUES ($1::bigint, 'live', $2::bigint) RETURNING 1"
                ),
                [.integer(source), .integer(Int64(parts))]
            )
        }
        _ = try await queue.draw(project: "123", .media, limit: 10, batch: 1)
        let rows = try await pool.run(StatusStatements.quotas)
        // 24 are left to fetch, 9 of them today: two days more.
        let day = Statement(
            "test.day",
            "SELECT ((now() AT TIME ZONE 'America/Los_Angeles')::date + 2)::text"
        )
        #expect(rows.count == 1)
        #expect(rows.first?.textOrNil(6) == (try await pool.run(day).first?.textOrNil(0)))
        await pool.close()
    }

    @Test func aDeadPartIsListedAndCanBeRetriedAcceptedOrSkipped() async throws {
        let part = try await fill()
        let listed = try await run("failures")
        #expect(listed.code == 0)
        #expect(listed.output.hasPrefix("part \(part)  202401/"))
        #expect(listed.output.contains("dead: reduced"))
        #expect(try await run("failures", "--json").output.contains("\"part\":\(part)"))
        #expect(try await run("retry", "--reason", "nothing like it").output == "0 parts in the queue again\n")
        #expect(try await run("retry", "--reason", "^reduc").output == "1 part in the queue again\n")
        #expect(try await run("failures").output == "No part failed.\n")
        #expect(try await run("accept", "\(part)").output.contains("stored even if it is smaller"))
        let skipped = try await run("skip", "\(part)", "--reason", "blurred")
        #expect(skipped.code == 0)
        #expect(skipped.output.contains("is skipped"))
        #expect(try await run("status").output.contains("1 skipped"))
        #expect(try await run("retry", "\(part)").output.contains("is in the queue again"))
    }

    @Test func aPartThatDoesNotExistIsRefusedInWordsAndTheOthersAreDone() async throws {
        let part = try await fill()
        let answer = try await run("retry", "987654", "\(part)")
        #expect(answer.code == 1)
        let hint = "'coldroll failures' lists the parts that failed, by their numbers"
        #expect(answer.error == "coldroll: part 987654 is not in the ledger; \(hint)\n")
        for words in [["accept", "987654"], ["skip", "987654", "--reason", "x"]] {
            #expect(try await Program.run(words, environment: environment).error.hasSuffix("; \(hint)\n"))
        }
        let lane = try await run("pause", "987654")
        #expect(lane.error == "coldroll: there is no lane 987654; 'coldroll status' lists the lanes\n")
        #expect(answer.output.contains("part \(part) "))
    }

    @Test func aPatternThatIsNoneIsTheTypistsFault() async throws {
        _ = try await fill()
        let answer = try await run("retry", "--reason", "(reduced")
        #expect(answer.code == 1)
        #expect(answer.error.hasPrefix("coldroll: --reason is '(reduced', which is no regular expression: "))
        #expect(!answer.error.contains("PostgreSQL"))
    }

    @Test func aLaneIsPausedAndResumed() async throws {
        _ = try await fill()
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        let find = Statement("test.lane", "SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        let lane = try #require(try await pool.run(find).first?.integer(0))
        await pool.close()
        #expect(try await run("pause", "\(lane)").output.contains("is paused"))
        #expect(try await run("status").output.contains("photo: paused by hand until 'coldroll resume \(lane)'"))
        #expect(try await run("pause", "\(lane)").code == 1)
        #expect(try await run("resume", "\(lane)").output.contains("is open"))
        #expect(try await run("resume", "987654").code == 1)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalEndsAWatchWith130(number: Int32) async throws {
        let code = try await Program.signalAfterFirstLine(
            ["status", "--watch", "--json"],
            environment: environment,
            number
        )
        #expect(code == 130)
    }

    @Test func psqlReadsTheLedgerAndChangesNothing() async throws {
        let read = try await run(
            "psql",
            "--",
            "-XAtc",
            "SELECT current_user, count(*) FROM coldroll.migration GROUP BY 1"
        )
        #expect(read.code == 0)
        #expect(read.output == "coldroll_reader|\(try await migrations())\n")
        let write = try await run("psql", "--", "-Xc", "CREATE TABLE public.mine ()")
        #expect(write.code == 1)
        #expect(write.error.contains("read-only transaction"))
        #expect(try await run("psql", "--", "-Xc", "TABLE coldroll.upload").code == 1)
    }

    @Test func psqlRunsTheQueriesOfAnOwner() async throws {
        let part = try await fill()
        let failures = try await run("psql", "--query", "failures", "--", "-XAtq")
        #expect(failures.code == 0)
        #expect(failures.output.hasPrefix("dead|reduced|1|"))
        let story = try await run("psql", "--query", "story", "--", "-XAtq", "-v", "part=\(part)")
        #expect(story.output.contains("|dead|reduced, decided by worker"))
        // Nobody is there to answer: it says how to name one, and fails.
        let unnamed = try await run("psql", "--query", "story")
        #expect(unnamed.code == 1)
        #expect(unnamed.output.contains("coldroll psql --query story -- -v part=17"), "\(unnamed.output)")
        #expect(unnamed.output.contains("where object_name ilike '%IMG_0001%';"))
        #expect(try await run("psql", "--query", "everything").code == 1)
    }

    @Test func anExactStatusTellsAndCorrectsASumThatWasKeptWrong() async throws {
        _ = try await fill()
        let sums = try await run("status").output.split(separator: "\n").prefix(2)
        #expect(try await run("status", "--exact").output.split(separator: "\n").prefix(2) == sums)
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        _ = try await pool.run(
            Statement("test.spoil", "UPDATE coldroll.tally SET parts = parts + 1 WHERE place = 'found'")
        )
        await pool.close()
        #expect(try await run("status").output.contains("UNACCOUNTED: 1;"))
        let exact = try await run("status", "--exact")
        #expect(
            exact.output.contains(
                "found     3 = 1 stored + 1 dead + 1 ready; 'coldroll failures' tells why parts are dead\n"
            )
        )
        #expect(
            exact.output.contains("corrected found parts of library ada: the sum that is kept said 4, there are 3\n")
        )
        #expect(!(try await run("status").output.contains("UNACCOUNTED")))
        #expect(try await run("status", "--json", "--exact").output.contains("\"corrected\":[]"))
    }

    /// Runs `coldroll psql` with a script in psql's place.
    private func runPsql(_ script: String, _ more: [String: String] = [:]) async throws -> Program.Answer {
        let folder = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "psql")
        try "#!/bin/sh\n\(script)\n".write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return try await Program.run(
            ["psql"],
            environment: environment.merging(["PATH": folder.path + ":/usr/bin:/bin"]) { $1 }.merging(more) { $1 }
        )
    }

    @Test func psqlGetsThePasswordByItsEnvironmentAndNotByItsArguments() async throws {
        let answer = try await runPsql(
            "echo \"$*\"; echo \"$PGPASSWORD\"; exit 3",
            ["COLDROLL_DATABASE_URL": MigratedDatabase.conninfo + " password=hunter2"]
        )
        #expect(answer.output == "--dbname \(MigratedDatabase.conninfo)\nhunter2\n")
        #expect(answer.code == 3)
    }

    @Test(arguments: ["INT": SIGINT, "TERM": SIGTERM, "PIPE": SIGPIPE].sorted { $0.key < $1.key }.map { $0 })
    func psqlHasEverySignalsDefault(signal: (key: String, value: Int32)) async throws {
        let answer = try await runPsql("kill -\(signal.key) $$; exit 9")
        #expect(answer.code == 128 + signal.value)
    }

    @Test func sigtermIsPassedOnToPsqlAndSigintIsNot() async throws {
        let answer = try await runPsql(
            """
            trap 'echo terminated; kill $sleeper; exit 7' TERM
            sleep 60 & sleeper=$!
            kill -INT $PPID
            kill -TERM $PPID
            wait
            """
        )
        #expect(answer.output == "terminated\n")
        #expect(answer.code == 7)
    }

    @Test func anOlderSchemaAndADatabaseThatIsDownAreToldWithWhatToDo() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            "DELETE FROM coldroll.migration WHERE version = (SELECT max(version) FROM coldroll.migration)",
            name: "test.older"
        )
        await connection.close()
        let older = try await run("status")
        #expect(older.code == 1)
        #expect(older.error.contains("Run `coldroll setup`"))
        let down = try await Program.run(
            ["status"],
            environment: ["COLDROLL_DATABASE_URL": "host=/nonexistent user=ada password=hunter2"]
        )
        #expect(down.code == 4)
        #expect(down.error.hasPrefix("coldroll: "))
        #expect(!down.error.contains("hunter2"))
    }

    @Test func aNewerSchemaAndADatabaseThatDoesNotExistAreToldWithWhatToDo() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            """
            INSERT INTO coldroll.migration (version, name)
            SELECT max(version) + 1, 'later' FROM coldroll.migration
            """,
            name: "test.newer"
        )
        await connection.close()
        for command in [["status"], ["setup"]] {
            let newer = try await Program.run(command, environment: environment)
            #expect(newer.code == 1, "\(newer.output)\(newer.error)")
            #expect((newer.output + newer.error).contains("newer"), "\(newer.output)\(newer.error)")
        }
        let none = try await Program.run(
            ["status"],
            environment: ["COLDROLL_DATABASE_URL": MigratedDatabase.conninfo + " dbname=not_there"]
        )
        #expect(none.code == 1)
        #expect(none.error.hasPrefix("coldroll: The database does not exist: "), "\(none.error)")
    }

    private func migrations() async throws -> Int64 {
        let pool = ConnectionPool(conninfo: MigratedDatabase.conninfo, limit: 1)
        let rows = try await pool.run(Statement("test.migrations", "SELECT count(*) FROM coldroll.migration"))
        await pool.close()
        return try #require(rows.first).integer(0)
    }
}
