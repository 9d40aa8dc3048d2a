import Foundation
import Testing

@testable import coldroll

/// The built program, run as a person runs it.
struct Program {
    struct Answer: Sendable {
        let code: Int32
        let output: String
        let error: String
    }

    /// Beside the test bundle, where SwiftPM puts every product.
    static let path: String = {
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates =
            [bundle, bundle.appending(path: "../..")]
            + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
        let found = candidates.map { $0.appending(path: "coldroll").path }.first { isReadableFile($0) }
        return found
            ?? URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../.build/debug/coldroll").standardizedFileURL.path
    }()

    /// Runs it to its end; standard error is no terminal.
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: added to a home that does not exist and a plain PATH.
    /// - Returns: what it wrote, and its exit code.
    /// - Throws: if it cannot be started.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Answer {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ["HOME": "/nonexistent", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        process.standardInput = FileHandle.nullDevice
        async let outputText = text(output)
        async let errorText = text(error)
        let code = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return Answer(code: code, output: await outputText, error: await errorText)
    }

    /// Reads a pipe to its end on a thread of its own.
    private static func text(_ pipe: Pipe) async -> String {
        let handle = pipe.fileHandleForReading
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: String(decoding: handle.readDataToEndOfFile(), as: UTF8.self))
            }
        }
    }

    /// Runs it until it has written a line, sends a signal, and waits for its end.
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: as in `run`.
    ///   - number: the signal.
    /// - Returns: its exit code.
    /// - Throws: if it cannot be started.
    static func signalAfterFirstLine(
        _ arguments: [String],
        environment: [String: String],
        _ number: Int32
    ) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ["HOME": "/nonexistent", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = {
                continuation.resume(
                    returning: $0.terminationReason == .exit ? $0.terminationStatus : -$0.terminationStatus
                )
            }
            do {
                try process.run()
                let processID = process.processIdentifier
                let handle = output.fileHandleForReading
                Thread.detachNewThread {
                    // An end without a line needs no signal.
                    if !handle.availableData.isEmpty { kill(processID, number) }
                    _ = handle.readDataToEndOfFile()
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
