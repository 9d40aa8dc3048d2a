import Foundation
import JobQueue
import Logging
import Postgres
import PrivatePostgres
import Testing

/// What a server forgets that dies before its disk has what it said.
///
/// Claims, pages of which nothing was begun, and starts may be lost, ends never.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ForgottenTests {
    /// A queue of a server that is killed, and started again.
    private struct Stand {
        let pool: ConnectionPool
        let ledger: Ledger
        let queue: JobQueue

        init(_ conninfo: String) {
            pool = ConnectionPool(conninfo: conninfo, limit: 2)
            ledger = Ledger(pool: pool)
            queue = JobQueue(pool: pool, logger: .none)
        }

        func number(_ sql: String) async throws -> Int64 {
            try #require(try await pool.run(Statement("test.number", sql)).first).integer(0)
        }

    }

    /// Stops the processes that bring to the disk what nobody waits for; returns their numbers.
    private func stopWriters(_ home: Home) async throws -> [pid_t] {
        let postmaster = try home.postmaster()
        func text(_ process: String, _ file: String) -> String {
            (try? String(contentsOfFile: "/proc/\(process)/\(file)", encoding: .utf8)) ?? ""
        }
        // What vacuums commits, too, and what is written to a table's file brings its log there first.
        let kinds = ["walwriter", "background writer", "autovacuum"]
        var stopped: Set<pid_t> = []
        while true {
            var names = ""
            for process in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
                guard let number = pid_t(process), text(process, "status").contains("PPid:\t\(postmaster)\n") else {
                    continue
                }
                let name = text(process, "cmdline")
                guard kinds.contains(where: name.contains) else { continue }
                kill(number, SIGSTOP)
                stopped.insert(number)
                names += name
            }
            if kinds.allSatisfy(names.contains) { return Array(stopped) }
            // The server starts them a moment after it takes the first connection.
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func page(_ ids: [String]) -> [FoundItem] {
        ids.map { id in
            FoundItem(
                sourceItem: id,
                filename: id,
                mimeType: "image/jpeg",
                captureTime: nil,
                captureFrom: "none",
                width: nil,
                height: nil,
                isVideo: false,
                parts: [
                    NewPart(kind: .still, folderMonth: "undated", names: [NameCandidate(name: id, key: id)])
                ]
            )
        }
    }

    private func stored(_ job: ClaimedJob) -> Completion {
        let object = ObjectRecord(
            generation: 1,
            size: 10,
            crc32c: 7,
            md5: nil,
            fidelity: .rendition,
            mediaKind: "jpeg",
            adopted: false
        )
        return Completion(job: job.reference, result: .stored(object, motion: nil))
    }

    /// Kills the server and what it left, and starts it again on what its disk has.
    private func restart(_ home: Home, _ writers: [pid_t], _ stand: Stand) async throws -> (PrivatePostgres, Stand) {
        kill(try home.postmaster(), SIGKILL)
        for writer in writers { kill(writer, SIGKILL) }
        await stand.pool.close()
        let server = try await home.open()
        return (server, Stand(server.conninfo))
    }

    /// A migrated queue with a scan of two items, and a worker.
    private struct Setting {
        let server: PrivatePostgres
        let stand: Stand
        let source: Int64
        let scan: ScanTicket
        let worker: Int64
    }

    private func setting(_ home: Home) async throws -> Setting {
        let server = try await home.open()
        _ = try await Migrator(conninfo: server.conninfo, silence: .seconds(40)).migrate()
        let stand = Stand(server.conninfo)
        let source = try await stand.ledger.source(kind: "library", account: "default", clientID: "client")
        let scan = try await stand.ledger.openScan(source: source, since: nil, until: nil)
        _ = try await stand.ledger.record(scan, page(["a", "b"]), unreadable: [], nextPageToken: "2")
        // A worker's registration waits for the disk, and brings what came before there too.
        let worker = try await stand.queue.register(
            host: "here",
            processID: 1,
            version: "1",
            slots: 4,
            sources: [source]
        )
        return Setting(server: server, stand: stand, source: source, scan: scan, worker: worker)
    }

    @Test func `a claim and a page that were forgotten cost nothing, and an end is never forgotten`() async throws {
        try await Home.with { home in
            let setting = try await setting(home)
            var stand = setting.stand
            let (source, scan, worker) = (setting.source, setting.scan, setting.worker)

            var writers = try await stopWriters(home)
            let job = try #require(try await stand.queue.claim(worker: worker, sources: [source], limit: 1).first)
            #expect(
                try await stand.ledger.record(scan, page(["c"]), unreadable: [], nextPageToken: "3")
                    == PageCounts(seen: 1, new: 1, known: 0)
            )
            let second: PrivatePostgres
            (second, stand) = try await restart(home, writers, stand)

            // The fault struck: all of that is unknown.
            #expect(
                try await stand.number("SELECT count(*) FROM coldroll.job WHERE state = 'ready' AND lease = 0") == 2
            )
            #expect(try await stand.number("SELECT count(*) FROM coldroll.item") == 2)
            // Who holds the job is refused, before it begins and at its end.
            #expect(try await stand.queue.start(worker: worker, [job.reference]) == Starts())
            #expect(try await stand.queue.complete(worker: worker, [stored(job)]).isEmpty)
            #expect(try await stand.number("SELECT count(*) FROM coldroll.object") == 0)
            // A scan that goes on, or ends, does not leave the gap.
            for attempt in [
                { _ = try await stand.ledger.record(scan, self.page(["d"]), unreadable: [], nextPageToken: nil) },
                { _ = try await stand.ledger.finish(scan, outcome: "complete", reason: nil) },
            ] {
                let error = await #expect(throws: LedgerError.self) { try await attempt() }
                #expect(error?.code == .scanRewound)
            }
            #expect(try await stand.ledger.rewind(scan) == "2")
            _ = try await stand.ledger.record(scan, page(["c"]), unreadable: [], nextPageToken: "3")
            _ = try await stand.ledger.record(scan, page(["d"]), unreadable: [], nextPageToken: nil)

            // Ends wait whatever the owner's settings say.
            _ = try await stand.pool.run(
                Statement("test.setting", "ALTER ROLE CURRENT_USER SET synchronous_commit = off")
            )
            await stand.pool.close()
            stand = Stand(second.conninfo)
            #expect(try await stand.pool.run(Statement("test.show", "SHOW synchronous_commit")).first?.text(0) == "off")
            writers = try await stopWriters(home)
            let jobs = try await stand.queue.claim(worker: worker, sources: [source], limit: 10)
            #expect(Set(jobs.map(\.sourceItem)) == ["a", "b", "c", "d"])
            let ended = Array(jobs.prefix(2))
            #expect(try await stand.queue.start(worker: worker, jobs.map(\.reference)).begun.count == 4)
            #expect(try await stand.queue.complete(worker: worker, ended.map(stored)).count == 2)
            let third: PrivatePostgres
            (third, stand) = try await restart(home, writers, stand)

            // And with it everything that came before it.
            #expect(try await stand.number("SELECT count(*) FROM coldroll.object") == 2)
            #expect(try await stand.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 2)
            #expect(try await stand.number("SELECT count(*) FROM coldroll.item") == 4)
            #expect(try await stand.number("SELECT count(*) FROM coldroll.tally_error") == 0)
            #expect(try await stand.queue.complete(worker: worker, jobs.map(stored)).count == 4)
            #expect(try await stand.ledger.finish(scan, outcome: "complete", reason: nil).new == 4)
            await stand.pool.close()
            for server in [setting.server, second, third] { await server.close() }
        }
    }

    /// When the scan ends whose last page the server may forget.
    enum End: CaseIterable { case never, beforeThePage, behindThePage }

    @Test(arguments: End.allCases)
    func `nothing of a page begins that the disk does not have, and the end of its scan brings it there`(_ end: End)
        async throws
    {
        try await Home.with { home in
            let setting = try await setting(home)
            var stand = setting.stand
            let (source, scan, worker) = (setting.source, setting.scan, setting.worker)
            func finish() async throws { _ = try await stand.ledger.finish(scan, outcome: "complete", reason: nil) }
            if end == .beforeThePage { try await finish() }
            let writers = try await stopWriters(home)
            if end != .beforeThePage {
                _ = try await stand.ledger.record(scan, page(["c"]), unreadable: [], nextPageToken: "3")
            }
            if end == .behindThePage { try await finish() }
            let jobs = try await stand.queue.claim(worker: worker, sources: [source], limit: 10).map(\.reference)
            #expect(jobs.count == (end == .beforeThePage ? 2 : 3))
            #expect(try await stand.queue.start(worker: worker, jobs).begun == Set(jobs))
            let second: PrivatePostgres
            (second, stand) = try await restart(home, writers, stand)

            // What is stored under a name that the disk never had would not be found again: the name may go to another item.
            #expect(try await stand.number("SELECT count(*) FROM coldroll.item") == jobs.count)
            // Once it has ended, its pages are there, and a start waits no more: the jobs are done again.
            let begun: Int64 = end == .never ? 3 : 0
            #expect(try await stand.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == begun)
            #expect(
                try await stand.number("SELECT coalesce(sum(cardinality(parts)), 0) FROM coldroll.job_start") == begun
            )
            await stand.pool.close()
            for server in [setting.server, second] { await server.close() }
        }
    }

    @Test(arguments: ["on", "off"])
    func `a start that waits for the disk is known whatever becomes of the server`(_ owners: String) async throws {
        try await Home.with { home in
            let setting = try await setting(home)
            var stand = setting.stand
            _ = try await stand.ledger.finish(setting.scan, outcome: "complete", reason: nil)
            _ = try await stand.pool.run(
                Statement("test.setting", "ALTER ROLE CURRENT_USER SET synchronous_commit = \(owners)")
            )
            await stand.pool.close()
            stand = Stand(setting.server.conninfo)
            let (source, worker) = (setting.source, setting.worker)
            let writers = try await stopWriters(home)
            let jobs = try await stand.queue.claim(worker: worker, sources: [source], limit: 2).map(\.reference)
            #expect(try await stand.queue.start(worker: worker, [jobs[0]], waits: true).begun == [jobs[0]])
            #expect(try await stand.queue.start(worker: worker, [jobs[1]]).begun == [jobs[1]])
            let second: PrivatePostgres
            (second, stand) = try await restart(home, writers, stand)
            #expect(try await stand.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 2)
            #expect(try await stand.number("SELECT count(*) FROM coldroll.job_start") == 1)
            #expect(try await stand.number("SELECT parts[1] FROM coldroll.job_start") == jobs[0].part)
            await stand.pool.close()
            for server in [setting.server, second] { await server.close() }
        }
    }
}
