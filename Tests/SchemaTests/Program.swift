import Foundation

/// PostgreSQL's own programs, as a person runs them.
enum Program {
    /// Runs one to its end; what it prints on either stream goes into `text`.
    static func run(_ name: String, _ arguments: [String]) async throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var data = Data()
        for try await byte in output.fileHandleForReading.bytes { data.append(byte) }
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
