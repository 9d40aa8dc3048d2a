import Foundation
import JobQueue
import Testing

@testable import coldroll

@Suite struct StatusReportTests {
    private let report: StatusReport = {
        var totals = Totals()
        totals.found = 4000
        totals.stored = 1000
        totals.originals = 200
        totals.renditions = 800
        totals.storedBytes = 1_950_000_000
        totals.dead = 2
        totals.ready = 2990
        totals.scheduled = 4
        totals.running = 4
        totals.nextDue = 90
        return StatusReport(
            parts: .init(totals),
            verdict: .init(code: 2, listing: "Half was missing.", comparison: "Not yet compared."),
            scans: [
                .init(
                    source: "library",
                    account: "ada",
                    state: "suspicious",
                    since: nil,
                    until: nil,
                    secondsSinceStart: 200,
                    secondsSinceEnd: 120,
                    pages: 12,
                    seen: 1100,
                    new: 3,
                    missing: 1200,
                    reason: "Half was missing.",
                    emptyPages: 2,
                    secondsSinceFull: 86400,
                    unreadable: 1
                ),
                .init(
                    source: "library",
                    account: "eve",
                    state: "running",
                    since: "2024-01-01",
                    until: "2024-02-01",
                    secondsSinceStart: 5,
                    secondsSinceEnd: nil,
                    pages: 0,
                    seen: 0,
                    new: 0,
                    missing: nil,
                    reason: nil,
                    emptyPages: 0,
                    secondsSinceFull: nil,
                    unreadable: 0
                ),
            ],
            logins: [
                .init(
                    source: "library",
                    account: "ada",
                    state: "good",
                    reason: nil,
                    secondsSinceLogin: 3600,
                    endsInSeconds: 601_200,
                    endDate: "2026-12-03",
                    tokenSeconds: 3000,
                    refreshes: 2
                ),
                .init(
                    source: "library",
                    account: "eve",
                    state: "refused",
                    reason: "Google refuses\u{1B} it. Run 'coldroll login'.",
                    secondsSinceLogin: 7200,
                    endsInSeconds: nil,
                    endDate: nil,
                    tokenSeconds: nil,
                    refreshes: 0
                ),
            ],
            rate: .init(count: 600, bytes: 600_000_000, seconds: 60, left: totals.live),
            outages: [
                .init(
                    service: "media",
                    place: "123",
                    reason: "it answered 503",
                    seconds: 200,
                    nextProbeSeconds: 8
                )
            ],
            quotas: [
                .init(
                    project: "123",
                    kind: "media",
                    limit: 75_000,
                    used: 74_000,
                    left: 1000,
                    isRefused: false,
                    resetsInSeconds: 3661,
                    finishDate: "2026-11-27"
                )
            ],
            lanes: [
                .init(
                    lane: 1,
                    source: "library",
                    account: "ada",
                    kind: "photo",
                    state: "open",
                    reason: nil,
                    secondsLeft: nil,
                    live: 0,
                    isServed: true
                ),
                .init(
                    lane: 2,
                    source: "library",
                    account: "ada",
                    kind: "video",
                    state: "parked",
                    reason: "quota",
                    secondsLeft: 30,
                    live: 0,
                    isServed: true
                ),
            ],
            workers: [
                .init(
                    id: "9007199254740993",
                    host: "nas",
                    processID: 7,
                    busy: 3,
                    slots: 0,
                    secondsSinceBeat: 2.2,
                    version: "1.0.0",
                    jobs: 4
                )
            ],
            oldest: [.init(state: "running", part: 12, object: "202401/a\u{1B}.jpg", seconds: 61)]
        )
    }()

