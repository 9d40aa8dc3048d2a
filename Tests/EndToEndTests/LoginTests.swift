import Foundation
import GoogleSimulator
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct LoginTests {
    private func stage(
        _ count: Int,
        archive: String? = nil,
        _ change: (inout SimulatorConfiguration) -> Void = { _ in }
    ) throws -> Stage {
        let stage = try Stage(archive: archive) { configuration in
            configuration.synthesis = SynthesisOptions(count: count, sizes: 5_000...20_000, videoPercent: 10)
            change(&configuration)
        }
        try FileManager.default.createDirectory(atPath: stage.directory + "/archive", withIntermediateDirectories: true)
        return stage
    }

    /// Fails if anything that a program printed, or the database holds, is a secret of Google's.
    private func checkSecrets(_ stage: Stage, _ outputs: [String]) async throws {
        let rows = try await stage.texts("SELECT to_jsonb(l)::text FROM coldroll.login AS l")
        let kept = try String(contentsOfFile: stage.directory + "/state/credentials/default.json", encoding: .utf8)
        for text in outputs + rows + [kept] {
            for secret in ["1//0", "ya29.", "GOCSPX", "4/0A", "code_verifier"] {
                #expect(!text.contains(secret), "\(secret) in \(text)")
            }
        }
    }

    @Test func `a login in a browser is kept for all, and a run needs nothing else`() async throws {
        let stage = try stage(25)
        // A browser that tells where it was sent.
        let browser = stage.directory + "/browser"
        try "#!/bin/sh\necho \"$1\" > \(stage.directory)/opened\n".write(
            toFile: browser,
            atomically: true,
            encoding: .utf8
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: browser)
        let program = try stage.startLogin(["--client", stage.simulator.clientFile], changing: ["BROWSER": browser])
        let link = try await stage.link(of: program)
        try await stage.until("the browser is opened") {
            (try? String(contentsOfFile: stage.directory + "/opened", encoding: .utf8)) == link + "\n"
        }
        let address = try await stage.decide(link)
        // Somebody else's answer first: it does not end the login, and gets nothing.
        let port = try #require(address.split(separator: "/").dropFirst().first)
        #expect(try await stage.open("http://\(port)/?state=guessed&code=4%2F0Aevil") == 400)
        #expect(try await stage.open(address) == 200)
        let end = try await program.end()
        #expect(end.status == 0, "\(end.output)")
        let owner = try #require(stage.simulator.people.first)
        #expect(end.output.contains("Logged in as \(owner.email)"), "\(end.output)")
        #expect(end.output.contains("still waiting"), "\(end.output)")
        #expect(!end.output.contains("in testing"), "\(end.output)")

        for path in [stage.directory + "/home/key", stage.directory + "/state/credentials/default.json"] {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(path)")
        }
        let run = try await stage.run("run", changing: Stage.byLogin)
        #expect(run.status == 0, "\(run.output)")
        let status = try await stage.run("status")
        #expect(status.output.contains("login     library default: good, logged in"), "\(status.output)")
        try stage.proveEverythingIsStored()
        #expect(stage.simulator.counters.oauth("refresh.ok") == 1)
        #expect(stage.simulator.counters.oauth("exchange.ok") == 1)
        try await checkSecrets(stage, [end.output.replacing(link, with: ""), run.output, status.output])
    }

    @Test func `an address is pasted where the browser is elsewhere, and an app in testing is told to have a week`()
        async throws
    {
        let stage = try stage(3) { $0.isTestingApp = true }
        let program = try stage.startLogin(["--client", stage.simulator.clientFile, "--no-browser"])
        let address = try await stage.decide(try await stage.link(of: program))
        try program.enter("")
        try program.enter("what is this?")
        try program.enter(address.replacing("state=", with: "state=x"))
        try program.enter("  " + address)
        let end = try await program.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.split(separator: "That is not the address").count == 3, "\(end.output)")
        #expect(end.output.split(separator: "Nothing was pasted.").count == 2, "\(end.output)")
        #expect(end.output.contains("the app is in testing"), "\(end.output)")
        let status = try await stage.run("status")
        #expect(status.output.contains(", for 6 d 23 h more"), "\(status.output)")
    }

    @Test func `a login that comes to nothing ends with three, keeps nothing and says why`() async throws {
        let stage = try stage(3)
        let client = ["--client", stage.simulator.clientFile]
        // What is to be typed next has the client's file: nothing is kept that could name it.
        let again = "'coldroll login --client \(stage.simulator.clientFile)"
        for (decision, words) in [
            (Decision(cancels: true), "cancelled on Google's page"),
            (Decision(ticks: false), "Nothing was kept. Run \(again) --no-browser' again and tick every box"),
        ] {
            let program = try stage.startLogin(client + ["--no-browser"])
            try program.enter(try await stage.decide(try await stage.link(of: program), decision))
            let end = try await program.end()
            #expect(end.status == 3 && end.output.contains(words), "\(end.output)")
        }
        // In a browser on this machine, which is to show how it ended, however fast the end.
        for _ in 0..<6 {
            let program = try stage.startLogin(client)
            let address = try await stage.decide(try await stage.link(of: program), Decision(cancels: true))
            #expect(try await stage.page(address).contains("The login was not granted."))
            #expect(try await program.end().status == 3)
        }
        let alone = try stage.startLogin(client + ["--wait", "1s"])
        let late = try await alone.end()
        #expect(
            late.status == 3 && late.output.contains("No answer came within 1 s. Run \(again)' again"),
            "\(late.output)"
        )
        let ended = try stage.startLogin(client + ["--no-browser"])
        try ended.closeInput()
        let silent = try await ended.end()
        #expect(
            silent.status == 3 && silent.output.contains("Standard input ended")
                && silent.output.contains("Run \(again) --no-browser' in a terminal"),
            "\(silent.output)"
        )
        let unknown = try await stage.run("login", changing: Stage.byLogin)
        #expect(unknown.status == 1 && unknown.output.contains("--client FILE"), "\(unknown.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.login") == 0)
        #expect(!FileManager.default.fileExists(atPath: stage.directory + "/state/credentials/default.json"))
        for command in ["scan", "run", "work"] {
            let end = try await stage.run(command, changing: Stage.byLogin)
            #expect(end.status == 3 && end.output.contains("run 'coldroll login --client FILE' (FILE"), "\(end.output)")
        }
        let setup = try await stage.run("setup", changing: Stage.byLogin)
        #expect(
            setup.status == 0 && setup.output.contains("Almost ready: run 'coldroll login --client FILE'"),
            "\(setup.output)"
        )
    }

    @Test func `a source keeps its owner and its client`() async throws {
        let stage = try stage(3)
        try await stage.logIn(["--client", stage.simulator.clientFile])
        let before = try await stage.texts("SELECT id::text FROM coldroll.login")
        // The client is remembered.
        let program = try stage.startLogin(["--no-browser"])
        let other = try #require(stage.simulator.people.dropFirst().first).email
        try program.enter(try await stage.decide(try await stage.link(of: program), Decision(account: other)))
        let end = try await program.end()
        #expect(
            end.status == 1 && end.output.contains("This login (you are \(other)) is of another Google account")
                && end.output.contains("'coldroll login --no-browser --client FILE --account LABEL'"),
            "\(end.output)"
        )
        let stranger = try await stage.run(
            "login",
            "--client",
            stage.simulator.otherClientFile,
            changing: Stage.byLogin
        )
        #expect(stranger.status == 1 && stranger.output.contains("the first client's"), "\(stranger.output)")
        #expect(try await stage.texts("SELECT id::text FROM coldroll.login") == before)
        #expect(try await stage.run("run", changing: Stage.byLogin).status == 0)
        // A label of its own is a source of its own.
        let second = try stage.startLogin([
            "--no-browser", "--client", stage.simulator.clientFile, "--account", "a/../b",
        ])
        try second.enter(try await stage.decide(try await stage.link(of: second), Decision(account: other)))
        #expect(try await second.end().status == 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: stage.directory + "/state/credentials")
        #expect(files.sorted() == ["a%2F%2E%2E%2Fb.json", "default.json"])
    }

    @Test func `four workers whose token dies at once fetch one new one`() async throws {
        let stage = try stage(400) { $0.photosLatency = 0.05 }
        let settings = Stage.byLogin.merging(["COLDROLL_STATE": "gs://state"]) { $1 }
        try await stage.logIn(["--client", stage.simulator.clientFile], changing: settings)
        let scan = try await stage.run("scan", changing: settings)
        #expect(scan.status == 0, "\(scan.output)")
        // Until the token has died under all of them there is always more to do.
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 500
        stage.simulator.setFaults([slow])
        let workers = try (0..<4).map { _ in try stage.start("work", "--drain", "--slots", "2", changing: settings) }
        try await stage.until("all of them work") {
            try await stage.number(
                """
                SELECT count(DISTINCT worker_id) FROM coldroll.job WHERE state = 'running'
                    AND (SELECT count(*) FROM coldroll.object) >= 20
                """
            ) == 4
        }
        let before = stage.simulator.counters
        #expect(before.oauth("refresh.ok") == 1)
        stage.simulator.expireTokens()
        try await stage.until("the token is refused to several of them, and replaced") {
            let now = stage.simulator.counters
            return (now.statuses[401] ?? 0) - (before.statuses[401] ?? 0) >= 4 && now.oauth("refresh.ok") >= 2
        }
        stage.simulator.setFaults([])
        for worker in workers {
            let end = try await worker.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(stage.simulator.counters.oauth("refresh.ok") == 2)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a revoked login pauses the source, loses nothing, and the next login lets all go on`() async throws {
        let stage = try stage(300) { $0.photosLatency = 0.05 }
        try await stage.logIn(["--client", stage.simulator.clientFile])
        #expect(try await stage.run("scan", changing: Stage.byLogin).status == 0)
        let stays = try stage.start("work", "--slots", "2", changing: Stage.byLogin)
        let drains = try stage.start("work", "--drain", "--slots", "2", changing: Stage.byLogin)
        try await stage.until("both work") {
            try await stage.number("SELECT count(DISTINCT worker_id) FROM coldroll.object") == 2
        }
        stage.simulator.revokePhotosLogin()
        let end = try await drains.end()
        #expect(end.status == 3 && end.output.contains("Run 'coldroll login'"), "\(end.output)")
        try await stage.until("what was in hand is given back") {
            try await stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 0
        }
        let stored = try await stage.number("SELECT count(*) FROM coldroll.object")
        #expect(stored < 300)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.lane WHERE paused_at IS NOT NULL") == 2)
        #expect(stage.simulator.counters.oauth("refresh.invalid_grant") == 1)
        let status = try await stage.run("status")
        #expect(status.output.contains("REFUSED") && status.output.contains("Run 'coldroll login'"), "\(status.output)")
        let run = try await stage.run("run", changing: Stage.byLogin)
        #expect(run.status == 3 && run.output.contains("Run 'coldroll login'"), "\(run.output)")
        #expect(try await stage.number("SELECT coalesce(max(attempt), 0)::bigint FROM coldroll.job") == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)

        try await stage.logIn()
        try await stage.until("the worker that stayed goes on, by itself") {
            try await stage.number("SELECT count(*) FROM coldroll.job") == 0
        }
        stays.signal(SIGTERM)
        #expect(try await stays.end().status == 130)
        try stage.proveEverythingIsStored()
    }

    @Test func `a host without the key, with another or with one that others can read is told what to do`() async throws
    {
        let stage = try stage(3)
        try await stage.logIn(["--client", stage.simulator.clientFile])
        let key = stage.directory + "/home/key"
        let other = stage.directory + "/other-key"
        func scan() async throws -> Program.End {
            try await stage.run("scan", changing: Stage.byLogin.merging(["COLDROLL_KEY_FILE": other]) { $1 })
        }
        let missing = try await scan()
        #expect(missing.status == 3 && missing.output.contains("copy \(other) from the host"), "\(missing.output)")
        try ("coldroll-key-1 " + String(repeating: "A", count: 43) + "\n")
            .write(toFile: other, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: other)
        let wrong = try await scan()
        #expect(wrong.status == 3 && wrong.output.contains("another key"), "\(wrong.output)")
        try FileManager.default.removeItem(atPath: other)
        try FileManager.default.copyItem(atPath: key, toPath: other)
        #expect(try await scan().status == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: other)
        let open = try await scan()
        #expect(open.status == 3 && open.output.contains("chmod 600 \(other)"), "\(open.output)")
        // One changed byte, and a file that was cut.
        let login = stage.directory + "/state/credentials/default.json"
        let good = try String(contentsOfFile: login, encoding: .utf8)
        for bad in [good.replacing("\"login\":\"", with: "\"login\":\"A"), String(good.dropLast(20)), ""] {
            try bad.write(toFile: login, atomically: true, encoding: .utf8)
            let end = try await stage.run("scan", changing: Stage.byLogin)
            #expect(end.status == 3 && end.output.contains("Run 'coldroll login --client FILE'"), "\(end.output)")
        }
    }

    @Test func `a logout ends the login at Google's and leaves nothing of it`() async throws {
        let stage = try stage(3)
        try await stage.logIn(["--client", stage.simulator.clientFile])
        #expect(try await stage.run("scan", changing: Stage.byLogin).status == 0)
        let out = try await stage.run("logout", changing: Stage.byLogin)
        #expect(out.status == 0 && out.output.contains("Logged out"), "\(out.output)")
        #expect(stage.simulator.counters.oauth("revoke.ok") == 1)
        let kept = try String(contentsOfFile: stage.directory + "/state/credentials/default.json", encoding: .utf8)
        #expect(!kept.contains("\"login\":\""), "\(kept)")
        #expect(try await stage.run("work", "--drain", changing: Stage.byLogin).status == 3)
        let again = try await stage.run("logout", changing: Stage.byLogin)
        #expect(again.status == 0 && again.output.contains("is not logged in"), "\(again.output)")
        try await stage.logIn(["--client", stage.simulator.clientFile])
        #expect(try await stage.run("run", changing: Stage.byLogin).status == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `an odd answer of one network is no end of the login, and is waited out`() async throws {
        let stage = try stage(10, archive: "file://DIRECTORY/archive")
        try await stage.logIn(["--client", stage.simulator.clientFile])
        var rule = FaultRule(on: "token", .status)
        (rule.status, rule.body, rule.times) = (403, "<html>Welcome to the hotel</html>", 2)
        stage.simulator.setFaults([rule])
        let run = try await stage.run("run", changing: Stage.byLogin)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("Google answered 403"), "\(run.output)")
        #expect(stage.simulator.faults.map(\.struck) == [2])
        #expect(stage.simulator.counters.oauth("refresh.ok") == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 10)
    }

    @Test func `an owner whose login is refused goes on with a credentials file that works, and with no other`()
        async throws
    {
        let stage = try stage(20, archive: "file://DIRECTORY/archive")
        try await stage.logIn(["--client", stage.simulator.clientFile])
        #expect(try await stage.run("scan", changing: Stage.byLogin).status == 0)
        // Google takes the login no more; that of the file is another one.
        var rule = FaultRule(on: "token", .status)
        (rule.status, rule.body) = (400, #"{"error":"invalid_grant"}"#)
        stage.simulator.setFaults([rule])
        try await stage.texts("UPDATE coldroll.login SET sealed_token = NULL, token_ends_at = NULL")
        #expect(try await stage.run("work", "--drain", changing: Stage.byLogin).status == 3)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.lane WHERE paused_at IS NOT NULL") == 2)
        // A file that does not work opens nothing.
        let dead = try await stage.run("run")
        #expect(dead.status == 3 && dead.output.contains("let that file hold"), "\(dead.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.lane WHERE paused_at IS NOT NULL") == 2)
        #expect(stage.simulator.faults.map(\.struck) == [2])
        stage.simulator.setFaults([])
        let run = try await stage.run("run")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("goes on with COLDROLL_PHOTOS_CREDENTIALS"), "\(run.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 20)
    }

    @Test func `a worker whose login is refused leaves the work to one that has a credentials file`() async throws {
        let stage = try stage(300, archive: "file://DIRECTORY/archive")
        try await stage.logIn(["--client", stage.simulator.clientFile])
        let stays = try stage.start("work", "--slots", "2", changing: Stage.byLogin)
        try await stage.until("it waits for work") {
            try await stage.number("SELECT count(*) FROM coldroll.worker WHERE slots > 0") == 1
        }
        try await stage.texts("UPDATE coldroll.login SET refused_at = now(), refusal = 'gone. Log in.'")
        let run = try await stage.run("run")
        #expect(run.status == 0, "\(run.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 300)
        stays.signal(SIGTERM)
        let end = try await stays.end()
        let taken = end.output.split(separator: "\n").filter { $0.contains("gave a job back") && $0.contains("gone") }
        // One claim each ten seconds, of a few jobs.
        #expect(!taken.isEmpty && taken.count < 100, "\(taken.count)")
    }

    @Test func `a login and a logout without a source make none, and the source that is chosen later is logged in`()
        async throws
    {
        let stage = try stage(3)
        let without = ["COLDROLL_SOURCE": ""]
        let byLogin = Stage.byLogin.merging(without) { $1 }
        try await stage.logIn(["--client", stage.simulator.clientFile], changing: without)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.source") == 0)
        #expect(try await stage.run("logout", changing: byLogin).output.contains("Logged out"))
        #expect(try await stage.run("logout", changing: byLogin).output.contains("is not logged in"))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.source") == 0)
        try await stage.logIn(["--client", stage.simulator.clientFile], changing: without)
        let run = try await stage.run("run", changing: Stage.byLogin)
        #expect(run.status == 0, "\(run.output)")
        #expect(try await stage.texts("SELECT kind FROM coldroll.source") == ["library"])
        #expect(try await stage.run("status").output.contains("login     library default: good"))
        // Of the sources that there are, each is logged out.
        #expect(try await stage.run("logout", changing: byLogin).output.contains("Logged out"))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.login WHERE refusal IS NOT NULL") == 1)
        // A login for one source is for the others that there are, too.
        let picker = ["COLDROLL_SOURCE": "picker"]
        let program = try stage.startLogin(
            ["--no-browser", "--client", stage.simulator.clientFile],
            changing: picker
        )
        let link = try await stage.link(of: program)
        #expect(link.contains("photospicker.mediaitems.readonly") && link.contains("appcreateddata"))
        try program.enter(try await stage.decide(link))
        #expect(try await program.end().status == 0)
        #expect(try await stage.run("scan", changing: Stage.byLogin).status == 0)
        #expect(try await stage.texts("SELECT kind FROM coldroll.source ORDER BY id") == ["library", "picker"])
    }

    @Test func `an older copy of the state store, and two logins at once, end with one login that all use`()
        async throws
    {
        let stage = try stage(3)
        let file = stage.directory + "/state/credentials/default.json"
        try await stage.logIn(["--client", stage.simulator.clientFile])
        let older = try Data(contentsOf: URL(filePath: file))
        let first = try await stage.texts("SELECT id::text FROM coldroll.login")
        // Two people at once, on two hosts.
        let programs = try (0..<2).map { _ in try stage.startLogin(["--no-browser"]) }
        for program in programs { try program.enter(try await stage.decide(try await stage.link(of: program))) }
        for program in programs {
            let end = try await program.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(try await stage.texts("SELECT id::text FROM coldroll.login") != first)
        #expect(try await stage.run("scan", changing: Stage.byLogin).status == 0)
        // The bucket is restored.
        try older.write(to: URL(filePath: file))
        let run = try await stage.run("run", changing: Stage.byLogin)
        #expect(run.status == 0, "\(run.output)")
        #expect(try await stage.texts("SELECT id::text FROM coldroll.login") == first)
        try stage.proveEverythingIsStored()
    }

    @Test func `credentials that others can read, or that are another user's, are warned of where they are used`()
        async throws
    {
        let stage = try stage(3)
        func copy(_ file: String, _ attribute: FileAttributeKey, _ value: Int) throws -> String {
            let path = stage.directory + "/" + UUID().uuidString + ".json"
            try Data(contentsOf: URL(filePath: file)).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            try FileManager.default.setAttributes([attribute: value], ofItemAtPath: path)
            return path
        }
        let quiet = try await stage.run("run")
        #expect(quiet.status == 0 && !quiet.output.contains("other users"), "\(quiet.output)")
        let photos = try copy(stage.simulator.photosCredentialsFile, .posixPermissions, 0o644)
        let storage = try copy(stage.simulator.storageCredentialsFile, .posixPermissions, 0o640)
        let run = try await stage.run(
            "run",
            changing: ["COLDROLL_PHOTOS_CREDENTIALS": photos, "GOOGLE_APPLICATION_CREDENTIALS": storage]
        )
        #expect(run.status == 0, "\(run.output)")
        for (path, name) in [(photos, "COLDROLL_PHOTOS_CREDENTIALS"), (storage, "the credentials for Cloud Storage")] {
            let words =
                "\(path) (\(name)) can be read or written by other users of this machine. Run: chmod 600 '\(path)'"
            #expect(run.output.contains(words), "\(run.output)")
        }
        guard geteuid() == 0 else { return }
        let foreign = try copy(stage.simulator.photosCredentialsFile, .ownerAccountID, 65534)
        let other = try await stage.run("scan", changing: ["COLDROLL_PHOTOS_CREDENTIALS": foreign])
        #expect(other.status == 0 && other.output.contains("belongs to another user"), "\(other.output)")
    }
}
