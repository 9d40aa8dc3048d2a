import Foundation
import Testing

@testable import coldroll

@Suite(.timeLimit(.minutes(5))) struct ProgramTests {
    @Test(arguments: Command.all.map(\.name))
    func helpOfEveryCommandIsPrinted(name: String) async throws {
        let answer = try await Program.run([name, "--help"])
        #expect(answer.code == 0)
        #expect(answer.output.hasPrefix("coldroll \(name): "))
        #expect(answer.error == "")
    }

    @Test func theVersionAndTheOverviewArePrinted() async throws {
        #expect(try await Program.run(["--version"]).output == "coldroll \(coldrollVersion)\n")
        let overview = try await Program.run(["help"])
        #expect(overview.code == 0)
        #expect(overview.output == Usage.overview())
    }

    @Test func anUnknownCommandNamesTheNearestOnStandardError() async throws {
        let answer = try await Program.run(["stauts"])
        #expect(answer.code == 1)
        #expect(answer.output == "")
        #expect(answer.error == "coldroll: unknown command 'stauts'; did you mean 'status'?\n")
    }

    @Test func anUnknownFlagOfACommandWithAnAnswerIsToldOnStandardError() async throws {
        let answer = try await Program.run(["status", "--jsno"])
        #expect(answer.code == 1)
        #expect(answer.output == "")
        #expect(answer.error == "coldroll: coldroll status has no flag --jsno; did you mean --json?\n")
    }

    @Test func noCommandAtAllIsAFault() async throws {
        let answer = try await Program.run([])
        #expect(answer.code == 1)
        #expect(answer.error == "coldroll: no command given; 'coldroll help' lists them\n")
    }

    @Test func faultsOfFlagsEnvironmentAndFileAreOneLineOfALog() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString).env")
        try "COLDROLL_SOURCE=attic\nnonsense\nCOLDROLL_ACCOUNT=from file\n".write(
            to: file,
            atomically: true,
            encoding: .utf8
        )
        defer { try? FileManager.default.removeItem(at: file) }
        let answer = try await Program.run(
            ["work", "--slots", "0", "--env-file", file.path],
            environment: ["COLDROLL_ARCHIVE": "s3://photos"]
        )
        #expect(answer.code == 1)
        #expect(answer.error == "")
        let lines = answer.output.split(separator: "\n")
        try #require(lines.count == 1)
        let event = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: String])
        #expect(event["severity"] == "ERROR")
        #expect(event["time"] != nil)
        let message = event["message"] ?? ""
        for fault in [
            "4 faults", "--slots is '0'", "line 2 is not KEY=value", "COLDROLL_SOURCE is 'attic'", "s3://photos",
        ] {
            #expect(message.contains(fault), "\(message)")
        }
    }

    @Test(arguments: ["scan", "run", "work"])
    func withoutASourceTheThreeAreExplained(command: String) async throws {
        let answer = try await Program.run([command])
        #expect(answer.code == 1)
        for word in ["library", "picker", "takeout:PATH", "31 March 2025", "archives library and picker", "--source"] {
            #expect(answer.output.contains(word))
        }
    }

    @Test(arguments: ["takeout:/srv/takeout"])
    func aSourceThatCannotBeArchivedYetIsRefused(source: String) async throws {
        let answer = try await Program.run(["run"], environment: ["COLDROLL_SOURCE": source])
        #expect(answer.code == 1)
        #expect(answer.output.contains("it archives library and picker"))
    }

    @Test func skipWantsAReason() async throws {
        let answer = try await Program.run(["skip", "7"])
        #expect(answer.code == 1)
        #expect(answer.error == "coldroll: --reason is missing: say why\n")
    }

    @Test func anOutputThatNobodyReadsDoesNotKillTheProgram() async throws {
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", "set -o pipefail; \"$0\" help | true; exit ${PIPESTATUS[0]}", Program.path]
        let code = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            shell.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try shell.run() } catch { continuation.resume(throwing: error) }
        }
        #expect(code == 0)
    }
}