    @Test func theTextHasTheSumTheRateTheLanesAndTheWorkers() {
        #expect(
            report.text == """
                stored    1,000 = 200 originals + 800 Google renditions, 1.95 GB
                found     4,000 = 1,000 stored + 2 dead + 2,990 ready + 4 scheduled + 4 running; next scheduled part due \
                in 1 min 30 s; 'coldroll failures' tells why parts are dead
                scan      library ada: suspicious, full, ended 2 min 00 s ago; 12 pages, 1,100 items listed, 3 new, 1,200 \
                missing, 2 pages without an item, 1 without an id; last complete full scan 1 d 0 h ago
                scan      library eve: running, 2024-01-01 to 2024-02-01 only, begun 5 s ago; 0 pages, 0 items listed, 0 new; \
                no full scan is complete yet
                LISTING: Half was missing.
                COMPARISON: Not yet compared.
                login     library ada: good until 2026-12-03, for 6 d 23 h more; logged in 1 h 00 min ago
                login     library eve: REFUSED (Google refuses\u{FFFD} it. Run 'coldroll login'.)
                rate      10.0/s, 10.0 MB/s, ETA 5 min 00 s
                outage    Google's media service has been away for 3 min 20 s; next try in 8 s (it answered 503)
                quota     74,000 of 75,000 media requests of project 123 used today; anew in 1 h 01 min; done by 2026-11-27
                lane 1    library ada photo: open
                lane 2    library ada video: parked for 30 s more (quota)
                worker    nas process 7: 3 (auto) slots busy, 4 jobs, last beat 2 s ago
                oldest    running: part 12, 202401/a\u{FFFD}.jpg, 1 min 01 s

                """
        )
    }

    @Test func everyKeyOfTheJSONIsDocumentedAndTheOtherWayRound() throws {
        var keys: Set<String> = []
        var report = self.report
        report.rate.noEta = "no worker is running"
        report.corrected = [.init(place: "found", source: "library ada", kept: 1, counted: 2)]
        let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8))
        collect(object, "", &keys)
        #expect(Set(try documented().filter { $0.contains(".") }) == keys)
        #expect(!report.json.contains("\n"))
    }

    @Test func aWatchedReportIsDrawnOverTheOneBeforeAndNeverWraps() {
        var screen = StatusScreen(asJSON: false, redraws: true)
        screen.columns = { 20 }
        let first = screen.text(for: report)
        #expect(first.hasPrefix("stored    1,000 = 2\u{1B}[K\nfound"))
        #expect(screen.text(for: report) == "\r\u{1B}[15A" + first)
        var plain = StatusScreen(asJSON: false, redraws: false)
        #expect(plain.text(for: report) == plain.text(for: report))
        #expect(!plain.text(for: report).contains("\u{1B}"))
        var lines = StatusScreen(asJSON: true, redraws: true)
        #expect(lines.text(for: report) == report.json + "\n")
    }

    @Test func everyKeyOfAFailureIsDocumentedAndItsTextIsHarmless() throws {
        let part = FailedPart(
            part: 7,
            state: "will try again",
            object: "202401/a\n.jpg",
            reason: "cut",
            message: "cut short\u{1B}",
            attempts: 2,
            crashes: 1,
            failedAt: "2024-01-02T03:04:05Z",
            nextTrySeconds: 90
        )
        #expect(
            part.text
                == "part 7  202401/a\u{FFFD}.jpg  will try again in 1 min 30 s: cut (2 attempts, 1 vanished worker, "
                + "2024-01-02T03:04:05Z)\n    cut short\u{FFFD}\n"
        )
        var keys: Set<String> = []
        collect(try JSONSerialization.jsonObject(with: Data(encoded(part).utf8)), "", &keys)
        #expect(Set(try documented().filter { !$0.contains(".") }) == keys)
    }

    private func documented() throws -> [String] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/status.md")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        return lines.compactMap { $0.firstMatch(of: /^\| `([a-z_\.\[\]]+)` \|/).map { String($0.output.1) } }
    }

    @Test func nothingIsEstimatedWhileNothingMoves() {
        #expect(StatusReport.Rate(count: 0, bytes: 0, seconds: 60, left: 5).etaSeconds == nil)
        #expect(StatusReport.Rate(count: 5, bytes: 5, seconds: 60, left: 0).etaSeconds == nil)
    }

    private func lane(
        _ state: String,
        _ live: Int64,
        isServed: Bool = true,
        byHand: Bool = false,
        reason: String? = nil
    ) -> StatusReport.Lane {
        .init(
            lane: 2,
            source: "library",
            account: "ada",
            kind: "video",
            state: state,
            reason: reason,
            secondsLeft: state == "parked" ? 90 : nil,
            live: live,
            isServed: isServed,
            opensByHand: byHand
        )
    }

    @Test func `no end is promised of parts that wait for a lane to open, or for a worker`() {
        func rate(_ lanes: StatusReport.Lane...) -> StatusReport.Rate {
            .init(count: 5, bytes: 5, seconds: 60, left: 5, lanes: lanes)
        }
        #expect(rate(lane("open", 5)).etaSeconds == 60 && rate(lane("open", 5)).noEta == nil)
        // What is in no queue waits for nothing.
        #expect(rate(lane("open", 5), lane("paused", 0, byHand: true)).etaSeconds == 60)
        let paused = rate(lane("open", 1), lane("paused", 4, byHand: true))
        #expect(paused.etaSeconds == nil && paused.noEta == "4 parts wait until 'coldroll resume 2'")
        #expect(rate(lane("paused", 1)).noEta == "1 part waits until the next login")
        #expect(rate(lane("parked", 1)).noEta == "1 part waits for 1 min 30 s more")
        let alone = rate(lane("open", 1, isServed: false), lane("paused", 2, isServed: false, byHand: true))
        #expect(alone.etaSeconds == nil)
        #expect(alone.noEta == "no worker is running; 2 parts wait until 'coldroll resume 2'")
        #expect(rate(lane("open", 0), lane("open", 1, isServed: false)).noEta == "no worker serves library ada")
        #expect(rate(lane("open", 0, isServed: false)).noEta == nil)
    }

    @Test func `a lane says who closed it and what opens it, and a quota's line fits a screen`() {
        func last(_ lane: StatusReport.Lane) -> String? {
            var report = self.report
            report.lanes = [lane]
            report.workers = []
            report.oldest = []
            return report.text.split(separator: "\n").dropLast().last.map(String.init)
        }
        #expect(
            last(lane("paused", 4, byHand: true, reason: "paused by hand"))
                == "lane 2    library ada video: paused by hand until 'coldroll resume 2'; 4 parts in it"
        )
        let login = "paused by a login that Google refuses: run 'coldroll login'"
        #expect(last(lane("paused", 1, reason: login)) == "lane 2    library ada video: \(login); 1 part in it")
        #expect(
            last(lane("parked", 0, reason: "quota"))
                == "lane 2    library ada video: parked for 1 min 30 s more (quota)"
        )
        var report = self.report
        report.quotas = [
            .init(
                project: "123456789012",
                kind: "api",
                limit: 10_000,
                used: 10_000,
                left: 0,
                isRefused: true,
                resetsInSeconds: 86_340,
                finishDate: "2026-11-27"
            )
        ]
        let quota = report.text.split(separator: "\n").first { $0.hasPrefix("quota") }
        #expect(quota.map { $0.count <= 140 } == true)
    }

    private func collect(_ value: Any, _ path: String, _ keys: inout Set<String>) {
        switch value {
        case let object as [String: Any]:
            for (key, value) in object { collect(value, path.isEmpty ? key : path + "." + key, &keys) }
        case let array as [Any]: for value in array { collect(value, path + "[]", &keys) }
        default: keys.insert(path)
        }
    }
}
