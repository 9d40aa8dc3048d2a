import Foundation
import GoogleSimulator
import HTTPServer
import Synchronization
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct ServeTests {
    private func stage(_ count: Int = 12, _ change: (inout SimulatorConfiguration) -> Void = { _ in }) throws -> Stage {
        try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: count, sizes: 5_000...20_000, videoPercent: 10)
            change(&configuration)
        }
    }

    /// Makes downloads so slow that a run is caught in its middle.
    private func slowDown(_ stage: Stage) {
        var slow = FaultRule(on: "download,redirectTarget", .latency)
        slow.milliseconds = 20_000
        stage.simulator.setFaults([slow])
    }

    /// Which of these has begun a run.
    private func holder(_ programs: [Program]) throws -> Int? {
        try programs.firstIndex { try $0.output.contains("begins a run") }
    }

    @Test func `ten calls at once on three hosts are one run, which is told once`() async throws {
        let stage = try stage()
        let receiver = try NoticeReceiver()
        // Slow enough that all calls come before its end.
        var slow = FaultRule(on: "list", .latency)
        slow.milliseconds = 3_000
        stage.simulator.setFaults([slow])
        var hosts: [(program: Program, port: Int)] = []
        let settings = Callers.settings.merging(["COLDROLL_NOTIFY_URL": receiver.url]) { $1 }
        for _ in 0..<3 { hosts.append(try await stage.serve(changing: settings)) }
        let ports = hosts.map(\.port)
        // Every other one comes from Google's Cloud Scheduler.
        let token = try Callers(stage).token()
        let answers = try await withThrowingTaskGroup(of: (status: Int, body: String).self) { group in
            for call in 0..<10 {
                let bearer = call.isMultiple(of: 2) ? Stage.callersSecret : token
                group.addTask { try await stage.callForRun(ports[call % 3], bearer: bearer) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 202 }, "\(answers)")
        #expect(answers.count { $0.body.contains("\"joined\":false") } == 1, "\(answers)")
        #expect(Set(answers.map { $0.body.replacing("true", with: "false") }) == ["{\"run\":1,\"joined\":false}\n"])
        let end = try await stage.endOfTurn()
        #expect(end.hasPrefix("0 1 Scanned 1 page: 12 items listed, 12 new."), "\(end)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.run") == 1)
        try await stage.until("it is told") { receiver.events == ["succeeded"] }
        try stage.proveEverythingIsStored()

        // What the ledger knows is shown by each of them.
        for port in ports {
            let metrics = try await stage.curl(["http://127.0.0.1:\(port)/metrics"])
            #expect(metrics.status == 200 && metrics.body.contains("coldroll_turn_open"))
            #expect(try await stage.curl(["http://127.0.0.1:\(port)/healthz"]) == (200, "ok\n"))
            #expect(try await stage.curl(["http://127.0.0.1:\(port)/readyz"]) == (200, "ready\n"))
        }
        try await stage.end(hosts.map(\.program))
        #expect(receiver.events == ["succeeded"])
        receiver.stop()
    }

    @Test func `when the host that runs is killed, another goes on with the same run`() async throws {
        let stage = try stage(40)
        slowDown(stage)
        let beat = ["COLDROLL_BEAT": "1s"]
        let hosts = [try await stage.serve(changing: beat), try await stage.serve(changing: beat)].map(\.program)
        let victim = try await { () async throws -> Int in
            #expect(try await stage.callForRun(try port(hosts[0])).status == 202)
            try await stage.until("a host begins") { try holder(hosts) != nil }
            return try #require(try holder(hosts))
        }()
        try await stage.until("work in hand") {
            try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") > 0
        }
        hosts[victim].signal(SIGKILL)
        _ = try await hosts[victim].end()
        stage.simulator.setFaults([])
        // 45 s of silence by the database's clock.
        try await stage.texts("UPDATE coldroll.turn SET beat_at = beat_at - interval '1 minute'")
        try await stage.texts("UPDATE coldroll.scan SET renewed_at = renewed_at - interval '1 minute'")
        #expect(try await stage.endOfTurn().hasPrefix("0 2 "))
        #expect(try hosts[1 - victim].output.contains("begins a run"))
        try stage.proveEverythingIsStored()
        try await stage.end([hosts[1 - victim]])
    }

    private func port(_ program: Program) throws -> Int {
        try #require(
            try program.output.firstMatch(of: #/Listening on http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        )
    }

    @Test func `SIGTERM gives back what is in hand, and leaves the run to another host at once`() async throws {
        let stage = try stage(40)
        slowDown(stage)
        let first = try await stage.serve()
        #expect(try await stage.callForRun(first.port).status == 202)
        try await stage.until("work in hand") {
            try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") > 0
        }
        let second = try await stage.serve()
        first.program.signal(SIGTERM)
        try await stage.until("the other host begins") { try second.program.output.contains("begins a run") }
        stage.simulator.setFaults([])
        let end = try await first.program.end()
        #expect(end.status == 130 && end.output.contains("leaves the run to others"), "\(end.output)")
        #expect(try await stage.endOfTurn().hasPrefix("0 2 "))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job") == 0)
        try stage.proveEverythingIsStored()
        try await stage.end([second.program])
    }

    @Test func `a due time that passed while no host ran is made up for once, and told`() async throws {
        let stage = try stage()
        let receiver = try NoticeReceiver()
        let schedule = ["--schedule", "0 3 1 * *"]
        let early = try await stage.serve(schedule)
        try await stage.until("the schedule is known") {
            try await stage.number("SELECT count(*) FROM coldroll.schedule") == 1
        }
        try await stage.end([early.program])
        #expect(try await stage.number("SELECT count(*) FROM coldroll.turn") == 0)
        // Months pass without a host.
        try await stage.texts("UPDATE coldroll.schedule SET since = since - interval '100 days'")
        var hosts: [Program] = []
        for _ in 0..<3 {
            hosts.append(try await stage.serve(schedule, changing: ["COLDROLL_NOTIFY_URL": receiver.url]).program)
        }
        #expect(try await stage.endOfTurn().hasPrefix("0 1 "))
        try await stage.until("it is told") { receiver.events.count >= 2 }
        #expect(
            try await stage.texts("SELECT why || to_char(due_at AT TIME ZONE 'UTC', ' DD HH24:MI') FROM coldroll.turn")
                == ["schedule 01 03:00"]
        )
        try stage.proveEverythingIsStored()
        try await stage.end(hosts)
        // Of three times at least the first two did not happen when they were due.
        #expect(receiver.events.sorted() == ["missed", "succeeded"])
        receiver.stop()
    }

    @Test func `a run that fails is told once, and coldroll run tells too`() async throws {
        let stage = try stage()
        let receiver = try NoticeReceiver()
        let broken = stage.directory + "/broken.json"
        try #"{"type":"authorized_user"}"#.write(toFile: broken, atomically: true, encoding: .utf8)
        let notify = ["COLDROLL_NOTIFY_URL": receiver.url]
        let failing = notify.merging(["COLDROLL_PHOTOS_CREDENTIALS": broken]) { $1 }
        let hosts = [try await stage.serve(changing: failing), try await stage.serve(changing: failing)]
        #expect(try await stage.callForRun(hosts[0].port).status == 202)
        #expect(try await stage.endOfTurn().hasPrefix("3 1 "))
        try await stage.until("it is told") { receiver.events == ["failed"] }
        try await stage.end(hosts.map(\.program))
        let bad = try await stage.run("run", changing: failing)
        #expect(bad.status == 3)
        let good = try await stage.run("run", changing: notify)
        #expect(good.status == 0, "\(good.output)")
        #expect(receiver.events == ["failed", "failed", "succeeded"])
        #expect(!(bad.output + good.output).contains("NOTIFY-SECRET"))
        receiver.stop()
    }

    @Test func `coldroll run that cannot reach the ledger tells so once a day, however often it is started`()
        async throws
    {
        let stage = try stage()
        let receiver = try NoticeReceiver()
        let away = [
            "COLDROLL_NOTIFY_URL": receiver.url, "COLDROLL_DATABASE_URL": "postgresql:///x?host=/missing",
            "COLDROLL_HOME": stage.directory + "/home-of-marks",
        ]
        for _ in 0..<3 { #expect(try await stage.run("run", changing: away).status == 4) }
        // Twice where midnight passed just now.
        #expect((1...2).contains(receiver.events.count) && Set(receiver.events) == ["failed"])
        receiver.stop()
    }

    @Test func `a run that is paused is told of, and stands in nobody's way`() async throws {
        let stage = try stage()
        let receiver = try NoticeReceiver()
        let host = try await stage.serve(["--max-wait", "2s"], changing: ["COLDROLL_NOTIFY_URL": receiver.url])
        try await stage.texts("UPDATE coldroll.lane SET paused_at = now(), paused_by = 'somebody'")
        #expect(try await stage.callForRun(host.port).status == 202)
        try await stage.until("it is told") { receiver.events == ["failed"] }
        #expect(
            try await stage.texts(
                "SELECT concat_ws(' ', code, ended_at, next_try_at > now() + interval '14 minutes') FROM coldroll.turn"
            ) == ["5 t"]
        )
        try await stage.texts("UPDATE coldroll.lane SET paused_at = NULL, paused_by = NULL")
        #expect(try await stage.callForRun(host.port).status == 202)
        #expect(try await stage.endOfTurn().hasPrefix("0 2 "))
        try stage.proveEverythingIsStored()
        try await stage.end([host.program])
        receiver.stop()
    }

    @Test func `an address for notices that hangs holds up no stop`() async throws {
        let stage = try stage()
        // Takes connections and says nothing.
        let silent = try HTTPServer { _ in .answer(ServerAnswer(204, delaySeconds: 120)) }
        let host = try await stage.serve(
            changing: ["COLDROLL_NOTIFY_URL": "http://127.0.0.1:\(silent.port)/hook?key=NOTIFY-SECRET"]
        )
        #expect(try await stage.callForRun(host.port).status == 202)
        _ = try await stage.endOfTurn()
        try await stage.until("it is being told") {
            try await stage.number("SELECT count(*) FROM coldroll.notice WHERE claimed_until > now()") == 1
        }
        let began = ContinuousClock.now
        try await stage.end([host.program])
        #expect(began.duration(to: .now) < .seconds(8))
        #expect(
            try await stage.number("SELECT count(*) FROM coldroll.notice WHERE tries = 0 AND claimed_until <= now()")
                == 1
        )
        silent.stop()
    }

    @Test func `a store that hangs while a run opens it holds up no stop, and the run is another host's`() async throws
    {
        let stage = try stage()
        let isAsked = Mutex(false)
        let silent = try HTTPServer { _ in
            isAsked.withLock { $0 = true }
            return .answer(ServerAnswer(200, delaySeconds: 120))
        }
        let hanging = ["COLDROLL_STATE": "gs://state", "STORAGE_EMULATOR_HOST": "http://127.0.0.1:\(silent.port)"]
        let host = try await stage.serve(changing: hanging.merging(Stage.byLogin) { $1 })
        #expect(try await stage.callForRun(host.port).status == 202)
        try await stage.until("the store is asked") { isAsked.withLock { $0 } }
        let began = ContinuousClock.now
        try await stage.end([host.program])
        #expect(began.duration(to: .now) < .seconds(8))
        #expect(
            try await stage.number("SELECT count(*) FROM coldroll.turn WHERE holder IS NULL AND ended_at IS NULL") == 1
        )
        silent.stop()
        let other = try await stage.serve()
        #expect(try await stage.endOfTurn().hasPrefix("0 2 "))
        try await stage.end([other.program])
    }

    @Test func `while the database is away nobody is told more than that, and the run goes on behind it`() async throws
    {
        let stage = try stage(40)
        let receiver = try NoticeReceiver()
        let door = try stage.door()
        let changes = ["COLDROLL_DATABASE_URL": door.url, "COLDROLL_NOTIFY_URL": receiver.url]
        let hosts = [try await stage.serve(changing: changes), try await stage.serve(changing: changes)]
        var slow = FaultRule(on: "download,redirectTarget", .latency)
        slow.milliseconds = 3_000
        stage.simulator.setFaults([slow])
        #expect(try await stage.callForRun(hosts[0].port).status == 202)
        try await stage.until("work in hand") {
            try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") > 0
        }
        let socket = try FileManager.default.destinationOfSymbolicLink(atPath: door.socket)
        try await stage.close(door)
        for host in hosts {
            try await stage.until("it is not ready") {
                let answer = try await stage.curl(["http://127.0.0.1:\(host.port)/readyz"])
                return answer == (503, "The database does not answer.\n")
            }
            #expect(try await stage.callForRun(host.port).status == 503)
            #expect(try await stage.curl(["http://127.0.0.1:\(host.port)/healthz"]).status == 200)
        }
        try FileManager.default.createSymbolicLink(atPath: door.socket, withDestinationPath: socket)
        stage.simulator.setFaults([])
        for host in hosts {
            try await stage.until("it is ready") {
                try await stage.curl(["http://127.0.0.1:\(host.port)/readyz"]).status == 200
            }
        }
        #expect(try await stage.endOfTurn().hasPrefix("0 1 "))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.run") == 1)
        try await stage.until("it is told") { receiver.events == ["succeeded"] }
        try stage.proveEverythingIsStored()
        for host in hosts { #expect(try host.program.output.contains("not ready")) }
        try await stage.end(hosts.map(\.program))
        receiver.stop()
    }

    @Test func `a ledger of another version gets no calls and no run from here`() async throws {
        let stage = try stage()
        let host = try await stage.serve()
        try await stage.texts("CREATE TABLE public.kept AS SELECT * FROM coldroll.migration")
        try await stage.texts("DELETE FROM coldroll.migration WHERE version > 10")
        let ready = "http://127.0.0.1:\(host.port)/readyz"
        try await stage.until("it is not ready") { try await stage.curl([ready]).status == 503 }
        #expect(try await stage.curl([ready]).body.hasPrefix("The database's schema does not fit this program"))
        #expect(try await stage.callForRun(host.port).status == 503)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.turn") == 0)
        try await stage.texts("INSERT INTO coldroll.migration SELECT * FROM public.kept WHERE version > 10")
        try await stage.until("it is taken") { try await stage.callForRun(host.port).status == 202 }
        #expect(try await stage.endOfTurn().hasPrefix("0 1 "))
        try await stage.end([host.program])
    }

    @Test func `large bodies and slow callers are cut off, and others are served`() async throws {
        let stage = try stage()
        let host = try await stage.serve()
        let big = stage.directory + "/big"
        try Data(count: 10_000_000).write(to: URL(filePath: big))
        let address = "http://127.0.0.1:\(host.port)/run"
        let secret = ["-H", "Authorization: Bearer \(Stage.callersSecret)"]
        #expect(try await stage.curl(secret + ["--data-binary", "@\(big)", address]).status == 413)
        // More than there may be, in the middle of their requests; nothing but time ends them.
        let began = ContinuousClock.now
        let clients = (0..<70).compactMap { number -> RawClient? in
            let client = RawClient(port: UInt16(host.port))
            client?.send(
                number.isMultiple(of: 2) ? "POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n" : "GET /hea"
            )
            return client
        }
        let ended = await withTaskGroup(of: Bool.self) { group in
            for client in clients { group.addTask { await client.read(for: 25).ended } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ended == clients.count)
        #expect(began.duration(to: .now) < .seconds(30))
        #expect(try await stage.curl(["http://127.0.0.1:\(host.port)/healthz"]).status == 200)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.turn") == 0)
        try await stage.end([host.program])
    }

    @Test func `callers without the secret ask for nothing, and without any the answer says what to set`() async throws
    {
        let stage = try stage()
        let host = try await stage.serve()
        #expect(try await stage.callForRun(host.port, bearer: "another-secret-of-a-caller").status == 401)
        #expect(try await stage.curl(["-X", "POST", "http://127.0.0.1:\(host.port)/run"]).status == 401)
        try await stage.end([host.program])
        let closed = try await stage.serve(changing: ["COLDROLL_SERVE_SECRET_FILE": ""])
        let answer = try await stage.callForRun(closed.port)
        #expect(answer.status == 403 && answer.body.contains("COLDROLL_SERVE_AUDIENCE"))
        #expect(try closed.program.output.contains("Nobody can ask for a run"))
        try await stage.end([closed.program])
        #expect(try await stage.number("SELECT count(*) FROM coldroll.turn") == 0)
    }

    @Test func `a monthly schedule is refused while the login lives for a week, unless forced`() async throws {
        let stage = try stage { $0.isTestingApp = true }
        for changes in [Stage.byLogin, [:]] {
            if changes == Stage.byLogin { try await stage.logIn(["--client", stage.simulator.clientFile]) }
            let refused = try await stage.run(
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--schedule",
                "0 3 1 * *",
                changing: changes
            )
            #expect(refused.status == 3 && refused.output.contains("Publish the app"), "\(refused.output)")
            let weekly = try await stage.serve(["--schedule", "0 3 * * *"], changing: changes)
            let forced = try await stage.serve(["--schedule", "0 3 1 * *", "--force"], changing: changes)
            try await stage.end([weekly.program, forced.program])
            // Now near each other, and not at all times of the year; and a login that is older than a day.
            let seasonal = try await stage.run(
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--schedule",
                "0 3 * 1,3-12 *",
                changing: changes
            )
            #expect(seasonal.status == 3 && seasonal.output.contains(#/(29|30) d 0 h apart/#), "\(seasonal.output)")
        }
    }

    @Test func `faults of its settings end it before it listens`() async throws {
        let stage = try stage()
        let busy = try await stage.serve()
        for (words, changes, status, sentence) in [
            (["--listen", "127.0.0.1:\(busy.port)"], [:], 1, "cannot listen on 127.0.0.1:\(busy.port)"),
            (["--schedule", "0 3 30 2 *"], [:], 1, "a day that never comes"),
            (["--schedule", "* * * * *"], ["TZ": "Mars/Olympus"], 1, "no time zone"),
            ([], ["COLDROLL_SERVE_SECRET_FILE": "/missing/secret"], 3, "is not there"),
            (["--source", "picker"], [:], 1, "coldroll run --source picker"),
            ([], ["COLDROLL_DATABASE_URL": "postgresql:///x?host=/missing"], 4, "cannot be reached"),
        ] as [([String], [String: String], Int32, String)] {
            let end = try await Program(
                Stage.programs + "/coldroll",
                ["serve"] + words,
                stage.environment.merging(changes) { $1 },
                output: stage.directory + "/" + UUID().uuidString
            ).end()
            #expect(end.status == status && end.output.contains(sentence), "\(words): \(end.output)")
        }
        try await stage.end([busy.program])
    }
}
