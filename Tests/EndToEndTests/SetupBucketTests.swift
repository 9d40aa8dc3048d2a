import Foundation
import GoogleSimulator
import TestSupport
import Testing

/// `coldroll setup` and the buckets: what it makes, what it asks before, and what it refuses.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct SetupBucketTests {
    private static let new = ["COLDROLL_ARCHIVE": "gs://new-photos/cold", "COLDROLL_STATE": "gs://new-state"]
    private static let both = ["COLDROLL_STATE": "gs://state"]

    private func staged() throws -> Stage {
        try Stage { $0.synthesis = SynthesisOptions(count: 3, sizes: 5_000...9_000, videoPercent: 0) }
    }

    private func resource(_ stage: Stage, _ name: String) throws -> [String: Any] {
        let text = try #require(stage.simulator.bucket(name), "there is no bucket \(name)")
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func writes(_ stage: Stage) -> Int64 {
        ["bucketInsert", "bucketPatch", "bucketLock"].reduce(0) {
            $0 + Int64(stage.simulator.counters.requests[$1, default: 0])
        }
    }

    private func softDelete(_ stage: Stage, _ name: String) throws -> String? {
        (try resource(stage, name)["softDeletePolicy"] as? [String: Any])?["retentionDurationSeconds"] as? String
    }

    @Test func `both buckets are made as planned, a run fills them, and a repeat changes nothing`() async throws {
        let stage = try staged()
        let first = try await stage.run("setup", "--yes", changing: Self.new)
        #expect(first.status == 0, "\(first.output)")
        for words in [
            "Make the archive gs://new-photos: class ARCHIVE, location europe-north1", "$0.12 a month",
            "charged for 365 days at least", "(not confirmed: look it up)",
            "Make the state store gs://new-state: class STANDARD",
            "The project simulated-project will own what is made", "Made the bucket gs://new-photos.",
            "gcloud storage buckets add-iam-policy-binding gs://new-photos "
                + "--member=serviceAccount:simulator@simulated-project.iam.gserviceaccount.com "
                + "--role=roles/storage.objectCreator",
            "--role=roles/storage.objectUser",
            "storage.objects.create, storage.objects.get, storage.objects.list. These",
            "Whoever steals them could destroy it",
        ] { #expect(first.output.contains(words), "\(words) is not in \(first.output)") }
        for (name, kind, seconds) in [("new-photos", "ARCHIVE", "2592000"), ("new-state", "STANDARD", "604800")] {
            let made = try resource(stage, name)
            #expect(made["storageClass"] as? String == kind)
            #expect(made["location"] as? String == "EUROPE-NORTH1")
            #expect(try softDelete(stage, name) == seconds)
            #expect(made["retentionPolicy"] == nil)
            let access = try #require(made["iamConfiguration"] as? [String: Any])
            #expect(access["publicAccessPrevention"] as? String == "enforced")
            #expect((access["uniformBucketLevelAccess"] as? [String: Any])?["enabled"] as? Bool == true)
        }
        // Google takes no two new buckets within two seconds, so some are asked for again.
        let asked = writes(stage)
        #expect(asked >= 2)
        // Nothing to agree to: no --yes.
        let second = try await stage.run("setup", changing: Self.new)
        #expect(second.status == 0, "\(second.output)")
        #expect(writes(stage) == asked)
        let run = try await stage.run("run", changing: Self.new)
        #expect(run.status == 0, "\(run.output)")
        #expect(stage.simulator.objects().count { $0.bucket == "new-photos" && $0.name.hasPrefix("cold/") } == 3)
    }

    @Test
    func `buckets that were made with a ledger for that only are any other ledger's, until one has stored in them`()
        async throws
    {
        let stage = try staged()
        let made = try await stage.run("setup", "--yes", changing: throwaway(stage))
        #expect(made.status == 0, "\(made.output)")
        let server = try await stage.run("setup", changing: Self.new)
        #expect(server.status == 0, "\(server.output)")
        let again = try await stage.run("setup", changing: throwaway(stage))
        #expect(again.status == 0, "\(again.output)")
        let run = try await stage.run("run", changing: Self.new)
        #expect(run.status == 0, "\(run.output)")
        #expect(stage.simulator.objects().count { $0.bucket == "new-photos" && $0.name.hasPrefix("cold/") } == 3)
        let late = try await stage.run("setup", changing: throwaway(stage))
        #expect(late.status == 2 && late.output.contains("this ledger is empty"), "\(late.output)")
        #expect(try await stage.run("run", changing: Self.new).status == 0)
    }

    /// Settings of a ledger that makes the buckets and nothing else.
    private func throwaway(_ stage: Stage) -> [String: String] {
        Self.new.merging(["COLDROLL_DATABASE_URL": "", "COLDROLL_HOME": stage.directory + "/for-setup"]) { $1 }
    }

    @Test(arguments: [["setup"], ["setup", "--dry-run"]])
    func `nothing is made without a word of agreement, and the plan is shown`(words: [String]) async throws {
        let stage = try staged()
        let end = try await Program(
            Stage.programs + "/coldroll",
            words,
            stage.environment.merging(throwaway(stage)) { $1 },
            output: stage.directory + "/plan"
        ).end()
        #expect(end.status == (words.count == 1 ? 1 : 0), "\(end.output)")
        #expect(end.output.contains("Make the archive gs://new-photos"), "\(end.output)")
        #expect(
            end.output.contains("The project simulated-project will own what is made, and pay for it."),
            "\(end.output)"
        )
        #expect(end.output.contains(words.count == 1 ? "coldroll setup --yes" : "Nothing was done."), "\(end.output)")
        expectNothingMade(stage, end)
    }

    /// No bucket, and no database either; nor is anything said that comes after.
    private func expectNothingMade(_ stage: Stage, _ end: Program.End) {
        #expect(writes(stage) == 0)
        #expect(stage.simulator.bucket("new-photos") == nil)
        let home = stage.directory + "/for-setup"
        #expect(((try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []).isEmpty)
        for word in ["schema", "correct what failed"] { #expect(!end.output.contains(word), "\(end.output)") }
    }

    /// `script` gives the program a terminal, and types into it what it reads itself.
    private func atTerminal(_ stage: Stage, _ answer: String, _ changes: [String: String]) async throws -> Program.End {
        try await Program(
            "/bin/sh",
            ["-c", "echo \(answer) | script -qec '\(Stage.programs)/coldroll setup' /dev/null"],
            stage.environment.merging(["TERM": "dumb", "SHELL": "/bin/sh"]) { $1 }.merging(changes) { $1 },
            output: stage.directory + "/terminal-\(answer)"
        ).end()
    }

    @Test func `at a terminal a person is asked, and a no is a no`() async throws {
        let stage = try staged()
        let no = try await atTerminal(stage, "n", throwaway(stage))
        #expect(no.status == 1, "\(no.output)")
        #expect(no.output.contains("Do this? [y/N]"), "\(no.output)")
        #expect(no.output.contains("as you said"), "\(no.output)")
        expectNothingMade(stage, no)
        let yes = try await atTerminal(stage, "y", Self.new)
        #expect(yes.status == 0, "\(yes.output)")
        for name in ["new-photos", "new-state"] { #expect(stage.simulator.bucket(name) != nil) }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let bucket: String
        let words: [String]
        var testDescription: String { name }
    }

    private static func rule(_ action: String, _ condition: String) -> String {
        #""resource":{"lifecycle":{"rule":[{"action":\#(action),"condition":\#(condition)}]}}"#
    }

    static let refusals = [
        Refusal(
            name: "everybody",
            bucket: #""name":"archive","bindings":[{"role":"roles/storage.objectViewer","members":["allUsers"]}]"#,
            words: ["gs://archive is public: allUsers has roles/storage.objectViewer", "remove-iam-policy-binding"]
        ),
        Refusal(
            name: "everybody with an account, in the state store",
            bucket: #""name":"state","bindings":[{"role":"roles/storage.admin","members":["allAuthenticatedUsers"]}]"#,
            words: ["gs://state is public: allAuthenticatedUsers"]
        ),
        Refusal(
            name: "access lists without prevention",
            bucket: #""name":"archive","resource":{"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":false}}}"#,
            words: ["access control lists and no public access prevention", "--uniform-bucket-level-access"]
        ),
        Refusal(
            name: "a rule that deletes by the capture time",
            bucket: #""name":"archive","# + rule(#"{"type":"Delete"}"#, #"{"daysSinceCustomTime":365}"#),
            words: ["A lifecycle rule of gs://archive deletes objects", "one of 1998 would be erased at once"]
        ),
        Refusal(
            name: "a rule that deletes by age",
            bucket: #""name":"archive","# + rule(#"{"type":"Delete"}"#, #"{"age":30}"#),
            words: ["deletes objects (30 days after the upload)", "--clear-lifecycle"]
        ),
        Refusal(
            name: "a rule that deletes the state",
            bucket: #""name":"state","# + rule(#"{"type":"Delete"}"#, #"{"age":30}"#),
            words: ["A lifecycle rule of gs://state deletes objects"]
        ),
        Refusal(
            name: "a rule that changes the class",
            bucket: #""name":"archive","#
                + rule(#"{"type":"SetStorageClass","storageClass":"COLDLINE"}"#, #"{"age":30}"#),
            words: ["changes the class of objects to COLDLINE", "away from ARCHIVE"]
        ),
        Refusal(
            name: "Autoclass",
            bucket: #""name":"archive","resource":{"storageClass":"STANDARD","autoclass":{"enabled":true}}"#,
            words: ["gs://archive has Autoclass", "--no-enable-autoclass"]
        ),
        Refusal(
            name: "a state store that cannot be overwritten",
            bucket: #""name":"state","resource":{"retentionPolicy":{"retentionPeriod":"86400"}}"#,
            words: ["gs://state has a retention policy of 1 days", "--clear-retention-period"]
        ),
    ]

    @Test(arguments: refusals)
    func `a bucket in which photos could be lost or seen is refused, and nothing is changed`(refusal: Refusal)
        async throws
    {
        let stage = try staged()
        try stage.simulator.setBucket(json: "{\(refusal.bucket)}")
        let end = try await stage.run("setup", "--yes", changing: Self.both)
        #expect(end.status == 1, "\(end.output)")
        for words in refusal.words { #expect(end.output.contains(words), "\(words) is not in \(end.output)") }
        #expect(writes(stage) == 0)
        let doctor = try await stage.run("doctor", changing: Self.both)
        #expect(doctor.status == 1, "\(doctor.output)")
        #expect(doctor.output.contains("FAILED"))
        #expect(doctor.output.contains(refusal.words[0]), "\(doctor.output)")
    }

    @Test
    func `where the archive is refused, the missing state store is no fault of its own, and no login is looked for`()
        async throws
    {
        let stage = try staged()
        try stage.simulator.setBucket(
            json: #"{"name":"archive","bindings":[{"role":"roles/storage.objectViewer","members":["allUsers"]}]}"#
        )
        let changes = ["COLDROLL_STATE": "gs://new-state", "COLDROLL_PHOTOS_CREDENTIALS": ""]
        let end = try await stage.run("setup", "--yes", changing: changes)
        #expect(end.status == 1 && end.output.contains("gs://archive is public"), "\(end.output)")
        #expect(
            end.output.contains("The login was not checked: it is kept in the state store gs://new-state"),
            "\(end.output)"
        )
        #expect(!end.output.contains("There is no bucket"), "\(end.output)")
        #expect(writes(stage) == 0)
    }

    @Test func `a state store in the archive's bucket is refused`() async throws {
        let stage = try staged()
        let changes = ["COLDROLL_ARCHIVE": "gs://archive/photos", "COLDROLL_STATE": "gs://archive/state"]
        for words in [["setup", "--yes"], ["doctor"]] {
            let end = try await Program(
                Stage.programs + "/coldroll",
                words,
                stage.environment.merging(changes) { $1 },
                output: stage.directory + "/\(words[0])"
            ).end()
            #expect(end.status == 1, "\(end.output)")
            #expect(end.output.contains("The state store is in the archive's own bucket gs://archive"), "\(end.output)")
        }
        #expect(writes(stage) == 0)
    }

    @Test func `an open bucket that is not public is closed where that is agreed to, and told of elsewhere`()
        async throws
    {
        let stage = try staged()
        let first = try await stage.run("setup", changing: Self.both)
        #expect(first.status == 0, "\(first.output)")
        #expect(first.output.contains("The policy of gs://archive lets nobody in without a name, but nothing keeps"))
        #expect(first.output.contains("gs://archive is of the class STANDARD"))
        #expect(writes(stage) == 0)
        let second = try await stage.run("setup", "--yes", "--soft-delete", "60", changing: Self.both)
        #expect(second.status == 0, "\(second.output)")
        #expect(second.output.contains("Soft delete 60 days instead of 7"), "\(second.output)")
        #expect(!second.output.contains("lets nobody in without a name"))
        #expect(try softDelete(stage, "archive") == "5184000")
        #expect(try softDelete(stage, "state") == "604800")
        #expect(stage.simulator.counters.requests["bucketPatch"] == 2)
        for name in ["archive", "state"] {
            let access = try resource(stage, name)["iamConfiguration"] as? [String: Any]
            #expect(access?["publicAccessPrevention"] as? String == "enforced")
        }
        let looser = try await stage.run("setup", "--yes", "--soft-delete", "0", changing: Self.both)
        #expect(looser.status == 1)
        #expect(looser.output.contains("setup only ever makes that longer"), "\(looser.output)")
        #expect(try softDelete(stage, "archive") == "5184000")
    }

    @Test func `two setups at once make each bucket once, and both end well`() async throws {
        let stage = try staged()
        let programs = try (0..<2).map { _ in try stage.start("setup", "--yes", changing: Self.new) }
        for program in programs {
            let end = try await program.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(try resource(stage, "new-photos")["storageClass"] as? String == "ARCHIVE")
        #expect(try resource(stage, "new-state")["storageClass"] as? String == "STANDARD")
    }

    @Test func `a misspelled bucket is not made for a ledger that has another`() async throws {
        let stage = try staged()
        let first = try await stage.run("setup", "--yes", changing: Self.new)
        #expect(first.status == 0, "\(first.output)")
        let before = writes(stage)
        let misspelled = Self.new.merging(["COLDROLL_ARCHIVE": "gs://new-potos"]) { $1 }
        let end = try await stage.run("setup", "--yes", changing: misspelled)
        #expect(end.status == 1, "\(end.output)")
        #expect(end.output.contains("This database is the ledger of gs://new-photos"), "\(end.output)")
        #expect(stage.simulator.bucket("new-potos") == nil)
        #expect(writes(stage) == before)
    }

    @Test func `a lost answer to the making of a bucket is not taken for somebody else's bucket`() async throws {
        let stage = try staged()
        var lost = FaultRule(on: "bucketInsert", .loseAnswer)
        lost.times = 1
        stage.simulator.setFaults([lost])
        let end = try await stage.run("setup", "--yes", changing: Self.new)
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.counters.requests["bucketInsert", default: 0] >= 3)
        #expect(stage.simulator.faults.map(\.struck) == [1])
        #expect(try resource(stage, "new-photos")["storageClass"] as? String == "ARCHIVE")
    }

    @Test func `a name that somebody else has is told as such`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: #"{"name":"new-photos","owner":"other"}"#)
        let end = try await stage.run("setup", "--yes", changing: Self.new)
        #expect(end.status == 3, "\(end.output)")
        #expect(end.output.contains("may not use gs://new-photos as an archive"), "\(end.output)")
        #expect(end.output.contains("If the bucket is not yours, choose another name"), "\(end.output)")
        // The state store is not made for an archive that cannot be.
        #expect(stage.simulator.bucket("new-state") == nil)
        #expect(writes(stage) == 0)
    }

    /// A bucket that comes into being between the look and the making, and whose settings may not be read then.
    private func setUpWhereAnotherWasFaster(_ permissions: String) async throws -> (Stage, Program.End) {
        let stage = try staged()
        try stage.simulator.setBucket(json: #"{"name":"new-photos",\#(permissions)}"#)
        var unseen = FaultRule(on: "bucketGet", .status)
        unseen.match = "new-photos"
        unseen.times = 1
        unseen.status = 404
        unseen.body = #"{"error":{"code":404,"message":"The specified bucket does not exist."}}"#
        stage.simulator.setFaults([unseen])
        let end = try await stage.run("setup", "--yes", changing: Self.new)
        #expect(stage.simulator.faults.map(\.struck) == [1])
        #expect(end.output.contains("Make the archive gs://new-photos"), "\(end.output)")
        return (stage, end)
    }

    @Test func `one's own bucket whose settings may not be read is not called somebody else's`() async throws {
        let (stage, end) = try await setUpWhereAnotherWasFaster(#""without":["storage.buckets.get"]"#)
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("gs://new-photos is there by now; its settings may not be read"), "\(end.output)")
        #expect(!end.output.contains("somebody else"), "\(end.output)")
        #expect(stage.simulator.bucket("new-state") != nil)
    }

    @Test func `a name that somebody else took at the same time is told as such`() async throws {
        let (stage, end) = try await setUpWhereAnotherWasFaster(#""owner":"other""#)
        #expect(end.status == 1, "\(end.output)")
        #expect(end.output.contains("probably belongs to somebody else"), "\(end.output)")
        #expect(end.output.contains("COLDROLL_ARCHIVE"), "\(end.output)")
        #expect(stage.simulator.bucket("new-state") == nil)
    }

    @Test func `what was asked for and cannot be seen to is told, and nothing is done`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: #"{"name":"archive","without":["storage.buckets.get"]}"#)
        let end = try await Program(
            Stage.programs + "/coldroll",
            ["setup", "--yes", "--soft-delete", "60", "--retention", "400", "--location", "us-central1"],
            stage.environment,
            output: stage.directory + "/unseen"
        ).end()
        #expect(end.status == 1, "\(end.output)")
        for flag in ["--soft-delete 60", "--retention 400", "--location us-central1"] {
            #expect(end.output.contains("\(flag) cannot be seen to in gs://archive"), "\(end.output)")
        }
        #expect(writes(stage) == 0)
        let without = try await stage.run("setup", "--yes")
        #expect(without.status == 0, "\(without.output)")
    }

    @Test(arguments: ["--location us-central1", "--soft-delete 60", "--retention 400"])
    func `what is asked for of directories is told to be for buckets`(flag: String) async throws {
        let stage = try staged()
        let end = try await Program(
            Stage.programs + "/coldroll",
            ["setup", "--yes"] + flag.split(separator: " ").map(String.init),
            stage.environment.merging(["COLDROLL_ARCHIVE": "file://\(stage.directory)/archive"]) { $1 },
            output: stage.directory + "/directories"
        ).end()
        #expect(end.status == 1, "\(end.output)")
        #expect(end.output.contains(flag.prefix { $0 != " " }), "\(end.output)")
        #expect(end.output.contains("bucket"), "\(end.output)")
    }

    @Test func `what a bucket has for other purposes is told with what it means for photos`() async throws {
        let stage = try staged()
        let key = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
        try stage.simulator.setBucket(
            json: #"{"name":"archive","resource":{"billing":{"requesterPays":true},"#
                + #""encryption":{"defaultKmsKeyName":"\#(key)"},"hierarchicalNamespace":{"enabled":true}}}"#
        )
        let end = try await stage.run("setup", changing: Self.both)
        #expect(end.status == 0, "\(end.output)")
        for words in ["--no-requester-pays", "whoever destroys that key destroys all photos", "hierarchical namespace"]
        {
            #expect(end.output.contains(words), "\(words) is not in \(end.output)")
        }
    }

    @Test func `the project is the one that was named, and none at all is asked for`() async throws {
        let stage = try staged()
        let none = try await stage.run(
            "setup",
            "--yes",
            changing: Self.new.merging([
                "GOOGLE_APPLICATION_CREDENTIALS": stage.simulator.storageUserCredentialsFile
            ]) { $1 }
        )
        #expect(none.status == 1, "\(none.output)")
        #expect(none.output.contains("set --project or COLDROLL_PROJECT"), "\(none.output)")
        #expect(writes(stage) == 0)
        try stage.simulator.setProject(json: #"{"project":"typo","unknown":true}"#)
        let wrong = try await stage.run("setup", "--yes", "--project", "typo", changing: Self.new)
        #expect(wrong.status == 1, "\(wrong.output)")
        #expect(wrong.output.contains("Unknown project id: typo"), "\(wrong.output)")
        try stage.simulator.setProject(json: #"{"project":"closed","without":["storage.buckets.create"]}"#)
        let closed = try await stage.run(
            "setup",
            "--yes",
            changing: Self.new.merging(["COLDROLL_PROJECT": "closed"]) { $1 }
        )
        #expect(closed.status == 3, "\(closed.output)")
        #expect(closed.output.contains("storage.buckets.create in that project"), "\(closed.output)")
        let right = try await stage.run("setup", "--yes", "--project", "other-project", changing: Self.new)
        #expect(right.status == 0, "\(right.output)")
        #expect(right.output.contains("The project other-project will own"), "\(right.output)")
    }

    @Test func `a right that is missing is told with the command that gives it, and least rights are enough`()
        async throws
    {
        let stage = try staged()
        try stage.simulator.setBucket(
            json:
                #"{"name":"state","permissions":["storage.objects.create","storage.objects.get","storage.objects.list"]}"#
        )
        let missing = try await stage.run("setup", changing: Self.both)
        #expect(missing.status == 3, "\(missing.output)")
        #expect(missing.output.contains("they lack storage.objects.delete"), "\(missing.output)")
        #expect(
            missing.output.contains("gs://state --member=serviceAccount:simulator@simulated-project"),
            "\(missing.output)"
        )
        try stage.simulator.setBucket(
            json:
                #"{"name":"state","permissions":["storage.objects.create","storage.objects.get","storage.objects.list","storage.objects.delete"]}"#
        )
        try stage.simulator.setBucket(
            json:
                #"{"name":"archive","permissions":["storage.objects.create","storage.objects.get","storage.objects.list"]}"#
        )
        let least = try await stage.run("setup", changing: Self.both)
        #expect(least.status == 0, "\(least.output)")
        #expect(least.output.contains("Not everything about gs://archive was checked"), "\(least.output)")
        #expect(least.output.contains("storage.buckets.get"), "\(least.output)")
        #expect(!least.output.contains("could destroy it"))
        let run = try await stage.run("run", changing: Self.both)
        #expect(run.status == 0, "\(run.output)")
    }
}
