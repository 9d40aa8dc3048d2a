import Foundation
import Synchronization
import TestSupport
import Testing

/// One process of a program under test.
///
/// Whatever a test is about: all that it printed is searched for secrets, at its end, or when the test lets go of it.
final class Program: Sendable {
    /// How it ended, and all that it printed.
    struct End: Sendable {
        let status: Int32
        let output: String
    }

    private let process: Process
    private let path: String
    private let ended: AsyncStream<Void>

    private let input: Pipe?
    /// Reads what it printed, also where the file's name is gone.
    private let printed: FileHandle
    private let isSearched = Atomic(false)

    /// `reads` is whether lines are written to its standard input later; else that is empty.
    init(
        _ program: String,
        _ arguments: [String],
        _ environment: [String: String],
        output: String,
        reads: Bool = false
    ) throws {
        process = Process()
        path = output
        input = reads ? Pipe() : nil
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        try #require(FileManager.default.createFile(atPath: output, contents: nil))
        let file = try #require(FileHandle(forWritingAtPath: output))
        printed = try #require(FileHandle(forReadingAtPath: output))
        process.standardOutput = file
        process.standardError = file
        if let input { process.standardInput = input } else { process.standardInput = FileHandle.nullDevice }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        ended = stream
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
    }

    func signal(_ number: Int32) {
        kill(process.processIdentifier, number)
    }

    /// Types a line.
    func enter(_ line: String) throws { try input?.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8)) }

    /// Ends its standard input.
    func closeInput() throws { try input?.fileHandleForWriting.close() }

    /// What it has printed so far.
    var output: String {
        get throws { try String(contentsOfFile: path, encoding: .utf8) }
    }

    func end() async throws -> End {
        for await _ in ended {}
        try search()
        return End(status: process.terminationStatus, output: try String(contentsOfFile: path, encoding: .utf8))
    }

    /// Says which kind of secret it printed, and not the secret.
    private func search() throws {
        guard !isSearched.exchange(true, ordering: .relaxed) else { return }
        try printed.seek(toOffset: 0)
        let text = String(decoding: try printed.readToEnd() ?? Data(), as: UTF8.self)
        for name in SecretPatterns.found(in: text) {
            let program = process.executableURL?.lastPathComponent ?? "a program"
            Issue.record("\(program) \(process.arguments?.first ?? "") printed \(name)")
        }
    }

    deinit { #expect(throws: Never.self) { try search() } }
}
