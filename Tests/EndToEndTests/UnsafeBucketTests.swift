import Foundation
import GoogleSimulator
import TestSupport
import Testing

/// A bucket in which photos could be lost or seen: whatever stores refuses it as `setup` does.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct UnsafeBucketTests {
    private static let both = ["COLDROLL_STATE": "gs://state"]
    private static let deleting =
        #"{"name":"archive","resource":{"lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"age":30}}]}}}"#
    private static let harmless = #"{"name":"archive","resource":{"lifecycle":null}}"#
    private static let sentence = "A lifecycle rule of gs://archive deletes objects (30 days after the upload)"

    private func staged() throws -> Stage {
        try Stage { $0.synthesis = SynthesisOptions(count: 3, sizes: 5_000...9_000, videoPercent: 0) }
    }

    private func uploads(_ stage: Stage) -> Int64 {
        ["uploadMultipart", "uploadStart", "uploadData"].reduce(0) {
            $0 + Int64(stage.simulator.counters.requests[$1, default: 0])
        }
    }

    /// Nothing was stored, and the ledger belongs to no archive.
    private func proveNothingWasBegun(_ stage: Stage) async throws {
        #expect(uploads(stage) == 0)
        #expect(stage.simulator.objects().isEmpty)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.source") == 0)
        #expect(try await stage.number("SELECT count(archive) FROM coldroll.ledger") == 0)
    }

    @Test(arguments: SetupBucketTests.refusals.filter { $0.bucket.contains(#""name":"archive""#) })
    func `an archive that setup refused is refused by the run that follows, in the same words`(
        refusal: SetupBucketTests.Refusal
    ) async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: "{\(refusal.bucket)}")
        for command in ["setup", "run"] {
            let end = try await stage.run(command, changing: Self.both)
            #expect(end.status == 1, "\(end.output)")
            for words in refusal.words { #expect(end.output.contains(words), "\(words) is not in \(end.output)") }
        }
        try await proveNothingWasBegun(stage)
    }

    @Test(arguments: [["scan"], ["work", "--drain"]])
    func `each command that stores refuses it`(words: [String]) async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: Self.deleting)
        let end = try await Program(
            Stage.programs + "/coldroll",
            words,
            stage.environment.merging(Self.both) { $1 },
            output: stage.directory + "/refused"
        ).end()
        #expect(end.status == 1, "\(end.output)")
        #expect(end.output.contains(Self.sentence) && end.output.contains("Nothing was stored."), "\(end.output)")
        try await proveNothingWasBegun(stage)
    }

    @Test func `a run that serve begins is refused too, and the owner is told why`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: Self.deleting)
        let host = try await stage.serve(changing: Self.both)
        #expect(try await stage.callForRun(host.port).status == 202)
        let end = try await stage.endOfTurn()
        #expect(end.hasPrefix("1 1 \(Self.sentence)"), "\(end)")
        #expect(uploads(stage) == 0)
        try await stage.end([host.program])
    }

    @Test func `a rule that was added later stops the next run, and one that was removed lets it go on`() async throws {
        let stage = try staged()
        #expect(try await stage.run("run", changing: Self.both).status == 0)
        let stored = uploads(stage)
        try stage.simulator.setBucket(json: Self.deleting)
        let stopped = try await stage.run("run", changing: Self.both)
        #expect(stopped.status == 1 && stopped.output.contains(Self.sentence), "\(stopped.output)")
        #expect(stopped.output.contains("--clear-lifecycle"), "\(stopped.output)")
        #expect(uploads(stage) == stored)
        try stage.simulator.setBucket(json: Self.harmless)
        let after = try await stage.run("run", changing: Self.both)
        #expect(after.status == 0, "\(after.output)")
    }

    @Test func `with the least rights nothing of the bucket is seen, and the run goes on as ever`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(
            json: Self.deleting.dropLast()
                + #","permissions":["storage.objects.create","storage.objects.get","storage.objects.list"]}"#
        )
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.counters.requests["bucketGet"] == 1)
        #expect(stage.simulator.counters.requests["bucketPolicy"] == nil)
        try stage.proveEverythingIsStored()
    }

    @Test func `where public access is prevented one look at the bucket is all that a run asks of it`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(
            json: #"{"name":"archive","resource":{"iamConfiguration":{"publicAccessPrevention":"enforced"}}}"#
        )
        #expect(try await stage.run("run").status == 0)
        stage.simulator.resetCounters()
        #expect(try await stage.run("run").status == 0)
        let requests = stage.simulator.counters.requests
        #expect(requests["bucketGet"] == 1 && requests["bucketPolicy"] == nil, "\(requests)")
    }

    @Test func `a policy that may not be read keeps nothing from being stored`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: #"{"name":"archive","without":["storage.buckets.getIamPolicy"]}"#)
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.counters.requests["bucketPolicy"] == 1)
    }

    @Test func `a setup that refuses a bucket leaves no database that a run could use`() async throws {
        let stage = try staged()
        try stage.simulator.setBucket(json: Self.deleting)
        let changes = Stage.inPrivate.merging(Self.both) { $1 }
        let setup = try await stage.run("setup", "--yes", changing: changes)
        #expect(setup.status == 1 && setup.output.contains(Self.sentence), "\(setup.output)")
        #expect(setup.output.contains("The database is left as it is"), "\(setup.output)")
        #expect(!FileManager.default.fileExists(atPath: stage.privateDirectory + "/data"))
        // Credentials that cannot look at the bucket find nothing to store by.
        try stage.simulator.setBucket(json: #"{"name":"archive","without":["storage.buckets.get"]}"#)
        let run = try await stage.run("run", changing: changes)
        #expect(run.status != 0 && run.output.contains("coldroll setup"), "\(run.output)")
        #expect(uploads(stage) == 0)
    }
}
