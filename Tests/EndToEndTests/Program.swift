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
    private let refuse: @Sendable (String) -> Void

    /// Starts it; `reads` is whether lines are written to its standard input later, which else is empty.
    ///
    /// `refuse` gets each kind of secret that it printed, and not the secret.
    init(
        _ program: String,
        _ arguments: [String],
        _ environment: [String: String],
        output: String,
        reads: Bool = false,
        refuse: @escaping @Sendable (String) -> Void = { Issue.record("a program printed \($0)") }
    ) throws {
        self.refuse = refuse
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

    var processID: pid_t { process.processIdentifier }

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

    private func search() throws {
        guard !isSearched.exchange(true, ordering: .relaxed) else { return }
        try printed.seek(toOffset: 0)
        SecretPatterns.found(in: String(decoding: try printed.readToEnd() ?? Data(), as: UTF8.self)).forEach(refuse)
    }

    deinit { #expect(throws: Never.self) { try search() } }
}
