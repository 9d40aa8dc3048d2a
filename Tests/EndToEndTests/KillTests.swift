import GoogleSimulator
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct KillTests {
    @Test func `a worker killed in mid-upload loses nothing, and its file is stored once`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 8, sizes: 20_000_000...24_000_000, videoPercent: 50)
        }
        #expect(try await stage.run("scan").status == 0)
        // Every body stops half-way, so that every upload is caught in its middle.
        var stall = FaultRule(on: "download,redirectTarget", .stall)
        stall.at = 0.5
        stage.simulator.setFaults([stall])
        let victim = try stage.start("work", "--slots", "8")
        try await stage.until("the middle of the uploads") {
            stage.simulator.counters.bytesIn["uploadData", default: 0] > 8 * 20_000_000 / 10
        }
        victim.signal(SIGKILL)
        _ = try await victim.end()
        let sent = stage.simulator.counters.bytesIn["uploadData", default: 0]
        #expect(sent > 8 * 20_000_000 / 10 && sent < 8 * 24_000_000 * 9 / 10, "\(sent)")
        #expect(stage.simulator.objects().filter { $0.bucket == "archive" }.isEmpty)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 8)

        stage.simulator.setFaults([])
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 8)
        try stage.proveEverythingIsStored()
    }

    @Test func `a worker killed after the bucket answered is recognised by the object it made`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 6, sizes: 100_000...200_000, videoPercent: 0)
        }
        #expect(try await stage.run("scan").status == 0)
        // The objects are made, and nobody is told.
        var lost = FaultRule(on: "uploadMultipart", .latency)
        lost.milliseconds = 60_000
        stage.simulator.setFaults([lost])
        let victim = try stage.start("work", "--slots", "6")
        try await stage.until("the objects") {
            stage.simulator.objects().filter { $0.bucket == "archive" }.count == 6
                || stage.simulator.counters.requests["uploadMultipart", default: 0] >= 6
        }
        victim.signal(SIGKILL)
        _ = try await victim.end()
        stage.simulator.setFaults([])
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 0, "\(end.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `a producer killed in mid-page goes on where it was`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 950, sizes: 1_000...2_000, videoPercent: 10)
        }
        // The sixth page does not come.
        var slow = FaultRule(on: "list", .latency)
        slow.milliseconds = 60_000
        slow.after = 5
        stage.simulator.setFaults([slow])
        let victim = try stage.start("scan")
        try await stage.until("the sixth page") { stage.simulator.counters.requests["list", default: 0] >= 6 }
        try await stage.until("five pages in the ledger") {
            try await stage.number("SELECT count(*) FROM coldroll.item") == 500
        }
        victim.signal(SIGKILL)
        _ = try await victim.end()
        stage.simulator.setFaults([])
        // What was never listed must not count as done.
        try await stage.texts("UPDATE coldroll.scan SET renewed_at = renewed_at - interval '1 minute'")
        let drain = try await stage.run("work", "--drain")
        #expect(drain.status == 5, "\(drain.output)")
        stage.simulator.resetCounters()
        // The dead process's lease runs out by the database's clock.
        try await stage.texts("UPDATE coldroll.scan SET renewed_at = renewed_at - interval '1 minute'")
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        // Five pages, the end once more, and a look at what came to the front meanwhile, or two on a slow machine: not ten
        // pages and more.
        let pages = stage.simulator.counters.requests["list", default: 0]
        #expect((7...9).contains(pages), "the first five pages were listed again: \(pages)")
        try stage.proveEverythingIsStored()
    }

    @Test func `a second SIGTERM does not wait for a database that is away`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 10, sizes: 2_000_000...3_000_000, videoPercent: 0)
        }
        #expect(try await stage.run("scan").status == 0)
        var stall = FaultRule(on: "download", .stall)
        stall.at = 0.5
        stage.simulator.setFaults([stall])
        let door = try stage.door()
        let worker = try stage.start("work", "--slots", "4", changing: ["COLDROLL_DATABASE_URL": door.url])
        try await stage.until("four transfers") {
            stage.simulator.counters.requests["download", default: 0] >= 4
        }
        try await stage.close(door)
        worker.signal(SIGTERM)
        try await stage.until("the worker waits") { try worker.output.contains("waiting for the database") }
        let insisted = ContinuousClock.now
        worker.signal(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == 130, "\(end.output)")
        // 5 s, and room for a machine on which everything takes long; without a limit it would be an hour.
        #expect(insisted.duration(to: .now) < .seconds(60), "\(end.output)")
        #expect(end.output.contains("what was in hand could not be given back"), "\(end.output)")
        stage.simulator.setFaults([])
        let next = try await stage.run("work", "--drain")
        #expect(next.status == 0, "\(next.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error WHERE attempt > 0") == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `SIGTERM gives back what is in hand and counts no attempt`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 30, sizes: 2_000_000...3_000_000, videoPercent: 0)
        }
        #expect(try await stage.run("scan").status == 0)
        var stall = FaultRule(on: "download", .stall)
        stall.at = 0.5
        stage.simulator.setFaults([stall])
        let worker = try stage.start("work", "--slots", "4")
        try await stage.until("four transfers") {
            stage.simulator.counters.requests["download", default: 0] >= 4
        }
        // Twice: what is in hand stands still and would use up the whole grace time.
        worker.signal(SIGTERM)
        try await stage.until("it is said, while what is in hand goes on") {
            try worker.output.contains("Stopping: what is in hand is finished or given back.")
        }
        try await stage.until("the jobs that had not begun are back") {
            try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'ready'") == 26
        }
        worker.signal(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == 130, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'ready' AND attempt = 0") == 30)
        stage.simulator.setFaults([])
        #expect(try await stage.run("work", "--drain").status == 0)
        try stage.proveEverythingIsStored()
    }
}
