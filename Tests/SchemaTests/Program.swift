import Dispatch
import Foundation

/// PostgreSQL's own programs, as a person runs them.
enum Program {
    /// Runs one to its end; what it prints on either stream goes into `text`.
    static func run(_ name: String, _ arguments: [String]) async throws -> (status: Int32, text: String) {
        try await withCheckedThrowingContinuation { continuation in
            // Reading blocks, so it has a thread of its own.
            DispatchQueue(label: "program").async {
                continuation.resume(with: Result { try read(name, arguments) })
            }
        }
    }

    private static func read(_ name: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
