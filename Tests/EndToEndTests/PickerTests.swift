import Foundation
import GoogleSimulator
import JobQueue
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a person picks in Google's Picker, from the link to the bucket.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct PickerTests {
    private func stage(
        _ count: Int,
        videos: Int = 10,
        _ configure: (inout SimulatorConfiguration) -> Void = { _ in }
    ) throws -> Stage {
        try Stage {
            $0.synthesis = SynthesisOptions(count: count, sizes: 1_000...3_000, videoPercent: videos)
            $0.pickerPollInterval = 0.2
            $0.limitsWrites = false
            configure(&$0)
        }
    }

    private func requests(_ stage: Stage, _ operation: String) -> Int { stage.simulator.counters.requests(operation) }

    /// A dead process's scan is free after half a minute by the database's clock.
    private func letLeasesRunOut(_ stage: Stage) async throws {
        try await stage.texts("UPDATE coldroll.scan SET renewed_at = renewed_at - interval '1 minute'")
    }

    @Test func `a Picker whose host has no address is waited for, and a scan and a run say so`() async throws {
        let stage = try stage(1)
        #expect(try await stage.run("setup", changing: stage.byPicker).status == 0)
        let away = stage.byPicker.merging(["COLDROLL_PICKER_ENDPOINT": "https://picker.invalid"]) { $1 }
        let scan = try stage.start("scan", changing: away)
        try await stage.until("the scan says what it waits for: \(try scan.output)") {
            let output = try scan.output
            return output.contains("Could not resolve host: picker.invalid") && output.contains(#""service":"picker""#)
        }
        scan.signal(SIGINT)
        #expect(try await scan.end().status == 130)
        try await letLeasesRunOut(stage)
        let run = try stage.start("run", changing: away)
        try await stage.until("its progress says so too: \(try run.output)") {
            try run.output.contains(#""waits":"Google's Picker API has been away for"#)
        }
        run.signal(SIGINT)
        let end = try await run.end()
        #expect(end.status == 130, "\(end.output)")
        #expect(end.output.matches(of: /"message":"listing waits"/).count == 1, "once: \(end.output)")
    }

    @Test func `2000 picked items with expiring base URLs and kills in the middle are each stored once`()
        async throws
    {
        let stage = try stage(2000, videos: 5) {
            $0.baseURLLifetime = 5
            $0.pickerTimeout = 60
            $0.quirks = [.emptyPages]
        }
        // The listing stands still at its twelfth page, of which some are empty.
        var late = FaultRule(on: "pickerList", .latency)
        late.milliseconds = 120_000
        late.after = 11
        stage.simulator.setFaults([late])
        let first = try stage.start("run", "--slots", "4", changing: stage.byPicker)
        let link = try await stage.link(shownBy: first)
        try stage.simulator.pick(json: #"{"all":true}"#)
        try await stage.until("pages, and objects of them") {
            let pages = try await stage.number("SELECT pages FROM coldroll.scan")
            let objects = try await stage.number("SELECT count(*) FROM coldroll.object")
            return pages >= 6 && objects >= 50
        }
        first.signal(SIGKILL)
        _ = try await first.end()
        let listed = try await stage.number("SELECT count(*) FROM coldroll.item")
        #expect(listed > 0 && listed < 2000, "killed in the middle of the listing: \(listed)")
        stage.simulator.setFaults([])
        try await letLeasesRunOut(stage)

        // The scan ends while nearly all of the work is left.
        var slow = FaultRule(on: "download,downloadVideo", .latency)
        slow.milliseconds = 300
        stage.simulator.setFaults([slow])
        let second = try stage.start("run", "--slots", "4", changing: stage.byPicker)
        try await stage.until("the rest is listed, and some of it stored") {
            let scans = try await stage.number("SELECT count(*) FROM coldroll.scan WHERE outcome = 'complete'")
            let objects = try await stage.number("SELECT count(*) FROM coldroll.object")
            return scans == 1 && objects >= 100
        }
        second.signal(SIGKILL)
        let killed = try await second.end()
        #expect(!killed.output.contains(link), "the person was asked a second time")
        let stored = try await stage.number("SELECT count(*) FROM coldroll.object")
        #expect(stored < 2000, "killed in the middle of the work: \(stored)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.item") == 2000)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job") > 0)
        stage.simulator.setFaults([])

        // Nobody is asked to pick again before what was picked is stored.
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        // Base URLs did expire, again and again: what was refused was asked for anew.
        #expect(stage.simulator.counters.statuses[403, default: 0] > 0)
        #expect(requests(stage, "pickerCreate") == 1)
        #expect(requests(stage, "pickerDelete") == 1)
        #expect(requests(stage, "batchGet") == 0 && requests(stage, "list") == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.budget") == 0, "drawn from the library's day")
        try stage.provePickedIsStored()
        #expect(try await stage.texts("SELECT state FROM coldroll.picks") == ["done"])
        for table in ["pick", "pick_page"] {
            #expect(try await stage.number("SELECT count(*) FROM coldroll.\(table)") == 0)
        }

        // Picked once more, by whatever session, it is known.
        stage.simulator.resetCounters()
        let again = try await stage.runPicking(#"{"all":true}"#)
        #expect(again.status == 0, "\(again.output)")
        #expect(again.output.contains("You picked 2,000 items: 0 new"), "\(again.output)")
        #expect(requests(stage, "download") == 0 && requests(stage, "downloadVideo") == 0)
        let sent = stage.simulator.counters.bytesIn.keys.filter { $0.hasPrefix("upload") }
        #expect(sent.isEmpty, "\(sent)")
        try stage.provePickedIsStored()
    }

    @Test func `a scan that is killed while it waits for the person goes on with the same page`() async throws {
        let stage = try stage(12)
        let first = try stage.start("scan", changing: stage.byPicker)
        let link = try await stage.link(shownBy: first)
        first.signal(SIGKILL)
        _ = try await first.end()
        try await letLeasesRunOut(stage)
        let second = try stage.start("run", changing: stage.byPicker)
        #expect(try await stage.link(shownBy: second) == link)
        let status = try await stage.run("status", changing: stage.byPicker)
        #expect(status.output.contains("scan      picker default: running, waits for you to pick"), "\(status.output)")
        #expect(
            status.output.contains("waits for you to pick: whoever runs it has shown the link."),
            "\(status.output)"
        )
        try await stage.until("the log says what it waits for") {
            try second.output.contains(#""waits":"waits for you to pick""#)
        }
        try stage.simulator.pick(json: #"{"all":true}"#)
        let end = try await second.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("This is the same page as before"), "\(end.output)")
        #expect(requests(stage, "pickerCreate") == 1)
        try stage.provePickedIsStored()
        // What it brought is told also now that nothing can be had of it.
        #expect(try await stage.texts("SELECT items || ' of ' || listed FROM coldroll.picks") == ["0 of 12"])
    }

    @Test func `when nobody picks in time the next run goes on with what was picked since, or with a new page`()
        async throws
    {
        let stage = try stage(12) { $0.pickerTimeout = 6 }
        let late = try await stage.run("run", changing: stage.byPicker)
        #expect(late.status == 5, "\(late.output)")
        #expect(late.output.contains("Nobody pressed Done in Google's Picker"), "\(late.output)")
        try stage.simulator.pick(json: #"{"all":true}"#)
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(requests(stage, "pickerCreate") == 1)
        try stage.provePickedIsStored()

        // Nobody picks at all: the page that is over is replaced, and its session is not left behind.
        #expect(try await stage.run("run", changing: stage.byPicker).status == 5)
        let status = try await stage.run("status")
        #expect(status.output.contains("picker default: broken off"), "\(status.output)")
        #expect(try await stage.run("work", "--drain", changing: stage.byPicker).status == 5)
        let again = try await stage.runPicking(#"{"count":3}"#)
        #expect(again.status == 0, "\(again.output)")
        #expect(requests(stage, "pickerCreate") == 3)
        #expect(try await stage.texts("SELECT state FROM coldroll.picks") == ["done", "unused", "done"])
        try stage.provePickedIsStored()
    }

    @Test
    func `a run that may not wait longer for the person says that nothing was picked yet, and speaks of no library`()
        async throws
    {
        let stage = try stage(12)
        let end = try await Program(
            Stage.programs + "/coldroll",
            ["run", "--max-wait", "1s"],
            stage.environment.merging(stage.byPicker) { $1 },
            output: stage.directory + "/" + UUID().uuidString
        ).end()
        #expect(end.status == 5, "\(end.output)")
        #expect(
            end.output.contains("What you pick is not listed to its end, and the time that --max-wait allows is over")
                && end.output.contains("Nobody has pressed Done"),
            "\(end.output)"
        )
        #expect(!end.output.contains("The library"), "\(end.output)")
    }

    @Test func `what was too late for its session is told, and stored when it is picked again`() async throws {
        let stage = try stage(150)
        // Nothing is fetched before the session is over.
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"all":true}"#)
        #expect(try await scan.end().status == 0)
        stage.simulator.expirePickerSessions()
        let late = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(late.status == 2, "\(late.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.failures WHERE state = 'dead'") == 150)
        let failures = try await stage.run("failures")
        #expect(failures.output.contains("Pick it again: run 'coldroll run --source picker'"), "\(failures.output)")
        #expect(try await stage.texts("SELECT state FROM coldroll.picks") == ["expired"])
        let end = try await stage.runPicking(#"{"all":true}"#)
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("You picked 150 items: 0 new"), "\(end.output)")
        #expect(try await stage.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0)
        try stage.proveEverythingIsStored(id: \.pickerID)
    }

    @Test func `a session that expires while it is listed fails the scan, keeps what was listed, and is picked again`()
        async throws
    {
        let stage = try stage(450)
        let scan = try await stage.scanInTheMiddle()
        stage.simulator.expirePickerSessions()
        let end = try await scan.end()
        #expect(end.status == 5, "\(end.output)")
        #expect(end.output.contains("expired before all that was picked was listed"), "\(end.output)")
        stage.simulator.setFaults([])
        let listed = try await stage.number("SELECT count(*) FROM coldroll.item")
        #expect(listed >= 200 && listed < 450)
        #expect(try await stage.run("status", "--json").output.contains(#""state":"failed""#))
        let again = try await stage.runPicking(#"{"all":true}"#)
        #expect(again.status == 0, "\(again.output)")
        try stage.proveEverythingIsStored(id: \.pickerID)
    }

    @Test func `a session that expired while nobody listed it fails the scan that goes on, and not only the next`()
        async throws
    {
        let stage = try stage(450)
        let scan = try await stage.scanInTheMiddle()
        scan.signal(SIGKILL)
        _ = try await scan.end()
        stage.simulator.setFaults([])
        stage.simulator.expirePickerSessions()
        stage.simulator.expireBaseURLs()
        let other = try await stage.run("work", "--drain", "--max-wait", "60s", changing: stage.byPicker)
        #expect(other.status != 0, "\(other.output)")
        #expect(try await stage.texts("SELECT outcome FROM coldroll.pick_session") == ["expired"])
        let end = try await stage.run("scan", changing: stage.byPicker)
        #expect(end.status == 5, "\(end.output)")
        #expect(end.output.contains("expired before all that was picked was listed"), "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.scan") == 1)
        let again = try await stage.runPicking(#"{"all":true}"#)
        #expect(again.status == 0, "\(again.output)")
        try stage.proveEverythingIsStored(id: \.pickerID)
    }

    @Test func `a listing that only seemed to end is found out before the session is deleted`() async throws {
        let stage = try stage(350)
        // The second page is the end for the listing, for its second look at it, and for the next look through all pages.
        var lost = FaultRule(on: "pickerList", .loseToken)
        lost.nth = [2, 3, 5]
        stage.simulator.setFaults([lost])
        let end = try await stage.runPicking(#"{"all":true}"#)
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 3)
        #expect(end.output.contains("had seemed to end, and goes on"), "\(end.output)")
        #expect(end.output.contains("Google is asked again for 15 s whether that is all"), "\(end.output)")
        // No pick is a full listing of anything.
        let status = try await stage.run("status")
        #expect(status.output.contains("picker default: complete, ended"), "\(status.output)")
        #expect(requests(stage, "pickerCreate") == 1)
        try stage.provePickedIsStored()
    }

    /// A scan that believes that the first page of 250 items is the last one, whenever it looks.
    private func scanDeceived(_ stage: Stage) async throws {
        var lost = FaultRule(on: "pickerList", .loseToken)
        lost.nth = [1, 2, 3, 4]
        stage.simulator.setFaults([lost])
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"all":true}"#)
        let end = try await scan.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 4)
    }

    @Test func `a worker elsewhere finds out as much, deletes nothing, and says that there is more`() async throws {
        let stage = try stage(250)
        try await scanDeceived(stage)
        stage.simulator.expireBaseURLs()
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 5, "\(drain.output)")
        #expect(stage.simulator.pickerSessionCount == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 100)
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(requests(stage, "pickerCreate") == 1)
        try stage.provePickedIsStored()
    }

    @Test func `what is known to be missing and then expires with its session is told until it is picked again`()
        async throws
    {
        let stage = try stage(250)
        try await scanDeceived(stage)
        #expect(try await stage.run("work", "--drain", changing: stage.byPicker).status == 5)
        stage.simulator.expirePickerSessions()
        try await stage.texts("UPDATE coldroll.pick_session SET expires_at = now() - interval '2 hours'")
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 5, "\(drain.output)")
        #expect(try await stage.texts("SELECT outcome FROM coldroll.pick_session") == ["expired"])
        let status = try await stage.run("status")
        #expect(status.output.contains("over before all that was picked was listed"), "\(status.output)")
        let again = try await stage.runPicking(#"{"all":true}"#)
        #expect(again.status == 0, "\(again.output)")
        #expect(try await stage.run("status").status == 0)
        try stage.proveEverythingIsStored(id: \.pickerID)
    }

    @Test func `what was given up before and is on a page that was left out is found out, and stored`() async throws {
        let stage = try stage(250)
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"all":true}"#)
        #expect(try await scan.end().status == 0)
        stage.simulator.expirePickerSessions()
        #expect(try await stage.run("work", "--drain", changing: stage.byPicker).status == 2)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.failures WHERE state = 'dead'") == 250)
        try await scanDeceived(stage)
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 2, "\(drain.output)")
        #expect(stage.simulator.pickerSessionCount == 2)
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(requests(stage, "pickerCreate") == 2)
        try stage.proveEverythingIsStored(id: \.pickerID)
    }

    @Test func `a session that shows nothing is told, and not deleted`() async throws {
        let stage = try stage(12)
        stage.simulator.setFaults([FaultRule(on: "pickerList", .falseEnd)])
        let end = try await stage.runPicking(#"{"all":true}"#)
        #expect(end.status != 0, "\(end.output)")
        #expect(end.output.contains("lists no photo or video that was picked"), "\(end.output)")
        _ = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(requests(stage, "pickerDelete") == 0)
        #expect(try await stage.texts("SELECT state FROM coldroll.picks") == ["unused"])
        stage.simulator.setFaults([])
        #expect(try await stage.runPicking(#"{"all":true}"#).status == 0)
        try stage.proveEverythingIsStored(id: \.pickerID)
    }

    @Test func `an item that its session does not show is looked for again before it is given up`() async throws {
        let stage = try stage(1, videos: 0)
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"all":true}"#)
        #expect(try await scan.end().status == 0)
        stage.simulator.expireBaseURLs()
        // The worker asks for all it wants at once, then for the item's page, then for all pages.
        var empty = FaultRule(on: "pickerList", .falseEnd)
        empty.nth = [1, 2, 3]
        stage.simulator.setFaults([empty])
        let end = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 3)
        try stage.provePickedIsStored()
    }

    @Test func `pages whose tokens Google has forgotten are looked for from the first one on`() async throws {
        let stage = try stage(250)
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"all":true}"#)
        #expect(try await scan.end().status == 0)
        try await stage.texts("UPDATE coldroll.pick_page SET page_token = 'forgotten' WHERE page_token IS NOT NULL")
        let end = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.counters.statuses[400, default: 0] > 0)
        try stage.provePickedIsStored()
    }

    @Test func `other hosts work on what one host lists, with fresh base URLs of their own`() async throws {
        let stage = try stage(300)
        let scan = try stage.start("scan", changing: stage.byPicker)
        _ = try await stage.link(shownBy: scan)
        try stage.simulator.pick(json: #"{"all":true}"#)
        #expect(try await scan.end().status == 0)
        stage.simulator.expireBaseURLs()
        stage.simulator.resetCounters()
        let workers = try (0..<3).map { _ in try stage.start("work", "--drain", changing: stage.byPicker) }
        for worker in workers {
            let end = try await worker.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(requests(stage, "pickerList") >= 3)
        #expect(requests(stage, "pickerCreate") == 0)
        try stage.provePickedIsStored()
    }

    @Test func `errors of every kind while it waits and lists cost nothing that was picked`() async throws {
        let stage = try stage(350)
        func fault(_ operation: String, _ kind: FaultRule.Action, nth: [Int], status: Int = 503) -> FaultRule {
            var rule = FaultRule(on: operation, kind)
            rule.nth = nth
            rule.status = status
            return rule
        }
        let faults: [FaultRule] = [
            fault("pickerCreate", .status, nth: [1], status: 500), fault("pickerGet", .status, nth: [1]),
            // Once it says of the session that waits that it is over, which it is not.
            fault("pickerGet", .status, nth: [3], status: 404), fault("pickerGet", .reset, nth: [4]),
            fault("pickerList", .status, nth: [1], status: 500),
            // Twice it says that the session is over, which it is not.
            fault("pickerList", .status, nth: [2], status: 404), fault("pickerList", .status, nth: [3], status: 403),
            fault("pickerList", .cut, nth: [5]), fault("pickerList", .errorObject, nth: [7]),
            fault("pickerList", .html, nth: [9]), fault("pickerDelete", .status, nth: [1]),
        ]
        stage.simulator.setFaults(faults)
        let end = try await stage.runPicking(#"{"all":true}"#)
        #expect(end.status == 0, "\(end.output)")
        // The session could not be deleted at first.
        #expect(stage.simulator.pickerSessionCount == 0)
        let drain = try await stage.run("work", "--drain", changing: stage.byPicker)
        #expect(drain.status == 0, "\(drain.output)")
        for fault in stage.simulator.faults { #expect(fault.struck == 1, "\(fault.rule)") }
        try stage.provePickedIsStored()
    }

    @Test func `a login without the scope, and an account without photos, are told with what to do`() async throws {
        let stage = try stage(12)
        let foreign = ["COLDROLL_PHOTOS_CREDENTIALS": stage.simulator.photosCredentialsFile]
        for command in ["run", "setup"] {
            let end = try await stage.run(command, changing: stage.byPicker.merging(foreign) { $1 })
            #expect(end.status == 3, "\(end.output)")
            #expect(end.output.contains("photospicker.mediaitems.readonly"), "\(end.output)")
        }
        let account = ["COLDROLL_ACCOUNT": "other"]
        let setup = try await stage.run("setup", changing: stage.byPicker.merging(account) { $1 })
        #expect(setup.status == 0, "\(setup.output)")
        #expect(setup.output.contains("lets these credentials open the Picker"), "\(setup.output)")
        #expect(stage.simulator.pickerSessionCount == 0)
        try await stage.control("picker", json: #"{"account":false}"#)
        let run = try await stage.run("run", changing: stage.byPicker.merging(account) { $1 })
        #expect(run.status == 3, "\(run.output)")
        #expect(run.output.contains("has no Google Photos to pick from"), "\(run.output)")
    }

    @Test func `too many sessions of one person are waited for once, then told`() async throws {
        let stage = try stage(12) { $0.pickerSessionLimit = 0 }
        let end = try await stage.run("run", changing: stage.byPicker)
        #expect(end.status == 4, "\(end.output)")
        #expect(end.output.contains("no more picking sessions at present"), "\(end.output)")
        #expect(requests(stage, "pickerCreate") == 2)
    }

    @Test func `the flag wins over the setting, and what is about libraries is refused`() async throws {
        let stage = try stage(12)
        let login = ["COLDROLL_PHOTOS_CREDENTIALS": stage.simulator.pickerCredentialsFile]
        let program = try stage.start("run", "--source", "picker", changing: login)
        _ = try await stage.link(shownBy: program)
        try stage.simulator.pick(json: #"{"all":true}"#)
        let end = try await program.end()
        #expect(end.status == 0, "\(end.output)")
        try stage.provePickedIsStored()
        for flags in [["--since", "2024-01-01"], ["--until", "2024-01-01"], ["--accept-gaps"]] {
            let refused = try await Program(
                Stage.programs + "/coldroll",
                ["scan", "--source", "picker"] + flags,
                stage.environment.merging(login) { $1 },
                output: stage.directory + "/" + UUID().uuidString
            ).end()
            #expect(refused.status == 1 && refused.output.contains("are about a library"), "\(refused.output)")
        }
    }

    @Test func `at a terminal it shows a code, and asks after each page whether there is more to pick`() async throws {
        let stage = try stage(20)
        let program = try stage.startAtTerminal("run")
        try await stage.until("the first page: \(try program.output)") { stage.simulator.pickerSessionCount == 1 }
        try stage.simulator.pick(json: #"{"count":8}"#)
        try await stage.until("the question: \(try program.output)") { try program.output.contains("Pick more?") }
        try program.enter("y")
        try await stage.until("the second page: \(try program.output)") { requests(stage, "pickerCreate") == 2 }
        try stage.simulator.pick(json: #"{"count":12,"from":8}"#)
        try await stage.until("the second question: \(try program.output)") {
            try program.output.ranges(of: "Pick more?").count == 2
        }
        try program.enter("")
        let end = try await program.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("▀") && end.output.contains("\u{1B}[40;97m"), "\(end.output)")
        #expect(end.output.contains("You picked 20 items: 20 new"), "\(end.output)")
        try stage.provePickedIsStored()
    }
}
