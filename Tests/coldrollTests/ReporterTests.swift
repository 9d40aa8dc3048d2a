import Foundation
import Logging
import Synchronization
import Testing

@testable import coldroll

/// What a reporter wrote, and the clock that it read.
private final class Screen: Sendable {
    private let state = Mutex((text: "", now: 0.0))
    var text: String { state.withLock { $0.text } }
    var now: Double {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }

    func reporter(_ audience: Reporter.Audience, file: String? = nil) -> Reporter {
        Reporter(
            audience,
            typable: TypableCommands(file),
            write: { text in self.state.withLock { $0.text += text } },
            clock: { self.now },
            time: { "2026-01-02T03:04:05.678Z" }
        )
    }
}

@Suite struct ReporterTests {
    private let screen = Screen()
    private let erase = "\r\u{1B}[K"

    private func person(columns: Int = 80, redraws: Bool = true) -> Reporter.Audience {
        .person(columns: { columns }, redraws: redraws)
    }

    @Test func aLogHasOneJSONObjectALineWithTheFieldsOfCloudLogging() throws {
        let reporter = screen.reporter(.log)
        reporter.say("two\nlines \"quoted\" \u{7}", ["n": 3, "ok": .boolean(true), "severity": "no"])
        reporter.fail("gone")
        let lines = screen.text.split(separator: "\n").map(String.init)
        try #require(lines.count == 2)
        let first = try #require(
            try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
        )
        #expect(first["severity"] as? String == "INFO")
        #expect(first["message"] as? String == "two\nlines \"quoted\" \u{7}")
        #expect(first["time"] as? String == "2026-01-02T03:04:05.678Z")
        #expect(first["n"] as? Int == 3)
        #expect(first["ok"] as? Bool == true)
        #expect(
            lines[1] == #"{"severity":"ERROR","message":"gone","time":"2026-01-02T03:04:05.678Z"}"#
        )
    }

    @Test(arguments: [
        ("run 'coldroll login'", "run 'coldroll login --env-file /etc/coldroll.env'"),
        ("Run `coldroll setup`.", "Run `coldroll setup --env-file /etc/coldroll.env`."),
        (
            "'coldroll psql --query acknowledged', then 'coldroll accept 7'",
            "'coldroll psql --env-file /etc/coldroll.env --query acknowledged', then "
                + "'coldroll accept --env-file /etc/coldroll.env 7'"
        ),
        ("'coldroll help' lists them", "'coldroll help' lists them"),
        ("'coldroll run --env-file x'", "'coldroll run --env-file x'"),
        ("coldroll setup made it", "coldroll setup made it"),
    ])
    func `a command to type has the settings file that this one was told of`(said: String, told: String) {
        let reporter = screen.reporter(person(), file: "/etc/coldroll.env")
        reporter.say(said)
        #expect(screen.text == told + "\n")
    }

    @Test func `a person is told which part died, of what object, and why`() {
        let reporter = screen.reporter(person())
        reporter.logger.log(
            .error,
            "part is dead",
            ["part": .integer(7), "object": .string("202401/a.jpg"), "reason": .string("reduced")]
        )
        #expect(screen.text == "coldroll: part is dead (object 202401/a.jpg, part 7, reason reduced)\n")
    }

    @Test func `a log's fields and a standstill have the settings file too`() {
        let reporter = screen.reporter(.log, file: "/etc/coldroll.env")
        reporter.say("paused", ["reason": "run 'coldroll login'"])
        reporter.progress(WorkerProgress(live: 1, total: 1, standstill: "refused: run 'coldroll login'"))
        #expect(screen.text.matches(of: /'coldroll login --env-file \/etc\/coldroll.env'/).count == 2, "\(screen.text)")
    }

    @Test(arguments: [
        ("my settings.env", #"'coldroll run --env-file "my settings.env"'"#),
        (#"a"$b`c\d'e"#, #"'coldroll run --env-file "a\"\$b\`c\\d'e"'"#),
        ("/dev/fd/63", "'coldroll run'"),
    ])
    func `a file's name is one word for a shell, and one that is gone is left out`(file: String, told: String) {
        #expect(TypableCommands(file)("'coldroll run'") == told)
    }

    @Test(arguments: [
        (
            "login", ["--client", "my client.json", "--no-browser", "--account=ada", "--source", "picker"],
            "'coldroll login' again",
            #"'coldroll login --client "my client.json" --source picker --account ada --no-browser' again"#
        ),
        (
            "login", ["--client", "c.json"],
            "'coldroll login --client FILE --account LABEL', 'coldroll login --no-browser'",
            "'coldroll login --client FILE --account LABEL', 'coldroll login --client c.json --no-browser'"
        ),
        // A file that a shell has put there for this one command.
        ("login", ["--client", "/dev/fd/63"], "'coldroll login' again", "'coldroll login --client FILE' again"),
        (
            "doctor", ["--source", "picker"], "'coldroll login', 'coldroll run --accept-gaps' or 'coldroll status'",
            "'coldroll login --source picker', 'coldroll run --source picker --accept-gaps' or 'coldroll status'"
        ),
        (
            "run", ["--source", "library", "--env-file", "e"],
            "'coldroll run --source picker', 'coldroll run --source=picker'",
            "'coldroll run --env-file e --source picker', 'coldroll run --env-file e --source=picker'"
        ),
        ("logout", ["--account", "ada"], "'coldroll logout' again", "'coldroll logout --account ada' again"),
    ])
    func `a command to type repeats what this one was given, where it takes that`(
        name: String,
        words: [String],
        said: String,
        told: String
    ) throws {
        let command = try #require(Command.all.first { $0.name == name })
        let arguments = Arguments(words, for: command)
        #expect(arguments.faults == [])
        #expect(TypableCommands(arguments)(said) == told)
    }

    @Test func aLogGetsProgressEveryTenSecondsWithoutEscapeSequences() {
        let reporter = screen.reporter(.log)
        for second in 0..<25 {
            screen.now = Double(second)
            reporter.progress(ScanProgress(pages: Int64(second), seen: 100, new: 1))
        }
        reporter.endProgress()
        #expect(screen.text.split(separator: "\n").count == 3)
        #expect(screen.text.contains(#""items_new":1,"items_seen":100"#))
        #expect(!screen.text.contains("\u{1B}"))
    }

    @Test func atATerminalOneLineIsDrawnAnewAndSentencesStandAboveIt() {
        let reporter = screen.reporter(person())
        reporter.progress(ScanProgress(pages: 1, seen: 100, new: 3))
        let line = "scanning · 100 items · 3 new · 1 page"
        #expect(screen.text == erase + line)
        reporter.say("A sentence.")
        #expect(screen.text == erase + line + erase + "A sentence.\n" + line)
        reporter.endProgress()
        reporter.fail("It failed.")
        #expect(screen.text == erase + line + erase + "A sentence.\n" + line + erase + "coldroll: It failed.\n")
    }

    @Test func redrawsAreAtLeastAFifthOfASecondApart() {
        let reporter = screen.reporter(person())
        for step in 0..<100 {
            screen.now = Double(step) / 100
            reporter.progress(ScanProgress(pages: Int64(step), seen: 0, new: 0))
        }
        #expect(screen.text.split(separator: "\r").count == 5)
    }

    @Test func aTerminalThatCannotRedrawGetsPlainLines() {
        let reporter = screen.reporter(person(redraws: false))
        reporter.progress(ScanProgress(pages: 1, seen: 1, new: 1))
        screen.now = 9
        reporter.progress(ScanProgress(pages: 2, seen: 2, new: 2))
        reporter.endProgress()
        #expect(screen.text == "scanning · 1 item · 1 new · 1 page\n")
    }

    @Test(arguments: [
        (1, ""), (9, "scanning"), (30, "scanning · 100 items · 3 new"), (80, "scanning · 100 items · 3 new · 1 page"),
    ])
    func theLineNeverReachesTheLastColumn(columns: Int, shown: String) {
        screen.reporter(person(columns: columns)).progress(ScanProgress(pages: 1, seen: 100, new: 3))
        let text = String(screen.text.dropFirst(erase.count))
        #expect(text.count < max(2, columns))
        if columns > 1 { #expect(text == shown) }
    }

    @Test func workShowsDoneRateTimeLeftAndFailures() {
        let reporter = screen.reporter(person(columns: 200))
        reporter.progress(WorkerProgress(stored: 0, storedBytes: 0, failed: 0, live: 4000, total: 4000))
        screen.now = 10
        reporter.progress(WorkerProgress(stored: 998, storedBytes: 2_000_000_000, failed: 2, live: 3000, total: 4000))
        let last = screen.text.components(separatedBy: erase).last
        #expect(last == "1,000/4,000 parts done · 200 MB/s · ETA 30 s · 2 failed · 2.00 GB stored here")
        let early = ProgressLine(WorkerProgress(stored: 1, storedBytes: 500_000), RateMeter())
        #expect(early.text(columns: 80) == "starting · 500 kB stored here")
        let stale = ProgressLine(WorkerProgress(stored: 27, storedBytes: 1_000, live: 30, total: 30), RateMeter())
        #expect(stale.text(columns: 80) == "27/30 parts done · 1.00 kB stored here")
    }

    @Test func `work that stands still shows what it waits for instead of an old speed`() {
        let reporter = screen.reporter(person(columns: 200))
        reporter.progress(WorkerProgress(live: 400, total: 400))
        screen.now = 10
        let wait = "2 to be fetched again, the next in 50 s"
        reporter.progress(WorkerProgress(stored: 398, storedBytes: 4_000, live: 2, total: 400, standstill: wait))
        let last = screen.text.components(separatedBy: erase).last
        #expect(last == "398/400 parts done · 2 to be fetched again, the next in 50 s · 4.00 kB stored here")
    }

    @Test func `work of which some is in a closed lane has a speed, and no time left`() {
        let reporter = screen.reporter(person(columns: 200))
        reporter.progress(WorkerProgress(live: 400, total: 400))
        screen.now = 10
        let held = "3 parts wait until 'coldroll resume 2'"
        reporter.progress(WorkerProgress(stored: 100, storedBytes: 4_000, live: 300, total: 400, held: held))
        let last = screen.text.components(separatedBy: erase).last
        #expect(last == "100/400 parts done · 400 B/s · no ETA: \(held) · 4.00 kB stored here")
    }

    @Test func `every field of a line of progress is documented`() throws {
        var meter = RateMeter()
        meter.note(count: 0, bytes: 0, at: 0)
        meter.note(count: 5, bytes: 5, at: 5)
        let lines = [
            ProgressLine(ScanProgress()), ProgressLine(WorkerProgress(live: 1, total: 2), meter),
            ProgressLine(WorkerProgress(live: 1, total: 2, held: "why"), meter),
        ]
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/status.md")
        let document = try String(contentsOf: file, encoding: .utf8)
        let documented = document.matches(of: /\n- `([a-z_]+)`:/).map { String($0.output.1) }
        #expect(Set(documented) == Set(lines.flatMap(\.fields.keys)))
    }

    @Test func `a run whose person has not picked yet says that it waits for that, until it is over`() {
        let reporter = screen.reporter(person(columns: 200))
        func line() -> String? {
            screen.now += 10
            reporter.progress(WorkerProgress())
            return screen.text.components(separatedBy: erase).last
        }
        reporter.awaitPick(true)
        #expect(line() == "waits for you to pick · 0 B stored here")
        reporter.awaitPick(false)
        #expect(line() == "starting · 0 B/s · 0 B stored here")
        let more = ProgressLine(WorkerProgress(stored: 3, live: 0, total: 3), RateMeter(), awaitsPick: true)
        #expect(more.text(columns: 80) == "3/3 parts done · waits for you to pick · 0 B stored here")
        #expect(more.fields["waits"] == .string("waits for you to pick"))
        // What was picked before is fetched meanwhile.
        let busy = ProgressLine(WorkerProgress(stored: 1, live: 2, total: 3), RateMeter(), awaitsPick: true)
        #expect(busy.fields["waits"] == nil)
    }

    @Test func aPersonSeesAModulesWarningsWithTheirFieldsAndNoInformation() {
        let logger = screen.reporter(person()).logger
        logger.log(.info, "claimed")
        logger.log(.warning, "lane parked", ["reason": "429", "lane": 2])
        #expect(screen.text == "warning: lane parked (lane 2, reason 429)\n")
    }

    @Test func textFromOutsideCannotSteerATerminal() {
        let reporter = screen.reporter(person())
        reporter.warn("stored", ["name": "a\u{1B}[2J\u{202E}gpj.exe\nb"])
        #expect(screen.text == "warning: stored (name a\u{FFFD}[2J\u{FFFD}gpj.exe\u{FFFD}b)\n")
        #expect(harmless("👨‍👩‍👧 é 写真.jpg") == "👨‍👩‍👧 é 写真.jpg")
    }
}
