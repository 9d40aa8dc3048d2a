import Foundation
import GoogleSimulator
import TestSupport
import Testing

/// `coldroll doctor` against what is well and what is not.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct DoctorTests {
    private static let both = ["COLDROLL_STATE": "gs://state"]

    private func staged(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) throws -> Stage {
        try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: 3, sizes: 5_000...9_000, videoPercent: 0)
            change(&configuration)
        }
    }

    /// `CHECK VERDICT` for each line, as Python's json reads the document.
    private func lines(_ stage: Stage, _ changes: [String: String] = [:]) async throws -> (code: Int32, lines: [String])
    {
        let reader = """
            import json, sys
            report = json.loads(sys.stdin.read())
            assert set(report) == {"host", "version", "code", "checks"}, report
            assert report["host"] and report["version"]
            for check in report["checks"]:
                assert set(check) - {"fix"} == {"check", "verdict", "message"}, check
                assert all(isinstance(value, str) and value for value in check.values()), check
                print(check["check"], check["verdict"], check["message"])
            sys.exit(report["code"])
            """
        try reader.write(toFile: stage.directory + "/reader.py", atomically: true, encoding: .utf8)
        let end = try await Program(
            "/bin/bash",
            [
                "-c",
                "set -o pipefail; '\(Stage.programs)/coldroll' doctor --json | python3 '\(stage.directory)/reader.py'; "
                    + "codes=(${PIPESTATUS[@]}); [ ${codes[0]} = ${codes[1]} ] || exit 99; exit ${codes[0]}",
            ],
            stage.environment.merging(changes) { $1 },
            output: stage.directory + "/doctor-" + UUID().uuidString
        ).end()
        return (end.status, end.output.split(separator: "\n").map(String.init))
    }

    private func expect(
        _ lines: [String],
        _ beginning: String,
        _ end: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            lines.contains { $0.hasPrefix(beginning) && $0.hasSuffix(end) },
            "\(beginning) … \(end) is not in \(lines)",
            sourceLocation: sourceLocation
        )
    }

    @Test func `where all is well nothing fails, and a JSON reader of another kind reads it`() async throws {
        let stage = try staged()
        #expect(try await stage.run("setup", "--yes", changing: Self.both).status == 0)
        let (code, lines) = try await lines(stage, Self.both)
        #expect(code == 0, "\(lines)")
        for beginning in [
            "settings ok", "database ok PostgreSQL", "database ok The schema is of version",
            "photos ok The login has the scope photoslibrary.readonly.appcreateddata.", "photos ok Google Photos lets",
            "archive ok gs://archive: STANDARD",
            "archive warning gs://archive is of the class",
            "archive ok The credentials may do there", "state ok gs://state:", "quota ok Project", "disk ",
        ] { expect(lines, beginning) }
        // On a slow machine the answer comes late: seconds are no fault.
        for whose in ["the database's.", "Google's."] { expect(lines, "clock ok This host's clock", whose) }
        let text = try await stage.run("doctor", changing: Self.both)
        #expect(text.status == 0)
        #expect(text.output.contains("Nothing failed; see "), "\(text.output)")
    }

    @Test func `it changes nothing`() async throws {
        let stage = try staged()
        #expect(try await stage.run("setup", changing: Self.both).status == 0)
        let before = stage.simulator.counters.requests
        _ = try await stage.run("doctor", changing: Self.both)
        let after = stage.simulator.counters.requests
        #expect(after["bucketGet", default: 0] == before["bucketGet", default: 0] + 2)
        for operation in ["bucketInsert", "bucketPatch", "uploadMultipart", "uploadStart", "objectDelete"] {
            #expect(after[operation] == before[operation], "\(operation)")
        }
    }

    @Test func `without a database everything else is looked at`() async throws {
        let stage = try staged()
        let (code, lines) = try await lines(
            stage,
            Self.both.merging(["COLDROLL_DATABASE_URL": "postgresql:///x?host=/nonexistent"]) { $1 }
        )
        #expect(code == 4, "\(lines)")
        for beginning in [
            "database failed The database cannot be reached", "clock skipped", "clock ok", "photos ok", "archive ok",
            "state ok", "quota skipped", "disk ",
        ] { expect(lines, beginning) }
    }

    @Test func `without a private database yet it says that setup makes it`() async throws {
        let stage = try staged()
        let (code, lines) = try await lines(stage, Self.both.merging(["COLDROLL_DATABASE_URL": ""]) { $1 })
        #expect(code == 1, "\(lines)")
        expect(
            lines,
            "database failed There is nothing in \(stage.directory)/home yet: run 'coldroll setup'",
            "or name your settings by --env-file."
        )
        #expect(!FileManager.default.fileExists(atPath: stage.directory + "/home/postgresql"))
    }

    @Test func `a pooler in the way of LISTEN is told, and the way past it is tried`() async throws {
        let stage = try staged()
        #expect(try await stage.run("setup", changing: Self.both).status == 0)
        let pooler = try Pooler(stage.conninfo)
        defer { pooler.stop() }
        let conninfo = try await pooler.conninfo()
        let changes = Self.both.merging(["COLDROLL_DATABASE_URL": conninfo]) { $1 }
        let alone = try await lines(stage, changes)
        #expect(alone.code == 0, "\(alone.lines)")
        expect(alone.lines, "database warning A pooler stands between")
        func listening(_ url: String?) async throws -> [String] {
            try await lines(stage, changes.merging(["COLDROLL_LISTEN_URL": url ?? ""]) { $1 }).lines
        }
        expect(
            try await listening(stage.environment["COLDROLL_DATABASE_URL"]),
            "database ok COLDROLL_LISTEN_URL leads to"
        )
        expect(try await listening(conninfo), "database warning COLDROLL_LISTEN_URL leads through a pooler too")
        expect(try await listening("host=/nonexistent dbname=x"), "database warning COLDROLL_LISTEN_URL does not work")
    }

    @Test func `a private database is started, named and left`() async throws {
        let stage = try staged()
        let changes = Self.both.merging(Stage.inPrivate) { $1 }
        #expect(try await stage.run("setup", changing: changes).status == 0)
        let (code, lines) = try await lines(stage, changes)
        #expect(code == 0, "\(lines)")
        #expect(
            lines.contains { $0.hasPrefix("database ok PostgreSQL") && $0.contains("the private one in") },
            "\(lines)"
        )
        #expect(stage.postmaster == nil)
    }

    @Test func `without Google everything else is looked at`() async throws {
        let stage = try staged()
        #expect(try await stage.run("setup", changing: Self.both).status == 0)
        let nowhere = ["COLDROLL_PHOTOS_ENDPOINT", "COLDROLL_OAUTH_ENDPOINT", "STORAGE_EMULATOR_HOST"].map {
            ($0, "https://127.0.0.1:1")
        }
        let away = Self.both.merging(nowhere) { $1 }
        let (code, lines) = try await lines(stage, away)
        #expect(code == 4, "\(lines)")
        for beginning in [
            "database ok", "clock ok This host's clock", "clock failed Google does not answer",
            "photos failed", "archive failed", "state failed", "quota ok", "disk ",
        ] { expect(lines, beginning) }
    }

    @Test func `a schema of another version and a foreign archive are told`() async throws {
        let stage = try staged()
        #expect(try await stage.run("setup", changing: Self.both).status == 0)
        let foreign = try await lines(
            stage,
            Self.both.merging(["COLDROLL_ARCHIVE": "file://\(stage.directory)/elsewhere"]) { $1 }
        )
        #expect(foreign.code == 1)
        expect(foreign.lines, "database failed This database is the ledger of gs://archive, not of file://")
        expect(
            foreign.lines,
            "archive skipped Not checked: the ledger belongs to gs://archive, and COLDROLL_ARCHIVE must"
        )
        #expect(!foreign.lines.contains { $0.contains("mkdir") }, "\(foreign.lines)")
        try await stage.texts(
            "DELETE FROM coldroll.migration WHERE version = (SELECT max(version) FROM coldroll.migration)"
        )
        let old = try await lines(stage, Self.both)
        #expect(old.code == 1)
        expect(old.lines, "database failed The database's schema is of version")
        expect(old.lines, "archive ok")
    }

    @Test func `a login that is dead, and one without the scope, are told with what to do`() async throws {
        let removed = try staged { $0.hasRemovedScopes = true }
        let (code, lines) = try await lines(removed, Self.both)
        #expect(code == 3, "\(lines)")
        expect(lines, "photos failed The login lacks the scope photoslibrary.readonly.appcreateddata")
        // What is to be typed asks for the source that was chosen for this one command.
        let chosen = try staged()
        try await chosen.logIn(["--client", chosen.simulator.clientFile])
        let lacking = try await chosen.run("doctor", "--source", "picker", changing: Stage.byLogin)
        #expect(
            lacking.status == 3 && lacking.output.contains("lacks the scope photospicker.mediaitems.readonly")
                && lacking.output.contains("Fix: Run 'coldroll login --source picker' again, and tick every box."),
            "\(lacking.output)"
        )
        let stage = try staged()
        stage.simulator.revokePhotosLogin()
        let dead = try await self.lines(stage, Self.both)
        #expect(dead.code == 3, "\(dead.lines)")
        expect(dead.lines, "photos failed Google refuses the login in")
        let none = try await self.lines(stage, Self.both.merging(["COLDROLL_PHOTOS_CREDENTIALS": ""]) { $1 })
        #expect(none.code == 3)
        expect(none.lines, "photos failed")
    }

    @Test
    func `a login of gcloud's that is over is told of the stores, with gcloud's command, and not of Google Photos`()
        async throws
    {
        let stage = try staged()
        let gcloud = stage.directory + "/application_default_credentials.json"
        try #"{"type":"authorized_user","client_id":"1-a","client_secret":"b","refresh_token":"1//gone"}"#
            .write(toFile: gcloud, atomically: true, encoding: .utf8)
        let changes = Self.both.merging(["GOOGLE_APPLICATION_CREDENTIALS": gcloud]) { $1 }
        let kept = try await lines(stage, changes.merging(["COLDROLL_PHOTOS_CREDENTIALS": ""]) { $1 })
        #expect(kept.code == 3, "\(kept.lines)")
        expect(kept.lines, "photos skipped Not checked: the login is kept in the state store")
        for store in ["archive", "state"] {
            let line = kept.lines.first { $0.hasPrefix("\(store) failed") } ?? ""
            #expect(line.contains("Run 'gcloud auth application-default login'"), "\(kept.lines)")
            #expect(!line.contains("test app"), "\(kept.lines)")
        }
        let file = try await lines(stage, changes)
        expect(file.lines, "photos ok")
    }

    @Test func `missing rights and a missing bucket are told with the command that mends them`() async throws {
        let stage = try staged { $0.readOnlyBuckets = ["archive"] }
        let end = try await stage.run(
            "doctor",
            changing: ["COLDROLL_STATE": "gs://nowhere"]
        )
        #expect(end.status == 3, "\(end.output)")
        for words in [
            "they lack storage.objects.create",
            "add-iam-policy-binding gs://archive --member=serviceAccount:simulator@",
            "There is no bucket gs://nowhere.", "Fix: Run 'coldroll setup', which makes it; or correct COLDROLL_STATE",
        ] { #expect(end.output.contains(words), "\(words) is not in \(end.output)") }
        #expect(stage.simulator.bucket("nowhere") == nil)
    }

    @Test func `a quota that is used up and a readable key file are warnings`() async throws {
        let stage = try staged()
        #expect(try await stage.run("setup", changing: Self.both).status == 0)
        try await stage.texts("UPDATE coldroll.budget SET drawn = day_limit - 5")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644],
            ofItemAtPath: stage.simulator.storageCredentialsFile
        )
        let (code, lines) = try await lines(stage, Self.both)
        #expect(code == 0, "\(lines)")
        expect(lines, "quota warning Project")
        expect(lines, "settings warning \(stage.simulator.storageCredentialsFile)")
    }

    @Test func `no secret is in what it prints`() async throws {
        let stage = try staged()
        var secrets: [String] = ["hunter2"]
        for file in [stage.simulator.photosCredentialsFile, stage.simulator.storageCredentialsFile] {
            let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
            let fields = try #require(json as? [String: Any])
            for name in ["client_secret", "refresh_token", "private_key"] {
                if let text = fields[name] as? String { secrets.append(text) }
            }
        }
        try #require(secrets.count == 4)
        let password = ["COLDROLL_DATABASE_URL": "postgresql://ada:hunter2@127.0.0.1:1/db"]
        for changes in [Self.both, Self.both.merging(password) { $1 }] {
            for words in [["doctor"], ["doctor", "--json"], ["setup", "--yes"]] {
                let end = try await Program(
                    Stage.programs + "/coldroll",
                    words,
                    stage.environment.merging(changes) { $1 },
                    output: stage.directory + "/" + UUID().uuidString
                ).end()
                #expect(!end.output.isEmpty)
                for secret in secrets + ["ya29.", "Bearer"] { #expect(!end.output.contains(secret), "\(end.output)") }
            }
        }
    }
}
