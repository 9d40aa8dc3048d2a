import CloudStorage
import Foundation
import GoogleAuth
import GoogleSimulator
import HTTPClient
import HTTPServer
import Testing

/// The client of buckets against the simulator.
@Suite(.timeLimit(.minutes(5))) struct BucketTests {
    private static let full = "https://www.googleapis.com/auth/devstorage.full_control"
    private static let objects = "https://www.googleapis.com/auth/devstorage.read_write"

    private func started() throws -> Simulator { try Simulator.start(SimulatorConfiguration()) }

    private func bucket(_ name: String, _ simulator: Simulator, scope: String = full) throws -> Bucket {
        let http = HTTPClient()
        let tokens = try TokenSource.file(
            simulator.storageCredentialsFile,
            scope: scope,
            tokenEndpoint: simulator.url,
            http: http
        )
        return try #require(try Bucket("gs://\(name)/cold", http: http, tokens: tokens, endpoint: simulator.url))
    }

    private func json(_ simulator: Simulator, _ name: String) throws -> [String: Any] {
        let text = try #require(simulator.bucket(name))
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func aDirectoryIsNoBucket() throws {
        #expect(try Bucket("file:///srv", http: HTTPClient(), tokens: .anonymous, endpoint: "http://h") == nil)
    }

    @Test func aBucketIsMadeAsItWasPlannedAndOnlyOnce() async throws {
        let simulator = try started()
        defer { simulator.stop() }
        let bucket = try bucket("new-photos", simulator)
        #expect(bucket.prefix == "cold/")
        #expect(try await bucket.read() == nil)
        let new = NewBucket(
            name: bucket.name,
            location: "europe-north1",
            storageClass: "ARCHIVE",
            softDeleteDays: 30,
            retentionDays: 10
        )
        #expect(try await bucket.make(new, project: "simulated-project"))
        let made = try json(simulator, "new-photos")
        #expect(made["location"] as? String == "EUROPE-NORTH1")
        #expect(made["storageClass"] as? String == "ARCHIVE")
        let access = try #require(made["iamConfiguration"] as? [String: Any])
        #expect(access["publicAccessPrevention"] as? String == "enforced")
        #expect((access["uniformBucketLevelAccess"] as? [String: Any])?["enabled"] as? Bool == true)
        #expect((made["softDeletePolicy"] as? [String: Any])?["retentionDurationSeconds"] as? String == "2592000")
        #expect((made["retentionPolicy"] as? [String: Any])?["retentionPeriod"] as? String == "864000")
        #expect((made["retentionPolicy"] as? [String: Any])?["isLocked"] == nil)
        let settings = try #require(try await bucket.read())
        #expect(settings.softDeleteDays == 30)
        #expect(settings.retentionDays == 10)
        #expect(settings.preventsPublicAccess && settings.hasUniformAccess == true && !settings.isRetentionLocked)
        #expect(try await bucket.make(new, project: "simulated-project") == false)
    }

    @Test func aChangeIsMadeOnTheSettingsThatItWasDecidedOn() async throws {
        let simulator = try started()
        defer { simulator.stop() }
        let bucket = try bucket("archive", simulator)
        let before = try #require(try await bucket.read())
        #expect(!before.preventsPublicAccess)
        var change = BucketChange()
        #expect(change.isEmpty)
        change.preventsPublicAccess = true
        change.softDeleteDays = 60
        #expect(try await bucket.change(change, version: before.version))
        let after = try #require(try await bucket.read())
        #expect(after.preventsPublicAccess && after.softDeleteDays == 60 && after.hasUniformAccess == true)
        #expect(try await bucket.change(change, version: before.version) == false)
    }

    @Test func thePolicyTakesAnotherScopeThanObjectsDo() async throws {
        let simulator = try started()
        defer { simulator.stop() }
        try simulator.setBucket(
            json: #"{"name":"archive","bindings":[{"role":"roles/storage.objectViewer","members":["allUsers"]}]}"#
        )
        let bucket = try bucket("archive", simulator)
        let settings = try #require(try await bucket.read())
        let policy = try #require(try await bucket.policy())
        let findings = BucketJudgement.findings(settings, policy: policy, use: .archive)
        #expect(findings.first?.kind == .isPublic)
        let limited = try self.bucket("archive", simulator, scope: Self.objects)
        #expect(try await limited.read() != nil)
        await #expect {
            _ = try await limited.policy()
        } throws: {
            ($0 as? StorageError)?.code == .denied && "\($0)".contains("OAuth scope devstorage.full_control")
        }
    }

    @Test func whatTheCredentialsMayDoIsAskedOfGoogle() async throws {
        let simulator = try started()
        defer { simulator.stop() }
        try simulator.setBucket(
            json: #"{"name":"archive","permissions":["storage.objects.create","storage.objects.get"]}"#
        )
        let bucket = try bucket("archive", simulator)
        #expect(
            try await bucket.held(BucketRights.asked(.archive)) == ["storage.objects.create", "storage.objects.get"]
        )
        await #expect {
            _ = try await bucket.read()
        } throws: {
            ($0 as? StorageError)?.code == .denied && "\($0)".contains("storage.buckets.get on gs://archive")
        }
    }

    @Test(
        "what Google refuses to make is told with the reason",
        arguments: [
            (
                #"{"project":"simulated-project","without":["storage.buckets.create"]}"#, "simulated-project",
                "europe-north1",
                StorageError.Code.denied, "storage.buckets.create in that project"
            ),
            (#"{"project":"typo","unknown":true}"#, "typo", "europe-north1", .rejected, "Unknown project id: typo"),
            (
                #"{"project":"simulated-project","without":[]}"#, "simulated-project", "atlantis", .rejected,
                "location constraint is not valid"
            ),
        ]
    )
    func refused(project: String, name: String, location: String, code: StorageError.Code, words: String) async throws {
        let simulator = try started()
        defer { simulator.stop() }
        try simulator.setProject(json: project)
        let bucket = try bucket("new-photos", simulator)
        let new = NewBucket(name: bucket.name, location: location, storageClass: "ARCHIVE", softDeleteDays: 7)
        await #expect {
            _ = try await bucket.make(new, project: name)
        } throws: {
            ($0 as? StorageError)?.code == code && "\($0)".contains(words) && "\($0)".contains("gs://new-photos")
        }
        #expect(simulator.bucket("new-photos") == nil)
    }

    @Test func aBucketThatSomebodyElseHasIsThereForNobodyElse() async throws {
        let simulator = try started()
        defer { simulator.stop() }
        try simulator.setBucket(json: #"{"name":"taken","owner":"other"}"#)
        let bucket = try bucket("taken", simulator)
        let new = NewBucket(name: "taken", location: "europe-north1", storageClass: "ARCHIVE", softDeleteDays: 7)
        #expect(try await bucket.make(new, project: "simulated-project") == false)
        await #expect(throws: StorageError.self) { _ = try await bucket.read() }
    }

    @Test func whoeverMayNotLookLearnsFromThePermissionsThatThereIsNoBucket() async throws {
        let server = try ScriptedBucket([
            .failure(403, "denied (or it may not exist)"), .failure(404, "The specified bucket does not exist."),
        ])
        let bucket = try #require(
            try Bucket("gs://bucket", http: HTTPClient(), tokens: .anonymous, endpoint: server.url, tries: 1)
        )
        await #expect { _ = try await bucket.read() } throws: { ($0 as? StorageError)?.code == .denied }
        await #expect { _ = try await bucket.held(["x"]) } throws: { ($0 as? StorageError)?.code == .noBucket }
    }

    @Test func aServerThatKnowsNoPermissionsIsNoFault() async throws {
        let server = try ScriptedBucket([.json(404, "{}"), .json(404, "{}")])
        let http = HTTPClient()
        let bucket = try #require(
            try Bucket("gs://bucket", http: http, tokens: .anonymous, endpoint: server.url, tries: 1)
        )
        #expect(try await bucket.held(["storage.objects.get"]) == nil)
        #expect(try await bucket.policy() == nil)
        #expect(server.isUsedUp)
    }

    @Test func anAnswerThatIsNoBucketIsToldAsSuch() async throws {
        let server = try ScriptedBucket([.json(200, "[]"), .json(200, "<html>")])
        let bucket = try #require(
            try Bucket("gs://bucket", http: HTTPClient(), tokens: .anonymous, endpoint: server.url, tries: 1)
        )
        for _ in 0..<2 {
            await #expect {
                _ = try await bucket.read()
            } throws: { ($0 as? StorageError)?.code == .malformed }
        }
    }
}
