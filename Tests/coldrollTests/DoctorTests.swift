import Foundation
import GoogleAuth
import Testing

@testable import coldroll

/// What `coldroll doctor` makes of what it finds.
@Suite(.timeLimit(.minutes(5))) struct DoctorTests {
    @Test func theFirstFailureDecidesTheExitCode() {
        let lines: [Diagnosis] = [
            .ok(.settings, "fine"), .warning(.clock, "late", fix: nil),
            .failed(.photos, "no login", fix: "log in", .credentials),
            .failed(.archive, "no bucket", fix: nil, .usage),
        ]
        #expect(DoctorReport(lines).code == 3)
        #expect(DoctorReport(Array(lines.prefix(2))).code == 0)
        #expect(DoctorReport([.skipped(.photos, "x")]).ending == .done)
    }

    @Test func aPersonReadsALineForEachCheckAndTheFixBeneath() {
        let report = DoctorReport([
            .ok(.settings, "fine"), .warning(.clock, "late", fix: "set it"),
            .failed(.database, "gone\nfor good", fix: nil, .unreachable), .skipped(.photos, "not \u{1B}[2J checked"),
        ])
        #expect(
            report.text == """
                ok       settings  fine
                warning  clock     late
                                   Fix: set it
                FAILED   database  gone
                                   for good
                -        photos    not \u{FFFD}[2J checked
                1 check FAILED.

                """
        )
        #expect(DoctorReport([.warning(.clock, "x", fix: nil)]).text.hasSuffix("Nothing failed; see 1 warning.\n"))
        #expect(DoctorReport([.ok(.clock, "x")]).text.hasSuffix("All is well.\n"))
    }

    @Test(arguments: [
        (0.4, Diagnosis.Verdict.ok, "agrees with"), (-30, .ok, "is within 30 s of"),
        (90, .warning, "1 min 30 s ahead of"),
        (-7200, .warning, "2 h 00 min behind"),
    ])
    func aClockThatIsAMinuteWrongIsTold(seconds: Double, verdict: Diagnosis.Verdict, words: String) {
        let line = Doctor.compared(seconds, with: "the database's")
        #expect(line.verdict == verdict)
        #expect(line.message.contains("\(words) the database's"), "\(line.message)")
        #expect((line.fix != nil) == (verdict == .warning))
    }

    @Test(arguments: [
        (Int64(99_000_000), Diagnosis.Verdict.failed), (100_000_000, .warning), (999_999_999, .warning),
        (1_000_000_000, .ok),
    ])
    func littleRoomIsTold(free: Int64, verdict: Diagnosis.Verdict) {
        let line = Doctor.judge(name: "COLDROLL_HOME", place: "/srv", free: free)
        #expect(line.verdict == verdict)
        #expect(line.message.contains(Quantity.bytes(free)) && line.message.contains("/srv (COLDROLL_HOME)"))
    }

    @Test(arguments: [(EROFS, "Mount it writable; where the system"), (EACCES, "Change its owner or its rights")])
    func `a directory that cannot be written is told of by what keeps from it`(number: Int32, fix: String) {
        let line = Doctor.unwritable(name: "the archive", place: "/srv", number)
        #expect(line.verdict == .failed && line.status == .credentials)
        #expect(line.fix?.hasPrefix(fix) == true, "\(line)")
    }

    @Test func aPlaceThatIsNotThereYetIsJudgedByTheOneAboveIt() {
        let line = Doctor.judge(name: "the archive", path: NSTemporaryDirectory() + "/not/there/yet")
        #expect(line.verdict != .failed)
        #expect(!line.message.contains("not/there"))
    }

    private func quota(used: Int64, refused: Bool = false) -> StatusReport.Quota {
        StatusReport.Quota(
            project: "123",
            kind: "api",
            limit: 10_000,
            used: used,
            left: refused ? 0 : 10_000 - used,
            isRefused: refused,
            resetsInSeconds: 7200,
            finishDate: nil
        )
    }

    @Test func aQuotaThatIsNearlyUsedUpIsAWarning() {
        #expect(Doctor.judge(quota(used: 10)).verdict == .ok)
        #expect(Doctor.judge(quota(used: 10)).message.contains("9,990 of 10,000 Library API requests left"))
        #expect(Doctor.judge(quota(used: 9_001)).verdict == .warning)
        #expect(Doctor.judge(quota(used: 10, refused: true)).message.contains("Google says"))
    }

    @Test func aLoginWithoutTheScopeOrWithADayOfDeathIsTold() {
        let whole = GrantedLogin(scopes: [LoginScope.library.scope, "openid"], life: nil)
        #expect(Doctor.judge(whole, for: .library).map(\.verdict) == [.ok])
        let dying = Doctor.judge(GrantedLogin(scopes: whole.scopes, life: .seconds(604_799)), for: .library)
        #expect(dying.map(\.verdict) == [.ok, .warning])
        #expect(dying[1].message.contains("dies in 6 d 23 h"), "\(dying)")
        let other = Doctor.judge(
            GrantedLogin(scopes: ["https://www.googleapis.com/auth/photoslibrary.readonly"], life: nil),
            for: .library
        )
        #expect(other.map(\.verdict) == [.failed])
        #expect(other[0].message.contains("it has photoslibrary.readonly."))
        #expect(other[0].status == .credentials)
    }

    @Test func faultsOfTheSettingsAreLinesAndNothingElseIsTried() async throws {
        let answer = try await Program.run(
            ["doctor", "--json"],
            environment: [
                "COLDROLL_ARCHIVE": "s3://photos", "COLDROLL_SOURCE": "attic", "COLDROLL_HOME": "/nonexistent",
            ]
        )
        #expect(answer.code == 1)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any],
            "\(answer.output) \(answer.error)"
        )
        let checks = try #require(report["checks"] as? [[String: String]])
        #expect(checks.count { $0["verdict"] == "failed" && $0["check"] == "settings" } == 2)
        #expect(Set(checks.compactMap { $0["check"] }) == Set(Diagnosis.Check.allCases.map(\.rawValue)))
        #expect(report["code"] as? Int == 1)
        let text = try await Program.run(["doctor"], environment: ["COLDROLL_ARCHIVE": "s3://photos"])
        #expect(text.code == 1)
        #expect(text.output.contains("FAILED   settings  COLDROLL_ARCHIVE is 's3://photos'"), "\(text.output)")
    }

    @Test func `a fix has the settings file that doctor was told of, in both forms`() async throws {
        let home = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString)").path
        let file = home + ".env"
        try "COLDROLL_HOME=\(home)\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        for form in [[], ["--json"]] {
            let answer = try await Program.run(["doctor", "--env-file", file] + form)
            #expect(answer.output.contains("run 'coldroll setup --env-file \(file)'"), "\(answer.output)")
        }
    }

    @Test func `where nothing answers the fix names network, DNS, proxy and the settings that lead elsewhere`()
        async throws
    {
        let plain = Doctor.networkFix(endpoints: [], proxies: [])
        #expect(
            plain.contains("DNS") && plain.contains("https_proxy is not set")
                && plain.contains("'coldroll doctor' again")
        )
        let other = Doctor.networkFix(endpoints: ["COLDROLL_PHOTOS_ENDPOINT"], proxies: ["HTTPS_PROXY"])
        #expect(
            other.contains("the proxy that HTTPS_PROXY names, and where COLDROLL_PHOTOS_ENDPOINT leads;"),
            "\(other)"
        )
        let home = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let login = #"{"type":"authorized_user","client_id":"a","client_secret":"b","refresh_token":"c"}"#
        try login.write(toFile: home + "/login", atomically: true, encoding: .utf8)
        // Nobody listens at port 1.
        let nowhere = "http://127.0.0.1:1"
        let answer = try await Program.run(
            ["doctor", "--json"],
            environment: [
                "COLDROLL_HOME": home, "COLDROLL_SOURCE": "library", "COLDROLL_ARCHIVE": "gs://photos",
                "COLDROLL_PHOTOS_CREDENTIALS": home + "/login", "COLDROLL_PHOTOS_ENDPOINT": nowhere,
                "COLDROLL_OAUTH_ENDPOINT": nowhere, "STORAGE_EMULATOR_HOST": nowhere,
            ]
        )
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any],
            "\(answer.output) \(answer.error)"
        )
        let checks = try #require(report["checks"] as? [[String: String]])
        let failed = checks.filter { $0["verdict"] == "failed" && $0["message"]?.contains("No connection to") == true }
        #expect(Set(failed.compactMap { $0["check"] }) == ["clock", "photos", "archive"], "\(checks)")
        for line in failed {
            #expect(line["fix"]?.contains("COLDROLL_OAUTH_ENDPOINT, STORAGE_EMULATOR_HOST leads") == true, "\(line)")
        }
    }

    @Test func aFlagThatIsNoneIsToldAsEverywhere() async throws {
        let answer = try await Program.run(["doctor", "--jsno"])
        #expect(answer.code == 1)
        #expect(answer.error == "coldroll: coldroll doctor has no flag --jsno; did you mean --json?\n")
    }

    @Test func theDocumentedKeysAreThoseOfTheReport() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/doctor.md")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
        let documented = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        let line = Diagnosis.failed(.disk, "x", fix: "y", .usage)
        let json = try JSONSerialization.jsonObject(with: Data(DoctorReport([line]).json.utf8)) as? [String: Any]
        let report = try #require(json)
        let checks = try #require(report["checks"] as? [[String: Any]])
        let keys = report.keys.filter { $0 != "checks" } + checks[0].keys.map { "checks[].\($0)" }
        #expect(Set(documented) == Set(keys))
    }
}
