import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import coldroll

/// `coldroll setup` against a real database and directories.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct SetupTests {
    private let home = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString)").path

    private func setup(
        _ more: [String: String] = [:],
        _ flags: String...
    ) async throws -> Program.Answer {
        try await Program.run(
            ["setup"] + flags,
            environment: ["COLDROLL_DATABASE_URL": MigratedDatabase.conninfo, "COLDROLL_HOME": home].merging(more) {
                $1
            }
        )
    }

    private func messages(_ answer: Program.Answer) throws -> [(severity: String, message: String)] {
        try answer.output.split(separator: "\n").map { line in
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return (event["severity"] as? String ?? "", event["message"] as? String ?? "")
        }
    }

    @Test func anEmptyDatabaseIsMigratedTheStoresAreMadeAndRepeatingChangesNothing() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script("DROP SCHEMA coldroll CASCADE", name: "test.empty")
        await connection.close()
        let first = try await setup()
        #expect(first.code == 0, "\(first.output)")
        #expect(try messages(first).first?.message.hasPrefix("No settings file was read") == true)
        #expect(try messages(first).contains { $0.message.contains(" now: ledger, queue, ") })
        #expect(try messages(first).allSatisfy { $0.severity == "INFO" })
        #expect(
            try messages(first).contains {
                $0.message.hasPrefix("Made the directory of the archive file://\(home)/archive, on ")
            }
        )
        #expect(FileManager.default.fileExists(atPath: home + "/archive"))
        #expect(FileManager.default.fileExists(atPath: home + "/state"))
        let second = try await setup()
        #expect(second.code == 0)
        #expect(try messages(second).contains { $0.message.hasSuffix("already.") })
        try FileManager.default.removeItem(atPath: home)
    }

    @Test func anotherArchiveIsRefusedForTheSameLedger() async throws {
        #expect(try await setup().code == 0)
        let other = try await setup(["COLDROLL_ARCHIVE": "file://\(home)/other"])
        #expect(other.code == 1)
        #expect(other.output.contains("is the ledger of file://\(home)/archive, not of file://\(home)/other"))
        #expect(!FileManager.default.fileExists(atPath: home + "/other"))
        let shown = try await setup(["COLDROLL_ARCHIVE": "file://\(home)/other"], "--dry-run")
        #expect(shown.code == 1)
        #expect(shown.output.contains("is the ledger of file://\(home)/archive, not of file://\(home)/other"))
        let taken = try await setup([:], "--dry-run")
        #expect(taken.code == 0)
        #expect(
            taken.output.contains("The ledger takes the archive file://\(home)/archive, which is its own."),
            "\(taken.output)"
        )
        try FileManager.default.removeItem(atPath: home)
    }

    @Test func anotherLedgerThanTheOneThatFilledTheArchiveIsToldBeforeTheFirstRun() async throws {
        #expect(try await setup().code == 0)
        let marker = home + "/state/coldroll/marker.json"
        let own = try String(contentsOfFile: marker, encoding: .utf8)
        let id = try #require(own.firstMatch(of: /"ledger" : "([^"]+)"/)?.1)
        let other = own.replacing(id, with: UUID().uuidString.lowercased()).replacing(
            /"objects" : 0/,
            with: "\"objects\" : 3"
        )
        try other.write(toFile: marker, atomically: true, encoding: .utf8)
        let answer = try await setup()
        #expect(answer.code == 2, "\(answer.output)")
        #expect(answer.output.contains("was filled by ledger"), "\(answer.output)")
        #expect(answer.output.contains("Restore the database that goes with this archive"), "\(answer.output)")
        try FileManager.default.removeItem(atPath: home)
    }

    @Test(.enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm"), "a file system that is not the root's"))
    func `a directory that is made is told with its file system, and asked about where that is the root's`()
        async throws
    {
        for parent in [home, "/dev/shm"] {
            let isRoot = try device(of: NSTemporaryDirectory()) == device(of: "/") && parent == home
            let mount = isRoot ? "/" : parent == home ? findMountPoint(of: NSTemporaryDirectory())?.path ?? "?" : parent
            let place = "\(parent)/coldroll-\(UUID().uuidString)/photos"
            defer { try? FileManager.default.removeItem(atPath: (place as NSString).deletingLastPathComponent) }
            let changes = ["COLDROLL_ARCHIVE": "file://\(place)"]
            let question = "If COLDROLL_ARCHIVE means another disk, is it mounted?"
            let plan = try await setup(changes, "--dry-run")
            #expect(
                plan.output.contains("makes it, on the file system that is mounted at \(mount)."),
                "\(plan.output)"
            )
            #expect(plan.output.contains(question) == isRoot, "\(plan.output)")
            #expect(!FileManager.default.fileExists(atPath: place))
            let made = try await setup(changes)
            #expect(made.code == 0, "\(made.output)")
            #expect(
                made.output.contains(
                    "Made the directory of the archive file://\(place), on the file system that is mounted at \(mount)."
                ),
                "\(made.output)"
            )
            #expect(made.output.contains(question) == isRoot, "\(made.output)")
            // Only what is new is told.
            #expect(!(try await setup(changes).output.contains("Made the directory")))
            try await forgetArchive()
            try FileManager.default.removeItem(atPath: home + "/state")
        }
        try? FileManager.default.removeItem(atPath: home)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/sys"), "a place where nobody may make a directory"))
    func `a directory that may not be made is told with its setting, and asked about`() async throws {
        let answer = try await setup(["COLDROLL_ARCHIVE": "file:///sys/coldroll/photos"])
        #expect(answer.code == 3 || answer.code == 4, "\(answer.output)")
        #expect(
            answer.output.contains(
                "The directory of COLDROLL_ARCHIVE, file:///sys/coldroll/photos, is not there and cannot be made: "
                    + "Making the folder /sys/coldroll: "
            ),
            "\(answer.output)"
        )
        #expect(answer.output.contains("If it is on another disk, is that mounted?"), "\(answer.output)")
        try? FileManager.default.removeItem(atPath: home)
    }

    @Test func `a plan says that a directory may not be made`() async throws {
        // Below what is no folder not even root may make one.
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: home + "/file"))
        let answer = try await setup(["COLDROLL_ARCHIVE": "file://\(home)/file/photos"], "--dry-run")
        #expect(answer.code == 3, "\(answer.output)")
        #expect(answer.output.contains("is that mounted?"), "\(answer.output)")
        try? FileManager.default.removeItem(atPath: home)
    }

    private func device(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.systemNumber] as? Int
    }

    /// As if the ledger had not been bound yet.
    private func forgetArchive() async throws {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        try await connection.script(
            "UPDATE coldroll.ledger SET archive = NULL, archive_id = NULL, bound_at = NULL",
            name: "test.forget"
        )
        await connection.close()
    }

    @Test func everyStepThatFailsIsTold() async throws {
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: home + "/file"))
        let answer = try await setup([
            "COLDROLL_STATE": "file://\(home)/file/state", "COLDROLL_SOURCE": "library",
            "COLDROLL_PHOTOS_CREDENTIALS": home + "/file",
        ])
        #expect(answer.code == 1)
        let errors = try messages(answer).filter { $0.severity == "ERROR" }.map(\.message)
        try #require(errors.count == 3)
        #expect(errors[0].hasPrefix("Making the folder \(home)/file/state: a file stands"))
        #expect(errors[1].hasPrefix("\(home)/file "), "\(errors[1])")
        #expect(errors[2].hasPrefix("The setup is not complete"))
        try FileManager.default.removeItem(atPath: home)
    }

    @Test func whereNobodyHasLoggedInYetOnlyThatIsMissing() async throws {
        let answer = try await setup(["COLDROLL_SOURCE": "library"])
        #expect(answer.code == 0, "\(answer.output)")
        #expect(answer.output.contains("Almost ready: run 'coldroll login --client FILE'"), "\(answer.output)")
        #expect(!answer.output.contains("ERROR"), "\(answer.output)")
        try FileManager.default.removeItem(atPath: home)
    }

    @Test func credentialsThatAreNoneAreThreeAndAreNotRepeated() async throws {
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try Data(#"{"type": "hunter2"}"#.utf8).write(to: URL(filePath: home + "/photos.json"))
        let answer = try await setup([
            "COLDROLL_SOURCE": "library", "COLDROLL_PHOTOS_CREDENTIALS": home + "/photos.json",
        ])
        #expect(answer.code == 3, "\(answer.output)")
        #expect(answer.output.contains("photos.json"))
        try FileManager.default.removeItem(atPath: home)
    }
}
