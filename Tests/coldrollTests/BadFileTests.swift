import Foundation
import Testing

@testable import coldroll

/// Files of the wrong kind where a setting names one, and homes where nothing is yet.
@Suite(.timeLimit(.minutes(2))) struct BadFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString)").path

    /// A picture, which no setting wants.
    private func picture() throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0xFF, 0xFE]
        try Data(bytes).write(to: URL(filePath: folder + "/picture.png"))
        return folder + "/picture.png"
    }

    private func run(_ words: [String], _ environment: [String: String] = [:]) async throws -> Program.Answer {
        let own = ["COLDROLL_HOME": folder + "/home", "COLDROLL_DATABASE_URL": "host=/nonexistent"]
        let answer = try await Program.run(words, environment: own.merging(environment) { $1 })
        // What a person reads has no name of a framework's domain, and no shape of a Swift type.
        for word in ["NSCocoa", "NSPOSIX", "Error Domain", "(code:"] { #expect(!answer.output.contains(word)) }
        return answer
    }

    @Test(arguments: [
        "COLDROLL_PHOTOS_CREDENTIALS", "SSL_CERT_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "COLDROLL_KEY_FILE",
    ])
    func aDirectoryIsNoFile(setting: String) async throws {
        let answer = try await run(["setup"], [setting: "/tmp", "COLDROLL_ARCHIVE": "gs://archive"])
        #expect(answer.code == 1, "\(answer.output)")
        #expect(answer.output.contains("\(setting) is '/tmp', which is "), "\(answer.output)")
    }

    @Test func aPictureIsNoBundleOfCertificates() async throws {
        let picture = try picture()
        let answer = try await run(["setup"], ["SSL_CERT_FILE": picture])
        #expect(answer.code == 1)
        #expect(answer.output.contains("SSL_CERT_FILE is '\(picture)', which holds no certificate in PEM form"))
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test(arguments: ["COLDROLL_PHOTOS_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"])
    func aPictureIsNoLogin(setting: String) async throws {
        let picture = try picture()
        let answer = try await run(
            ["setup"],
            [setting: picture, "COLDROLL_ARCHIVE": "gs://archive", "COLDROLL_SOURCE": "library"]
        )
        #expect(answer.output.contains("\(picture) is not a Google credentials file"), "\(answer.output)")
        #expect(answer.code != 0)
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func neitherAPictureNorADirectoryIsAFileOfSettings() async throws {
        for path in [try picture(), "/tmp"] {
            let answer = try await run(["setup", "--env-file", path])
            #expect(answer.code == 1)
            #expect(answer.output.contains("--env-file is '\(path)', which is no text file that can be read"))
        }
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func `settings that do not exist are told as that, and a ~ that no shell has seen`() async throws {
        for (path, end) in [
            ("/nonexistent/x", ", or is in"), ("~/x", ": a shell does not put your home in place of a ~"),
        ] {
            let answer = try await run(["setup", "--env-file", path])
            let text = answer.output + answer.error
            #expect(answer.code == 1, "\(text)")
            #expect(text.contains("--env-file is '\(path)', which does not exist\(end)"), "\(text)")
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test(arguments: [
        ["status"], ["status", "--watch", "--json"], ["failures"], ["retry", "1"], ["skip", "1", "--reason", "no"],
        ["accept", "1"], ["pause", "1"], ["resume", "1"], ["psql"], ["scan"], ["work"], ["run"],
        ["login"], ["login", "--no-browser"], ["logout"],
    ])
    func whereNothingIsYetOnlySetupMakesADatabase(words: [String]) async throws {
        let login = try picture()
        try Data(#"{"type":"authorized_user","client_id":"a","client_secret":"b","refresh_token":"c"}"#.utf8)
            .write(to: URL(filePath: login))
        let answer = try await run(
            words,
            ["COLDROLL_DATABASE_URL": "", "COLDROLL_SOURCE": "library", "COLDROLL_PHOTOS_CREDENTIALS": login]
        )
        #expect(answer.code == 1)
        let text = answer.output + answer.error
        #expect(text.contains("There is nothing in \(folder)/home yet: run 'coldroll setup'"), "\(text)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/home"))
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func aDatabaseThatIsNotThereIsToldWithTheSettingThatNamesIt() async throws {
        let answer = try await run(["status"])
        #expect(answer.code == 4)
        #expect(answer.error.hasPrefix("coldroll: The database cannot be reached: "), "\(answer.error)")
        #expect(answer.error.contains("COLDROLL_DATABASE_URL"))
    }
}
