import Foundation
import HTTPServer
import Synchronization
import Testing

@testable import coldroll

/// Whom the credentials for Cloud Storage stand for.
@Suite(.timeLimit(.minutes(2))) struct StorageIdentityTests {
    private func session(_ environment: [String: String]) throws -> Session {
        let stop = StopSignal()
        return Session(
            settings: try Settings(
                environment: ["HOME": "/nonexistent"].merging(environment) { $1 },
                need: .ledger,
                isRoot: false
            ),
            reporter: Reporter(.log) { _ in },
            stop: stop,
            resources: OpenResources(),
            interruption: InterruptionPolicy(stop: stop)
        )
    }

    @Test func aKeyFileNamesItsServiceAccountAndProject() {
        let key =
            #"{"type":"service_account","client_email":"a@p.iam.gserviceaccount.com","project_id":"p-1","private_key":"x"}"#
        #expect(
            StorageIdentity(json: Data(key.utf8))
                == StorageIdentity(member: "serviceAccount:a@p.iam.gserviceaccount.com", project: "p-1")
        )
    }

    @Test func aLoginDoesNotSayWhoseItIs() {
        let login = #"{"type":"authorized_user","refresh_token":"x","quota_project_id":"p-2"}"#
        #expect(
            StorageIdentity(json: Data(login.utf8)) == StorageIdentity(member: "user:YOUR-ACCOUNT", project: "p-2")
        )
    }

    @Test func nothingThatAShellWouldTakeForMoreIsTakenFromAFile() {
        let evil = #"{"client_email":"a@b;rm -rf /","project_id":"p$(id)"}"#
        #expect(StorageIdentity(json: Data(evil.utf8)) == .unknown)
        #expect(StorageIdentity(json: Data("[".utf8)) == nil)
    }

    @Test func theFileIsLookedForWhereGooglesLibrariesLook() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/coldroll-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/application_default_credentials.json"
        let environment = ["CLOUDSDK_CONFIG": folder]
        #expect(try session(environment).storageCredentialsFile == nil)
        try Data("{}".utf8).write(to: URL(filePath: file))
        #expect(try session(environment).storageCredentialsFile == file)
        let named = environment.merging(["GOOGLE_APPLICATION_CREDENTIALS": "/x.json"]) { $1 }
        #expect(try session(named).storageCredentialsFile == "/x.json")
    }

    @Test func insideGoogleCloudTheMetadataServerIsAsked() async throws {
        let seen = Mutex<[String]>([])
        let server = try HTTPServer { request in
            seen.withLock { $0.append("\(request.path) \(request.header("Metadata-Flavor") ?? "")") }
            let text = request.path.hasSuffix("/email") ? "run@p-3.iam.gserviceaccount.com\n" : "p-3"
            return .answer(ServerAnswer(200, body: .bytes(Array(text.utf8))))
        }
        defer { server.stop() }
        let session = try session(["GCE_METADATA_HOST": "127.0.0.1:\(server.port)"])
        let identity = await session.storageIdentity(session.openHTTP())
        #expect(
            identity == StorageIdentity(member: "serviceAccount:run@p-3.iam.gserviceaccount.com", project: "p-3")
        )
        #expect(
            Set(seen.withLock { $0 }) == [
                "/computeMetadata/v1/instance/service-accounts/default/email Google",
                "/computeMetadata/v1/project/project-id Google",
            ]
        )
        await session.resources.closeAll()
    }

    @Test func aMachineThatIsNotThereIsNobody() async throws {
        let session = try session(["GCE_METADATA_HOST": "127.0.0.1:1"])
        #expect(await session.storageIdentity(session.openHTTP()) == .unknown)
        await session.resources.closeAll()
    }
}
