import Foundation
import Glibc
import GoogleSimulator
import TestSupport
import Testing

/// Listings that are false, partial or broken off, as the owner meets them: by exit codes, `status` and sentences.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct ListingTests {
    private func stage(_ count: Int) throws -> Stage {
        try Stage {
            $0.synthesis = SynthesisOptions(count: count, sizes: 5_000...9_000, videoPercent: 0)
            $0.limitsWrites = false
        }
    }

    /// `verdict` of `status --json`, and its only scan.
    private func status(_ stage: Stage) async throws -> (code: Int, listing: String?, scan: [String: Any]) {
        let end = try await stage.run("status", "--json")
        #expect(end.status == 0, "\(end.output)")
        let report = try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [String: Any]
        let verdict = try #require(report?["verdict"] as? [String: Any])
        let scans = try #require(report?["scans"] as? [[String: Any]])
        try #require(scans.count == 1)
        return (try #require(verdict["code"] as? Int), verdict["listing"] as? String, scans[0])
    }

    @Test func `false ends, lost tokens and errors under status 200 cost no photo`() async throws {
        let stage = try stage(260)
        var faults = [
            FaultRule(on: "list", .falseEnd), FaultRule(on: "list", .loseToken), FaultRule(on: "list", .errorObject),
        ]
        // Of the answers one after the other: never two of a page's that end the listing.
        for (index, nth) in [1, 3, 5].enumerated() { faults[index].nth = [nth] }
        stage.simulator.setFaults(faults)
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        for fault in stage.simulator.faults { #expect(fault.struck == 1, "\(fault.rule)") }
        try stage.proveEverythingIsStored()
    }

    @Test func `a listing that keeps ending too early is told until it is whole again, or accepted`() async throws {
        let stage = try stage(30)
        #expect(try await stage.run("run").status == 0)
        stage.simulator.setFaults([FaultRule(on: "list", .falseEnd)])
        let run = try await stage.run("run")
        #expect(run.status == 2, "\(run.output)")
        #expect(stage.simulator.faults[0].struck == 3)
        #expect(run.output.contains("did not list 30 of the 30 items"), "\(run.output)")
        #expect(run.output.contains("coldroll scan --accept-gaps"), "\(run.output)")
        #expect(run.output.contains("takes about 2 requests of the 10,000 a day"), "\(run.output)")
        let told = try await status(stage)
        #expect(told.code == 2 && told.listing?.contains("30 of the 30") == true)
        #expect(told.scan["state"] as? String == "suspicious" && told.scan["missing"] as? Int == 30)
        #expect(told.scan["pages"] as? Int == 1 && told.scan["seen"] as? Int == 0)
        let text = try await stage.run("status")
        #expect(text.output.contains("library default: suspicious, full, ended"), "\(text.output)")
        #expect(text.output.contains("LISTING: The full scan did not list"), "\(text.output)")
        #expect(try await stage.run("work", "--drain").status == 2)
        // A scan of a part does not make up for it.
        #expect(try await stage.run("scan", "--since", "1990-01-01").status == 0)
        #expect(try await stage.run("work", "--drain").status == 2)

        #expect(try await stage.run("scan", "--accept-gaps", "--since", "1990-01-01").status == 1)
        let accepted = try await stage.run("run", "--accept-gaps")
        #expect(accepted.status == 0, "\(accepted.output)")
        #expect(try await status(stage).code == 0)
        stage.simulator.setFaults([])
        let back = try await stage.run("run")
        #expect(back.status == 0, "\(back.output)")
        #expect(back.output.contains("30 items that an earlier scan did not see are listed again"), "\(back.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `a listing that does not tell photos from videos costs none of them`() async throws {
        let stage = try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: 40, sizes: 20_000...90_000, videoPercent: 40)
        }
        stage.simulator.setFaults([FaultRule(on: "list", .noKind)])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck > 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.part WHERE kind = 'video'") > 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a listing that seemed to end is listed again after the work, in the very first run`() async throws {
        let stage = try stage(260)
        // The second page is the end, for as long as the listing and its looks at it last; each download is slow.
        var lost = FaultRule(on: "list", .loseToken)
        lost.nth = [2, 3, 4]
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 1500
        stage.simulator.setFaults([lost, slow])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 3)
        #expect(end.output.contains("the listing goes on where it seemed to end"), "\(end.output)")
        #expect(end.output.contains("Stored 260 parts"), "\(end.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `a page that comes empty but for its token is asked for again`() async throws {
        let stage = try stage(260)
        var empty = FaultRule(on: "list", .noItems)
        empty.nth = [1]
        stage.simulator.setFaults([empty])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 1)
        try stage.proveEverythingIsStored()
    }

    @Test func `a page that stays empty is told by the run, too, that joined the scan`() async throws {
        let stage = try stage(260)
        // The second of three: twice, and behind the third, its end and the look at the front that follows a listing of more than
        // ten seconds; the third waits until the run has joined.
        var (empty, late) = (FaultRule(on: "list", .noItems), FaultRule(on: "list", .latency))
        (empty.nth, late.nth, late.milliseconds) = ([2, 3, 7], [4], 11_000)
        stage.simulator.setFaults([empty, late])
        let scan = try stage.start("scan")
        try await stage.until("the first page") { try await stage.number("SELECT count(*) FROM coldroll.item") == 100 }
        let run = try await stage.run("run")
        let listed = try await scan.end()
        #expect(run.status == 0 && listed.status == 0, "\(run.output)\(listed.output)")
        #expect(stage.simulator.faults.map(\.struck) == [3, 1])
        for words in ["this run joined it", "1 page came without any item, also when asked for again"] {
            #expect(run.output.contains(words), "\(run.output)")
        }
    }

    /// Lists the first page; the scan waits at its second one until it is killed.
    private func scanBrokenOff(_ stage: Stage) async throws {
        var late = FaultRule(on: "list", .latency)
        late.milliseconds = 60_000
        late.nth = [2]
        stage.simulator.setFaults([late])
        let scan = try stage.start("scan")
        try await stage.until("the first page") { try await stage.number("SELECT count(*) FROM coldroll.item") == 100 }
        scan.signal(SIGKILL)
        _ = try await scan.end()
        stage.simulator.setFaults([])
    }

    @Test func `a scan that goes on after a kill finds what was uploaded meanwhile`() async throws {
        let stage = try stage(260)
        try await scanBrokenOff(stage)
        for number in 0..<3 { try stage.simulator.addPhoto(named: "new-\(number).jpg") }
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("It went on with a scan that had been broken off"), "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.scan") == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.item") == 263)
        try stage.proveEverythingIsStored()
    }

    @Test(arguments: [FaultRule.Action.falseEnd, .noID])
    func `one wrong answer to the look at what was uploaded meanwhile is not believed`(_ action: FaultRule.Action)
        async throws
    {
        let stage = try stage(260)
        try await scanBrokenOff(stage)
        for number in 0..<5 { try stage.simulator.addPhoto(named: "new-\(number).jpg") }
        // Behind the second page, and the last one twice.
        var wrong = FaultRule(on: "list", action)
        wrong.nth = [4]
        stage.simulator.setFaults([wrong])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.item") == 265)
        try stage.proveEverythingIsStored()
    }

    @Test func `what no scan had missed before is not accepted, and nobody is told that it was`() async throws {
        let stage = try stage(260)
        #expect(try await stage.run("scan").status == 0)
        // The first page, twice since an entry has no id; then an end, three times: in each of two scans.
        var end = FaultRule(on: "list", .falseEnd)
        end.nth = [3, 4, 5, 8, 9, 10]
        var nameless = FaultRule(on: "list", .noID)
        nameless.nth = [1, 2, 6, 7]
        stage.simulator.setFaults([nameless, end])
        let refused = try await stage.run("scan", "--accept-gaps")
        #expect(refused.status == 2, "\(refused.output)")
        #expect(refused.output.contains("161 of which no scan before has missed"), "\(refused.output)")
        #expect(!refused.output.contains("You accepted"), "\(refused.output)")
        let accepted = try await stage.run("scan", "--accept-gaps")
        #expect(accepted.status == 0 && accepted.output.contains("You accepted 1 entry"), "\(accepted.output)")
        #expect(stage.simulator.faults.map(\.struck) == [4, 6])
    }

    @Test func `an entry that lost its id for once when a run ends begins no new listing`() async throws {
        let stage = try stage(260)
        var late = FaultRule(on: "download", .latency)
        late.milliseconds = 9000
        late.nth = [1]
        // Three pages, the last one twice; and the last one again when the work has lasted.
        var nameless = FaultRule(on: "list", .noID)
        nameless.nth = [5]
        stage.simulator.setFaults([late, nameless])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults.map(\.struck) == [1, 1])
        // A listing that took longer than 10 s looks at its front too; another listing takes four.
        #expect((6...7).contains(stage.simulator.counters.requests["list", default: 0]))
    }

    @Test func `what was uploaded while a scan lasted, and has no id, is told beside what was accepted`() async throws {
        let stage = try stage(260)
        stage.simulator.setFaults([FaultRule(on: "list", .noID)])
        let first = try await stage.run("run", "--accept-gaps")
        #expect(first.status == 0, "\(first.output)")
        var late = FaultRule(on: "list", .latency)
        late.milliseconds = 12_000
        late.nth = [2]
        stage.simulator.setFaults([late, FaultRule(on: "list", .noID)])
        let run = try stage.start("run")
        try await stage.until("its second page") { stage.simulator.faults[0].struck == 1 }
        try stage.simulator.addPhoto(named: "meanwhile.jpg")
        let end = try await run.end()
        #expect(stage.simulator.faults.allSatisfy { $0.struck > 0 })
        #expect(end.status == 2 && end.output.contains("meanwhile.jpg"), "\(end.output)")
        #expect(try await stage.run("status").output.contains("meanwhile.jpg"))
    }

    @Test func `entries without an id end a scan, a run and a drain with 2 until they have one`() async throws {
        let stage = try stage(12)
        stage.simulator.setFaults([FaultRule(on: "list", .noID)])
        for arguments in [["scan"], ["run"], ["work", "--drain"]] {
            let end = try await Program(
                Stage.programs + "/coldroll",
                arguments,
                stage.environment,
                output: stage.directory + "/" + UUID().uuidString
            ).end()
            #expect(end.status == 2, "\(arguments): \(end.output)")
            #expect(end.output.contains("Google listed 1 entry without an id"), "\(arguments): \(end.output)")
        }
        #expect(stage.simulator.faults[0].struck == 4)
        let told = try await status(stage)
        #expect(told.code == 2 && told.scan["unreadable"] as? Int == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 11)
        #expect(try await stage.number("SELECT unreadable FROM coldroll.run") == 1)
        let accepted = try await stage.run("run", "--accept-gaps")
        #expect(accepted.status == 0, "\(accepted.output)")
        #expect(accepted.output.contains("You accepted 1 entry without an id"), "\(accepted.output)")
        let listed = try await stage.run("psql", "--query", "acknowledged")
        let name = try #require(try await stage.texts("SELECT DISTINCT filename FROM coldroll.unread").first)
        #expect(
            listed.output.contains("without an id") && listed.output.contains("1 entry of scan")
                && listed.output.contains(name),
            "\(listed.output)"
        )
        stage.simulator.setFaults([])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `an entry without an id in place of an accepted one is told by its name, and the accepted one is not`()
        async throws
    {
        let stage = try stage(12)
        // Of the newest entry alone.
        stage.simulator.setFaults([FaultRule(on: "list", .noID)])
        let first = try await stage.run("run")
        let name = try #require(try await stage.texts("SELECT filename FROM coldroll.unread").first)
        #expect(first.status == 2 && first.output.contains("It is '\(name)' of "), "\(first.output)")
        #expect(try await stage.run("run", "--accept-gaps").status == 0)
        let monthLater = try await stage.run("run")
        #expect(monthLater.status == 0, "\(monthLater.output)")
        // The accepted one has an id from now on, and this one has none.
        try stage.simulator.addPhoto(named: "new\u{1B}[2J.jpg")
        for arguments in [["run"], ["scan"], ["work", "--drain"]] {
            let end = try await Program(
                Stage.programs + "/coldroll",
                arguments,
                stage.environment,
                output: stage.directory + "/" + UUID().uuidString
            ).end()
            #expect(end.status == 2, "\(arguments): \(end.output)")
            #expect(
                end.output.contains("Google listed 1 entry without an id")
                    && end.output.contains("It is 'new\u{FFFD}[2J.jpg' of "),
                "\(arguments): \(end.output)"
            )
            #expect(!end.output.contains("\u{1B}"), "\(arguments)")
        }
        let told = try await status(stage)
        #expect(told.code == 2 && told.scan["unreadable"] as? Int == 1)
        #expect(told.listing?.contains("It is 'new\u{FFFD}[2J.jpg' of ") == true)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 12)
        #expect(stage.simulator.faults[0].struck == 10)
        let accepted = try await stage.run("run", "--accept-gaps")
        #expect(accepted.status == 0, "\(accepted.output)")
        let own =
            "You accepted 1 entry without an id, nothing of which is stored ('coldroll psql --query acknowledged'). It is "
        #expect(accepted.output.contains(own + "'new\u{FFFD}[2J.jpg' of "), "\(accepted.output)")
        #expect(try await stage.run("run").status == 0)
        stage.simulator.setFaults([])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `what an older version accepted by its number is told after an upgrade, until it is accepted again`()
        async throws
    {
        let stage = try stage(12)
        stage.simulator.setFaults([FaultRule(on: "list", .noID)])
        #expect(try await stage.run("run", "--accept-gaps").status == 0)
        // As a ledger of before has it.
        try await stage.texts("DELETE FROM coldroll.unread")
        let before = try await stage.run("work", "--drain")
        #expect(before.status == 2 && before.output.contains("the ledger keeps nothing"), "\(before.output)")
        let run = try await stage.run("run")
        #expect(run.status == 2 && run.output.contains("It is '"), "\(run.output)")
        #expect(!run.output.contains("the ledger keeps nothing"), "\(run.output)")
        #expect(try await stage.run("scan", "--accept-gaps").status == 0)
        #expect(try await stage.run("run").status == 0)
    }

    @Test func `a scan that was broken off is told as that, and a drain is not done`() async throws {
        let stage = try stage(260)
        // The scan waits at its second page until it is stopped.
        var away = FaultRule(on: "list", .status)
        away.after = 1
        stage.simulator.setFaults([away])
        let scan = try stage.start("scan")
        try await stage.until("a page") { try await stage.number("SELECT sum(pages)::bigint FROM coldroll.scan") > 0 }
        try await stage.until("a refusal") { stage.simulator.faults[0].struck > 0 }
        let running = try await status(stage)
        #expect(running.scan["state"] as? String == "running" && running.code == 5)
        scan.signal(SIGTERM)
        #expect(try await scan.end().status == 130)
        let told = try await status(stage)
        #expect(told.scan["state"] as? String == "broken off" && told.code == 5)
        #expect(told.scan["seen"] as? Int == 100)
        #expect(told.listing?.contains("was broken off, so there may be more in the library") == true)
        stage.simulator.setFaults([])
        let drain = try await stage.run("work", "--drain")
        #expect(drain.status == 5, "\(drain.output)")
        #expect(drain.output.contains("goes on with it"), "\(drain.output)")
        #expect(try await stage.run("run").status == 0)
        #expect(try await status(stage).code == 0)
        try stage.proveEverythingIsStored()
    }
}
