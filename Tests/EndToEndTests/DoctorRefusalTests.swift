import Foundation
import GoogleSimulator
import Postgres
import TestSupport
import Testing

/// What a run refuses, `coldroll doctor` refuses before, with the same exit code and without leaving a trace.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct DoctorRefusalTests {
    private func stage(archive: String? = "file://DIRECTORY/archive") throws -> Stage {
        let stage = try Stage(archive: archive) {
            $0.synthesis = SynthesisOptions(count: 3, sizes: 5_000...9_000, videoPercent: 0)
        }
        try FileManager.default.createDirectory(
            atPath: stage.directory + "/archive",
            withIntermediateDirectories: true
        )
        return stage
    }

    /// Both stores, a line for each file with its size and time.
    private func files(_ stage: Stage) throws -> [String] {
        var lines: [String] = []
        for store in ["archive", "state"] {
            let walk = FileManager.default.enumerator(atPath: stage.directory + "/" + store)
            while let name = walk?.nextObject() as? String {
                let facts = walk?.fileAttributes ?? [:]
                lines.append("\(store)/\(name) \(facts[.size] ?? 0) \(facts[.modificationDate] ?? 0)")
            }
        }
        return lines.sorted()
    }

    /// That doctor fails with such a line, as a run does, and changes nothing; returns what doctor printed.
    @discardableResult
    private func expectRefused(
        _ stage: Stage,
        _ check: String,
        _ words: String,
        as status: Int32,
        changing changes: [String: String] = [:],
        command: String = "run",
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let before = try files(stage)
        let doctor = try await stage.run("doctor", changing: changes)
        #expect(try files(stage) == before, sourceLocation: location)
        #expect(doctor.status == status, "\(doctor.output)", sourceLocation: location)
        // Messages are broken at their own line feeds only.
        let line = doctor.output.split(separator: "\n").first { $0.hasPrefix("FAILED ") }
        #expect(
            line?.split(separator: " ").dropFirst().first == Substring(check),
            "\(doctor.output)",
            sourceLocation: location
        )
        #expect(line?.contains(words) == true, "\(doctor.output)", sourceLocation: location)
        let run = try await stage.run(command, changing: changes)
        #expect(run.status == status, "\(run.output)", sourceLocation: location)
        return doctor.output
    }

    @Test func `before the first run and after it all is well, and nothing was written`() async throws {
        let stage = try stage()
        let bare = try await stage.run("doctor")
        #expect(bare.status == 0 && bare.output.contains("Neither the ledger nor the archive holds"), "\(bare.output)")
        #expect(try files(stage).isEmpty)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.source") == 0)
        #expect(try await stage.texts("SELECT archive FROM coldroll.ledger") == [""])
        #expect(try await stage.run("run").status == 0)
        let before = try files(stage)
        let after = try await stage.run("doctor")
        #expect(after.status == 0 && after.output.contains("is the one that filled the archive"), "\(after.output)")
        #expect(try files(stage) == before)
        // The names are none that a directory lets anybody write.
        #expect(!after.output.contains("temporary files"))
    }

    @Test func `a disk that is not mounted is no archive`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        try FileManager.default.moveItem(
            atPath: stage.directory + "/archive",
            toPath: stage.directory + "/unmounted"
        )
        try FileManager.default.createDirectory(
            atPath: stage.directory + "/archive",
            withIntermediateDirectories: false
        )
        // The mount point has no mark, and gets none.
        let output = try await stage.run("doctor").output
        #expect(output.contains("is not the archive of this ledger, but another one"), "\(output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: stage.directory + "/archive").isEmpty)
        // Another disk of coldroll's has a mark of its own.
        let other = stage.directory + "/archive/.coldroll"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        try "another\n".write(toFile: other + "/id", atomically: true, encoding: .utf8)
        try await expectRefused(stage, "ledger", "is not the archive of this ledger, but another one", as: 1)
    }

    @Test func `setup and run make nothing where the archive's disk is not mounted, and say so`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        let mount = stage.directory + "/archive"
        try FileManager.default.moveItem(atPath: mount, toPath: stage.directory + "/unmounted")
        let login = ["login", "--client", stage.simulator.clientFile]
        for words in [["setup"], ["run"], ["scan"], ["work", "--drain"], login, ["doctor"]] {
            // The state store may be on the same disk, and the login in it.
            let lost = stage.directory + "/lost"
            let end = try await stage.run(
                words: words,
                changing: words == ["doctor"]
                    ? [:] : Stage.byLogin.merging(["COLDROLL_STATE": "file://" + lost]) { $1 }
            )
            #expect(!FileManager.default.fileExists(atPath: lost))
            #expect(end.status == 1 && end.output.contains("Mount the disk that holds it, or bring"), "\(end.output)")
            #expect(!end.output.contains("mkdir"), "\(end.output)")
            #expect(!FileManager.default.fileExists(atPath: mount))
        }
        // A bucket is on no disk, and a lost disk keeps nobody from revoking a login.
        let away = Stage.byLogin.merging(["COLDROLL_STATE": "gs://state"]) { $1 }
        let end = try await stage.run(words: ["logout"], changing: away)
        #expect(!end.output.contains("Mount the disk"), "\(end.output)")
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
        for words in [["setup"], ["setup", "--dry-run"], ["run"]] {
            let end = try await stage.run(words: words)
            #expect(
                end.status == 1 && end.output.contains("is not the archive of this ledger, but another one"),
                "\(end.output)"
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: mount).isEmpty)
        }
        try FileManager.default.removeItem(atPath: mount)
        try FileManager.default.moveItem(atPath: stage.directory + "/unmounted", toPath: mount)
        #expect(try await stage.run("setup").status == 0)
    }

    /// Against a directory nothing is asked of Google before the library: who answers in a hotel's network has such a certificate.
    @Test(arguments: [nil, "file://DIRECTORY/archive"])
    func `a certificate that nobody trusts ends doctor and run with one exit code`(archive: String?) async throws {
        let stage = try stage(archive: archive)
        #expect(try await stage.run("setup").status == 0)
        let output = try await expectRefused(
            stage,
            "clock",
            "Google does not answer",
            as: 4,
            changing: ["SSL_CERT_FILE": ""]
        )
        #expect(output.contains("Fix: If the certificate is right, name its CA bundle in SSL_CERT_FILE"), "\(output)")
        // Where nothing else is at Google, it is the token endpoint that they meet first.
        for command in [["run"], ["scan"]] {
            let end = try await stage.run(words: command, changing: ["SSL_CERT_FILE": ""])
            let words = ["The certificate of localhost:", "is not trusted", "name its CA bundle in SSL_CERT_FILE"]
            #expect(end.status == 4 && words.allSatisfy(end.output.contains), "\(end.output)")
        }
    }

    @Test func `a source that nobody chose is refused with the place where one is chosen`() async throws {
        let stage = try stage()
        #expect(try await stage.run("setup").status == 0)
        let output = try await expectRefused(
            stage,
            "settings",
            "COLDROLL_SOURCE is not set",
            as: 1,
            changing: ["COLDROLL_SOURCE": ""]
        )
        #expect(output.contains("Fix: Put the line COLDROLL_SOURCE=library or"), "\(output)")
        let chosen = try await stage.run("doctor", "--source", "library", changing: ["COLDROLL_SOURCE": ""])
        #expect(chosen.status == 0, "\(chosen.output)")
    }

    @Test func `an archive that was emptied, a restored ledger and another one are refused`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        let inPrivate = Stage.inPrivate
        #expect(try await stage.run("setup", changing: inPrivate).status == 2)
        try await expectRefused(stage, "ledger", "this ledger is empty", as: 2, changing: inPrivate)

        let marker = stage.directory + "/state/coldroll/marker.json"
        let left = try String(contentsOfFile: marker, encoding: .utf8)
        try left.replacing("\"run\" : 1", with: "\"run\" : 7").write(toFile: marker, atomically: true, encoding: .utf8)
        try await expectRefused(stage, "ledger", "This ledger is older than its archive", as: 2)
        try left.write(toFile: marker, atomically: true, encoding: .utf8)
        #expect(try await stage.run("doctor").status == 0)

        for name in try await stage.texts("SELECT object_name FROM coldroll.part") {
            try FileManager.default.removeItem(atPath: stage.directory + "/archive/" + name)
        }
        try await expectRefused(stage, "ledger", "does not hold", as: 2)
    }

    @Test func `a state store that is another one is refused, and only a setup begins it`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        let other = stage.directory + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        let changes = ["COLDROLL_STATE": "file://" + other]
        let end = try await stage.run("doctor", changing: changes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: other).isEmpty)
        #expect(end.status == 2 && end.output.contains("FAILED   ledger    The state store file://"), "\(end.output)")
        try await expectRefused(stage, "ledger", "is not the one in which the runs", as: 2, changing: changes)
        #expect(!FileManager.default.fileExists(atPath: other + "/coldroll/marker.json"))
        // Where the login would be in it, too: nobody is sent to log in a second time.
        let noFile = changes.merging(["COLDROLL_PHOTOS_CREDENTIALS": ""]) { $1 }
        let run = try await stage.run("run", changing: noFile)
        #expect(run.status == 2 && run.output.contains("Correct COLDROLL_STATE"), "\(run.output)")
        // That the old one is lost only the owner can say.
        let setup = try await stage.run("setup", changing: changes)
        #expect(setup.status == 0 && setup.output.contains("it has one now"), "\(setup.output)")
        #expect(try await stage.run("run", changing: changes).status == 0)
    }

    @Test func `a login of another client or person, and one that was refused, are refused`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        try await stage.texts("UPDATE coldroll.source SET client_id = '77-other.apps.googleusercontent.com'")
        try await expectRefused(stage, "photos", "was listed by the OAuth client 77-other", as: 1)
        let known = try await stage.run("doctor")
        #expect(!known.output.contains("coldroll forget"), "\(known.output)")
        try await stage.texts("UPDATE coldroll.source SET client_id = NULL")

        try await stage.logIn(["--client", stage.simulator.clientFile])
        #expect(try await stage.run("doctor", changing: Stage.byLogin).status == 0)
        let subject = try await stage.texts("SELECT subject FROM coldroll.source")
        #expect(subject != [""])
        try await stage.texts("UPDATE coldroll.source SET subject = '42'")
        let end = try await stage.run("doctor", changing: Stage.byLogin)
        let owner = try #require(stage.simulator.people.first).email
        #expect(
            end.status == 1 && end.output.contains("This login (you are \(owner)) is of another Google account"),
            "\(end.output)"
        )
        try await stage.texts("UPDATE coldroll.source SET subject = '\(subject[0])'")
        try await stage.texts("UPDATE coldroll.login SET refused_at = now(), refusal = 'It is gone. Log in.'")
        try await expectRefused(stage, "photos", "It is gone. Log in.", as: 3, changing: Stage.byLogin)
    }

    @Test func `a database that can only be read is told, and so is a role that may not write`() async throws {
        let stage = try stage()
        #expect(try await stage.run("setup").status == 0)
        let name = try await stage.texts("SELECT current_database()")[0]
        try await stage.texts("ALTER DATABASE \(name) SET default_transaction_read_only = on")
        try await expectRefused(stage, "database", "lets this role only read", as: 4)
        let owner = try await Connection.connect(stage.conninfo)
        try await owner.script("SET default_transaction_read_only = off", name: "test.open")
        try await owner.script("ALTER DATABASE \(name) RESET default_transaction_read_only", name: "test.reset")
        await owner.close()
        #expect(try await stage.run("doctor").status == 0)

        // Whoever may look only answers every question, and stores nothing.
        let role = "guest_\(UUID().uuidString.prefix(8).lowercased())"
        try await stage.texts("CREATE ROLE \(role) LOGIN")
        try await stage.texts("GRANT coldroll_reader TO \(role)")
        let url = try #require(stage.environment["COLDROLL_DATABASE_URL"])
        let base = url.replacing(/[?&]user=[^&]*/, with: "")
        let guest = ["COLDROLL_DATABASE_URL": base + (base.contains("?") ? "&" : "?") + "user=\(role)"]
        try await expectRefused(stage, "database", "The role \(role) may not write into", as: 3, changing: guest)
        try await stage.texts("DROP ROLE \(role)")
    }

    @Test func `a secret of serve that cannot be used is told`() async throws {
        let stage = try stage()
        #expect(try await stage.run("setup").status == 0)
        let file = stage.directory + "/secret"
        let changes = ["COLDROLL_SERVE_SECRET_FILE": file]
        try await expectRefused(
            stage,
            "settings",
            "is not there: make it with",
            as: 3,
            changing: changes,
            command: "serve"
        )
        try "0123456789abcdef\n".write(toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        #expect(try await stage.run("doctor", changing: changes).status == 0)
    }

    @Test func `a day whose requests are used up is waited for, as a run does`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        try await stage.texts("UPDATE coldroll.budget SET drawn = day_limit WHERE kind = 'api'")
        stage.simulator.resetCounters()
        let end = try await stage.run("doctor")
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("today's requests are used up"), "\(end.output)")
        #expect(stage.simulator.counters.requests("list") == 0)
    }

    @Test func `one request is drawn of the day's quota, and none without a schema`() async throws {
        let stage = try stage()
        #expect(try await stage.run("run").status == 0)
        let drawn = "SELECT drawn FROM coldroll.budget WHERE kind = 'api'"
        let before = try await stage.number(drawn)
        #expect(try await stage.run("doctor").status == 0)
        #expect(try await stage.number(drawn) == before + 1)
        try await stage.texts("DROP SCHEMA coldroll CASCADE")
        let bare = try await stage.run("doctor")
        #expect(bare.status == 1, "\(bare.output)")
        for words in [
            "has no coldroll schema yet", "ok       photos    Google Photos lets", "-        quota     Not looked at",
            "-        ledger    Not compared", "1 check FAILED.",
        ] { #expect(bare.output.contains(words), "\(words) is not in \(bare.output)") }
    }

    @Test func `the clock is compared for a picker too`() async throws {
        let stage = try stage()
        let end = try await stage.run("doctor", changing: ["COLDROLL_SOURCE": "picker"])
        // On a slow machine the answer comes late: seconds are no fault.
        #expect(end.output.contains(#/ok +clock +This host's clock .* Google's\./#), "\(end.output)")
    }
}
