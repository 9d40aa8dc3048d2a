import Foundation
import Testing

@testable import GoogleSimulator

@Suite(.timeLimit(.minutes(5))) struct BucketTests {
    @Test(arguments: [(1, "CAE="), (2, "CAI="), (127, "CH8="), (128, "CIAB"), (300, "CKwC")] as [(Int64, String)])
    func anEtagIsTheMetagenerationAsAProtocolBuffer(metageneration: Int64, etag: String) {
        #expect(BucketRecord.etag(metageneration) == etag)
    }

    @Test(arguments: [
        ("storage.objects.create", true), ("storage.buckets.getIamPolicy", true), ("storage.objects", false),
        ("storage.objects.*", false), ("compute.disks.get", false), ("storage.photos.get", false), ("", false),
    ])
    func aPermissionIsStorageAResourceAndAVerb(text: String, isName: Bool) {
        #expect(Permissions.isName(text) == isName)
    }

    @Test func permissionsHoldWhatTheySay() {
        let names: Set = ["storage.objects.get"]
        #expect(Permissions.all.holds("storage.objects.get") && Permissions.reading.holds("storage.objects.get"))
        #expect(!Permissions.reading.holds("storage.buckets.getIamPolicy"))
        #expect(Permissions.only(names).holds("storage.objects.get"))
        #expect(!Permissions.only(names).holds("storage.objects.list"))
        #expect(!Permissions.allBut(names).holds("storage.objects.get"))
        #expect(Permissions.allBut(names).holds("storage.objects.list"))
    }

    @Test func aMemberIsChangedWhereItStandsAndTakenAwayByNil() {
        let value = JSONValue.members(("a", .integer(1)), ("b", .integer(2)))
        let changed = JSONValue.members(("a", .integer(3)), ("b", .integer(2)))
        #expect(value.setting("a", to: .integer(3)) == changed)
        #expect(value.setting("a", to: nil) == .members(("b", .integer(2))))
        #expect(value.setting("c", to: .null).fields?.map(\.name) == ["a", "b", "c"])
    }

    @Test func aTestInThisProcessSetsBucketsUpAndSeesThem() throws {
        try withSimulator { simulator, client in
            try simulator.setBucket(
                json: #"{"name":"frozen","resource":{"storageClass":"ARCHIVE"},"without":["storage.buckets.get"]}"#
            )
            let owner = try client.authorization(simulator.storageUserCredentialsFile)
            #expect(client.send("GET", "/storage/v1/b/frozen", owner).status == 403)
            try simulator.setBucket(json: #"{"name":"frozen"}"#)
            #expect(client.send("GET", "/storage/v1/b/frozen", owner).json["storageClass"] as? String == "ARCHIVE")
            #expect(try #require(simulator.bucket("frozen")).contains(#""storageClass":"ARCHIVE""#))
            #expect(simulator.bucket("none") == nil)
            try simulator.setProject(json: #"{"project":"p","without":["storage.buckets.create"]}"#)
            let body = Array(#"{"name":"another"}"#.utf8)
            #expect(client.send("POST", "/storage/v1/b?project=p", owner, body: body).status == 403)
            #expect(simulator.counters.requests("bucketInsert") == 1)
        }
    }

    @Test(arguments: [
        "{}", #"{"name":"Bad Name"}"#, #"{"name":"b-1","resource":{"location":"MARS"}}"#, #"{"name":"b-1","acls":{}}"#,
        #"{"name":"b-1","permissions":["objects.get"]}"#,
    ])
    func aSetUpThatMakesNoSenseSaysSo(text: String) throws {
        try withSimulator { simulator, _ in
            #expect(throws: SimulatorError.self) { try simulator.setBucket(json: text) }
        }
    }
}
