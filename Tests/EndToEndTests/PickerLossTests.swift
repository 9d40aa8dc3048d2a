import Foundation
import GoogleSimulator
import Postgres
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Ways in which something that a person picked could be neither stored nor told.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct PickerLossTests {
    private func stage(
        _ count: Int,
        _ configure: (inout SimulatorConfiguration) -> Void = { _ in }
    ) throws -> Stage {
        try Stage {
            $0.synthesis = SynthesisOptions(count: count, sizes: 1_000...3_000, videoPercent: 0)
            $0.pickerPollInterval = 0.2
            $0.limitsWrites = false
            configure(&$0)
        }
    }

    private func rule(
        _ operation: String,
        _ kind: FaultRule.Action,
        nth: [Int] = [],
        milliseconds: Double = 0
    ) -> FaultRule {
        var rule = FaultRule(on: operation, kind)
        rule.nth = nth
        rule.milliseconds = milliseconds
        return rule
    }

    private func objects(_ stage: Stage) -> Int { stage.simulator.objects().count { $0.bucket == "archive" } }

    /// A scan that believes that the first page of 250 items is the last one, whenever it looks.
    private func scanDeceived(_ stage: Stage) async throws {
        stage.simulator.setFaults([rule("pickerList", .loseToken, nth: [1, 2, 3, 4])])
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"count":250}"#)
        let end = try await scan.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 4)
        stage.simulator.setFaults([])
    }

    @Test func `one process deletes a session while another has just found out that its listing goes on: that is told`()
        async throws
    {
        let stage = try stage(260)
        try await scanDeceived(stage)
        try await stage.storeOnly(100)
        // One looks twice at three pages, the last of them slowly; the other is deceived twice meanwhile, and deletes.
        stage.simulator.setFaults([
            rule("pickerList", .latency, nth: [6], milliseconds: 20_000), rule("pickerList", .loseToken, nth: [7, 8]),
            rule("pickerDelete", .latency, milliseconds: 20_000),
        ])
        stage.simulator.resetCounters()
        let one = try stage.start("work", "--drain", changing: stage.byPicker)
        try await stage.until("the last look") { stage.simulator.counters.requests("pickerList") == 6 }
        let other = try stage.start("work", "--drain", changing: stage.byPicker)
        let found = try await one.end()
        _ = try await other.end()
        #expect(stage.simulator.faults.map(\.struck) == [1, 2, 1])
        #expect(found.output.contains("had seemed to end, and goes on"), "\(found.output)")
        #expect(stage.simulator.pickerSessionCount == 0)
        stage.simulator.setFaults([])
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 5, "\(drain.output)")
        let next = try await stage.runPicking(#"{"count":3,"from":255}"#)
        #expect(objects(stage) == 103)
        #expect(next.output.contains("over before all that was picked was listed"), "\(next.output)")
    }

    @Test func `what only a worker that stays has found out is told by the next pick, which settles it`() async throws {
        let stage = try stage(260)
        try await scanDeceived(stage)
        let worker = try stage.start("work", changing: stage.byPicker)
        try await stage.until("found out") {
            try await stage.number("SELECT count(*) FROM coldroll.pick_session WHERE unlisted") == 1
        }
        stage.simulator.expirePickerSessions()
        try await stage.texts("UPDATE coldroll.pick_session SET expires_at = now() - interval '2 hours'")
        try await stage.until("failed") {
            try await stage.number("SELECT count(*) FROM coldroll.scan WHERE outcome = 'failed'") == 1
        }
        worker.signal(SIGKILL)
        _ = try await worker.end()
        let next = try await stage.runPicking(#"{"count":3,"from":255}"#)
        #expect(next.output.contains("over before all that was picked was listed"), "\(next.output)")
    }

    @Test(arguments: [FaultRule.Action.status, .falseEnd])
    func `a session that cannot be compared, or shows nothing any more, is no good end of the work`(
        _ action: FaultRule.Action
    ) async throws {
        let stage = try stage(260)
        try await scanDeceived(stage)
        try await stage.storeOnly(100)
        stage.simulator.setFaults([rule("pickerList", action)])
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 4, "\(drain.output)")
        #expect(drain.output.contains("could not be asked once more whether there is more"), "\(drain.output)")
        #expect(stage.simulator.faults[0].struck > 0)
        #expect(stage.simulator.pickerSessionCount == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.pick_session WHERE ended_at IS NULL") == 1)
        stage.simulator.setFaults([])
        #expect(try await stage.run("work", "--drain", changing: stage.byPicker).status == 5)
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(objects(stage) == 250)
    }

    @Test func `a database whose clock is ahead ends no session that Google has still`() async throws {
        let stage = try stage(260)
        try await scanDeceived(stage)
        try await stage.texts("UPDATE coldroll.pick_session SET expires_at = expires_at - interval '30 days'")
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 5, "\(drain.output)")
        #expect(stage.simulator.counters.requests("pickerGet") > 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.pick_session WHERE ended_at IS NULL") == 1)
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(objects(stage) == 250)
    }

    @Test(arguments: ["expires", "is too old to wait for"])
    func `a page that was shown and then nobody looked at may hold picks: the person is told`(_ what: String)
        async throws
    {
        let stage = try stage(12) { $0.pickerTimeout = what == "expires" ? 1800 : 8 }
        let first = try stage.start("run", changing: stage.byPicker)
        _ = try await stage.link(shownBy: first)
        if what == "expires" {
            first.signal(SIGKILL)
            _ = try await first.end()
            try stage.simulator.pick(json: #"{"count":9,"from":3}"#)
            stage.simulator.expirePickerSessions()
            try await stage.texts("UPDATE coldroll.scan SET renewed_at = renewed_at - interval '1 minute'")
        } else {
            #expect(try await first.end().status == 5)
        }
        let next = try stage.start("run", changing: stage.byPicker)
        _ = try await stage.link(shownBy: next)
        try stage.simulator.pick(json: #"{"count":3}"#)
        let end = try await next.end()
        #expect(end.output.contains("If you did press Done there, nothing of that is archived"), "\(end.output)")
        #expect(objects(stage) == 3)
    }

    @Test func `entries without an id are told by the run that met them, though a clean pick elsewhere settles them`()
        async throws
    {
        let stage = try stage(20)
        let slow = rule("download", .latency, milliseconds: 50_000)
        stage.simulator.setFaults([rule("pickerList", .noID), slow])
        let run = try stage.start("run", changing: stage.byPicker)
        _ = try await stage.link(shownBy: run)
        try stage.simulator.pick(json: #"{"count":8}"#)
        try await stage.until("it is listed, and its work goes on") {
            try await stage.number("SELECT count(*) FROM coldroll.scan WHERE outcome = 'complete'") == 1
        }
        #expect(stage.simulator.faults[0].struck > 0)
        stage.simulator.setFaults([slow])
        let other = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: other)
        try stage.simulator.pick(json: #"{"count":5,"from":8}"#)
        #expect(try await other.end().status == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job") > 0, "the run was over before")
        stage.simulator.setFaults([rule("pickerList", .noID)])
        let end = try await run.end()
        #expect(end.status == 2, "\(end.output)")
        #expect(end.output.contains("without an id"), "\(end.output)")
    }

    @Test func `a session that ends before the last look at it is told`() async throws {
        let stage = try stage(260)
        try await scanDeceived(stage)
        try await stage.storeOnly(100)
        stage.simulator.expirePickerSessions()
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.output.contains("was over before Google could be asked a last time"), "\(drain.output)")
        #expect(try await stage.texts("SELECT outcome FROM coldroll.pick_session") == ["expired"])
        // Nobody can tell any more whether it held more: that stays until something is picked whole.
        #expect(drain.status == 5, "\(drain.output)")
        let status = try await stage.run("status", changing: stage.byPicker)
        #expect(status.output.contains("if you miss something of it, pick it again"), "\(status.output)")
        #expect(try await stage.runPicking(#"{"count":3}"#).status == 0)
        #expect(try await stage.run("status", "--json").output.contains(#""code":0"#))
    }

    @Test func `what the last look at a session shows without an id, and no listing showed, is listed first`()
        async throws
    {
        let stage = try stage(120)
        var lost = FaultRule(on: "pickerList", .loseToken)
        lost.nth = [1, 2, 3, 4]
        // The second page of both looks.
        var nameless = FaultRule(on: "pickerList", .noID)
        nameless.nth = [6, 8]
        stage.simulator.setFaults([lost, nameless])
        let end = try await stage.runPicking(#"{"count":101}"#)
        #expect(stage.simulator.faults.map(\.struck) == [4, 2])
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.item") == 101)
        #expect(objects(stage) == 101)
    }

    @Test func `what had no id is told before anybody is asked to pick more`() async throws {
        let stage = try stage(20)
        stage.simulator.setFaults([rule("pickerList", .noID)])
        let program = try stage.startAtTerminal("scan")
        try await stage.until("the page: \(try program.output)") { stage.simulator.pickerSessionCount == 1 }
        try stage.simulator.pick(json: #"{"count":8}"#)
        let end = try await program.end()
        #expect(stage.simulator.faults[0].struck > 0)
        #expect(end.status == 2 && !end.output.contains("Pick more?"), "\(end.output)")
        #expect(end.output.contains("without an id"), "\(end.output)")
    }

    @Test func `a backup of before the last pick is refused, since nothing else knows of what was picked`() async throws
    {
        // A command that is not refused waits so long for somebody who picks.
        let stage = try stage(40) { $0.pickerTimeout = 120 }
        #expect(try await stage.runPicking(#"{"count":5}"#).status == 0)
        // The backup.
        let name = try await stage.texts("SELECT current_database()")[0]
        let copy = "\(name)_copy"
        let admin = try await Connection.connect(
            stage.conninfo.split(separator: " ").filter { !$0.hasPrefix("dbname=") }.joined(separator: " ")
                + " dbname=postgres"
        )
        try await stage.until("the database is free to be copied") {
            (try? await admin.script("CREATE DATABASE \(copy) TEMPLATE \(name)", name: "test.copy")) != nil
        }
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"count":12}"#)
        let end = try await scan.end()
        #expect(end.status == 0, "\(end.output)")

        let url = try #require(stage.environment["COLDROLL_DATABASE_URL"]).replacing("/\(name)?", with: "/\(copy)?")
        let restored = stage.byPicker.merging(["COLDROLL_DATABASE_URL": url]) { $1 }
        for command in ["run", "scan", "doctor"] {
            let end = try await stage.run(command, changing: restored)
            #expect(end.status == 2, "\(end.output)")
            #expect(end.output.contains("This ledger is older than what was picked last"), "\(end.output)")
        }
        // The ledger that knows goes on.
        let rest = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(rest.status == 0, "\(rest.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 12)
        try await admin.script("DROP DATABASE \(copy) WITH (FORCE)", name: "test.drop")
        await admin.close()
    }
}
