import Foundation
import GoogleSimulator
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct LeaseTests {
    /// Gives up on every worker as if it had been silent for a minute, and lets what it had be claimed at once.
    private func giveUp(_ stage: Stage) async throws {
        try await stage.texts(
            "UPDATE coldroll.worker SET beat_at = beat_at - interval '1 minute' WHERE host <> 'witness'"
        )
        try await stage.texts(
            """
            INSERT INTO coldroll.worker (id, host, process_id, version, slots, sources, steady_since)
            VALUES (1, 'witness', 1, 'test', 0, '{}', now() - interval '1 hour')
            ON CONFLICT (id) DO UPDATE SET beat_at = now()
            """
        )
        let pool = ConnectionPool(conninfo: stage.conninfo, limit: 1)
        let queue = JobQueue(pool: pool, logger: .none)
        _ = try await queue.sweep(mayDeclareDeath: true)
        try await stage.texts("UPDATE coldroll.job SET due = now() WHERE state = 'scheduled'")
        _ = try await queue.sweep(mayDeclareDeath: false)
        await pool.close()
    }

    @Test
    func `a part that kills its worker three times is dead, its neighbours are stored, and what waited is innocent`()
        async throws
    {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 30, sizes: 20_000...40_000, videoPercent: 0)
        }
        #expect(try await stage.run("scan").status == 0)
        let first = "(SELECT min(part_id) FROM coldroll.job)"
        let killer = try await stage.number("SELECT \(first)")
        let item = try #require(
            try await stage.texts(
                "SELECT source_item FROM coldroll.item JOIN coldroll.part AS p ON p.item_id = item.id WHERE p.id = \(killer)"
            ).first
        )
        for crash in 1...3 {
            var poison = FaultRule(on: "download", .stall)
            poison.match = item
            // Its neighbours are under way as well each time but the last.
            stage.simulator.setFaults(crash < 3 ? [poison, FaultRule(on: "download", .stall)] : [poison])
            stage.simulator.resetCounters()
            let victim = try stage.start("work", "--slots", "4")
            try await stage.until("the killer's download") {
                stage.simulator.faults[0].struck > 0
                    && (crash == 3 || stage.simulator.counters.requests["download", default: 0] >= 4)
            }
            victim.signal(SIGKILL)
            _ = try await victim.end()
            try await giveUp(stage)
            // Counted in the first instant, without any heartbeat in between; and only for what was begun.
            let counted = try await stage.number("SELECT count(*) FROM coldroll.job_error WHERE is_crash")
            switch crash {
            case 1, 2:
                #expect(counted == Int64(4 * crash))
                #expect(try await stage.number("SELECT count(*) FROM coldroll.job WHERE crashes = \(crash)") == 4)
                #expect(try await stage.number("SELECT count(*) FROM coldroll.job WHERE crashes = 0") == 26)
            default:
                // Besides the killer, only what had begun: asked for already, or in one of the slots.
                #expect(counted >= 9)
                #expect(counted - 8 <= Int64(stage.simulator.counters.requests["download", default: 0]) + 4)
            }
        }
        #expect(
            try await stage.texts("SELECT part_id || ' ' || reason FROM coldroll.outcome")
                == ["\(killer) killed its worker 3 times"]
        )
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 2, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 29)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.outcome") == 1)
    }

    @Test func `a suspended worker that was given up on lets go of everything when it wakes up`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 6, sizes: 20_000...40_000, videoPercent: 0)
        }
        #expect(try await stage.run("scan").status == 0)
        stage.simulator.setFaults([FaultRule(on: "download", .stall)])
        let zombie = try stage.start("work", "--drain", "--slots", "2")
        try await stage.until("two transfers") { stage.simulator.counters.requests["download", default: 0] >= 2 }
        zombie.signal(SIGSTOP)
        stage.simulator.setFaults([])
        try await giveUp(stage)
        let next = try await stage.run("work", "--drain")
        #expect(next.status == 0, "\(next.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 6)
        let workers = try await stage.number("SELECT count(*) FROM coldroll.worker")
        zombie.signal(SIGCONT)
        let end = try await zombie.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("the database gave up on this worker"), "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.worker") == workers + 1)
        try stage.proveEverythingIsStored()
    }

    @Test func `a run over a database whose answers get lost stores everything once`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 250, sizes: 20_000...60_000, videoPercent: 10)
        }
        var page = FaultRule(on: "download", .html)
        page.rate = 0.1
        stage.simulator.setFaults([page])
        let cutter = try AnswerCutter()
        cutter.cut(
            after: "SET state = 'running'",
            "INSERT INTO coldroll.job_start",
            "DELETE FROM coldroll.job",
            "INSERT INTO coldroll.item",
            "job_error",
            "SET state = CASE WHEN h.delay",
            "SET beat_at",
            "INSERT INTO coldroll.worker",
            every: 3,
            times: 1000
        )
        let end = try await stage.run("run", changing: ["COLDROLL_DATABASE_URL": cutter.url])
        #expect(end.status == 0, "\(end.output)")
        #expect(cutter.struck >= 10, "only \(cutter.struck) answers were lost")
        try stage.proveEverythingIsStored()
        #expect(try await stage.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0)
        #expect(
            try await stage.number("SELECT sum(seen - new - known)::bigint + sum(new)::bigint FROM coldroll.scan")
                == 250
        )
        #expect(try await stage.number("SELECT max(crashes) FROM coldroll.outcome") == 0)
    }

    @Test func `two fleets with different archives on one database: the second is refused`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 3, sizes: 5_000...9_000, videoPercent: 0)
            $0.buckets = ["archive", "state", "other"]
        }
        #expect(try await stage.run("scan").status == 0)
        for command in ["work", "run", "scan"] {
            let end = try await stage.run(command, changing: ["COLDROLL_ARCHIVE": "gs://other"])
            #expect(end.status == 1, "\(end.output)")
            #expect(
                end.output.contains("This database is the ledger of gs://archive, not of gs://other."),
                "\(end.output)"
            )
        }
        #expect(stage.simulator.objects().filter { $0.bucket == "other" }.isEmpty)
        #expect(try await stage.run("work", "--drain").status == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a program that is older or newer than the schema says which of them to bring up to date`() async throws
    {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 3, sizes: 5_000...9_000, videoPercent: 0)
        }
        #expect(try await stage.run("scan").status == 0)
        try await stage.texts("INSERT INTO coldroll.migration (version, name) VALUES (1000, 'future')")
        for command in ["work", "run", "scan"] {
            let end = try await stage.run(command)
            #expect(end.status == 1, "\(end.output)")
            #expect(end.output.contains("newer than this coldroll"), "\(end.output)")
            #expect(end.output.contains("Update coldroll on this host"), "\(end.output)")
        }
        try await stage.texts("DELETE FROM coldroll.migration WHERE version > 4")
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 1, "\(end.output)")
        #expect(end.output.contains("older than this coldroll"), "\(end.output)")
        #expect(end.output.contains("coldroll setup"), "\(end.output)")
        #expect(stage.simulator.objects().filter { $0.bucket == "archive" }.isEmpty)
    }
}
