import Foundation
import Schema
import Testing

@testable import coldroll

@Suite struct InvocationTests {
    @Test(arguments: [["--help"], ["-h"], ["help"], ["help", "--help"]])
    func helpAloneListsTheCommands(words: [String]) {
        guard case .overview = Invocation(words) else { return #expect(Bool(false), "\(words)") }
    }

    @Test(arguments: [["--version"], ["version"]])
    func theVersionCanBeAskedFor(words: [String]) {
        guard case .version = Invocation(words) else { return #expect(Bool(false), "\(words)") }
    }

    @Test(arguments: Command.all.map(\.name))
    func everyCommandHasHelpBothWays(name: String) {
        for words in [["help", name], [name, "--help"], [name, "-h", "--nonsense"]] {
            guard case .help(let command) = Invocation(words) else { return #expect(Bool(false), "\(words)") }
            #expect(command.name == name)
        }
    }

    @Test(arguments: [
        ("stauts", "unknown command 'stauts'; did you mean 'status'?"),
        ("fail", "unknown command 'fail'; did you mean 'failures'?"),
        ("photos", "unknown command 'photos'; 'coldroll help' lists them"),
        ("xyzzy", "unknown command 'xyzzy'; 'coldroll help' lists them"),
        ("--verbose", "unknown flag --verbose; a command comes first, and 'coldroll help' lists them"),
    ])
    func anUnknownWordIsToldWithTheNearestCommand(word: String, expected: String) {
        for words in [[word], word.hasPrefix("-") ? [word] : ["help", word]] {
            guard case .unknown(let sentence) = Invocation(words) else { return #expect(Bool(false), "\(words)") }
            #expect(sentence == expected)
        }
    }

    @Test func usageNamesEveryFlagWithItsDefaultAndVariable() {
        for command in Command.all {
            let text = Usage.text(for: command)
            for flag in command.allFlags {
                #expect(text.contains("  " + flag.name), "\(command.name) \(flag.name)")
                if let variable = flag.variable { #expect(text.contains("environment: \(variable)")) }
            }
            #expect(!command.examples.isEmpty)
            #expect(command.examples.allSatisfy { text.contains($0.line) })
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(command.name) is too wide")
        }
    }

    @Test func `help and README list the queries that there are`() throws {
        let names = Query.all.map(\.name)
        let details = Command.psql.details.joined(separator: " ")
        let list = try #require(details.firstMatch(of: /questions that an owner has: (.+?)\. They are/)?.output.1)
        #expect(list.replacing(/\ \([^)]*\)/, with: "").split(separator: ", ").map(String.init) == names)
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../README.md")
        let readme = try String(contentsOf: file, encoding: .utf8)
        let parts = readme.split(separator: "| query | what it answers |\n", maxSplits: 1)
        try #require(parts.count == 2)
        let table = parts[1].split(separator: "\n", omittingEmptySubsequences: false).prefix { $0 != "" }
        #expect(table.compactMap { $0.firstMatch(of: /^\| `([a-z]+)` \|/).map { String($0.output.1) } } == names)
        #expect(names.count == 12 && readme.contains("\nTwelve longer queries come with it"))
    }

    @Test func everyExampleIsACommandLineWithoutFaults() {
        for command in Command.all {
            for example in command.examples {
                let bare = example.line.replacing(/'([^']*)'/) { $0.output.1.replacing(" ", with: "\u{1F}") }
                guard
                    case .run(let found, let arguments) = Invocation(
                        bare.split(separator: " ").dropFirst().map { String($0).replacing("\u{1F}", with: " ") }
                    )
                else { return #expect(Bool(false), "\(example.line)") }
                #expect(found.name == command.name)
                #expect(arguments.faults == [], "\(example.line)")
            }
        }
    }

    @Test func theOverviewNamesEveryCommandSettingAndExitCode() {
        let text = Usage.overview()
        for command in Command.all {
            #expect(text.contains("  \(command.name)  ") || text.contains("  \(command.name) "))
        }
        for setting in Setting.all { #expect(text.contains("  \(setting.name)")) }
        for code in ["0", "1", "2", "3", "4", "5", "130"] { #expect(text.contains("\n  \(code) ")) }
    }
}
