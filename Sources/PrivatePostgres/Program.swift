import Dispatch
import Foundation

/// A program that is run to its end.
///
/// By `posix_spawn`, not by Foundation's `Process`: that one takes a program for running as long as any descendant holds
/// a socket that it hands down, and a server that `pg_ctl` starts is such a descendant.
enum Program {
    struct Outcome: Sendable {
        /// Exit code, or 128 and the signal that ended it.
        let status: Int32
        /// Standard output and standard error.
        let output: String
    }

    /// Runs it without PostgreSQL's variables in its environment, with messages in English, out of reach of Ctrl-C.
    ///
    /// - Parameters:
    ///   - program: absolute path.
    ///   - arguments: handed over as they are; no shell takes them apart.
    ///   - directory: to run in; relative paths in the arguments start there.
    ///   - input: standard input, less than a pipe holds (64 KiB on Linux, 16 on macOS); empty by default.
    ///   - lock: handed down, so that it is held as long as the program or one that it starts runs.
    /// - Returns: how it ended, whatever its exit code.
    /// - Throws: `PrivatePostgresError` where it cannot be started.
    static func run(
        _ program: String,
        _ arguments: [String],
        in directory: String,
        input: String = "",
        inheriting lock: FileLock? = nil
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            // A queue of its own, because it is held until the program ends.
            DispatchQueue(label: "program").async {
                continuation.resume(with: Result { try runBlocking(program, arguments, directory, input, lock) })
            }
        }
    }

    private static func runBlocking(
        _ program: String,
        _ arguments: [String],
        _ directory: String,
        _ input: String,
        _ lock: FileLock?
    ) throws -> Outcome {
        do {
            let (stdin, stdout) = (try DescriptorPair(), try DescriptorPair())
            // Before there is a reader that could go away.
            stdin.write(input)
            stdin.closeWriting()
            let process = try spawn(program, arguments, directory, stdin, stdout, lock)
            stdout.closeWriting()
            let output = stdout.readToEnd()
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            // The macros WIFSIGNALED, WTERMSIG and WEXITSTATUS, which Swift does not import.
            let signal = status & 0x7f
            return Outcome(status: signal == 0 ? status >> 8 & 0xff : 128 + signal, output: output)
        } catch let error as POSIXError {
            throw PrivatePostgresError("\(program) cannot be run: \(String(cString: strerror(error.code.rawValue)))")
        }
    }

    private static func spawn(
        _ program: String,
        _ arguments: [String],
        _ directory: String,
        _ stdin: DescriptorPair,
        _ stdout: DescriptorPair,
        _ lock: FileLock?
    ) throws -> pid_t {
        #if os(Linux)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, stdin.reading, 0)
        posix_spawn_file_actions_adddup2(&actions, stdout.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, stdout.writing, 2)
        let flags = Int32(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        // A server must not inherit what this process has open.
        #if os(Linux)
        let noInheritance: Int32 = 0
        let open = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap {
            Int32($0)
        }
        for descriptor in open where descriptor > 2 && descriptor != lock?.descriptor {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        #else
        let noInheritance = Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #endif
        // To itself: so it stays open in the program.
        if let lock { posix_spawn_file_actions_adddup2(&actions, lock.descriptor, lock.descriptor) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(flags | noInheritance))

        // posix_spawn itself cannot change the directory everywhere.
        let shell = ["/bin/sh", "-c", #"cd -- "$1" && shift && exec "$@""#, "sh", directory, program] + arguments
        let words = shell.map { strdup($0) } + [nil]
        let variables = environment().map { strdup($0) } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, shell[0], &actions, &attributes, words, variables)
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EINVAL) }
        return process
    }

    private static func environment() -> [String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("LC_") }
            .map { "\($0.key)=\($0.value)" } + ["LC_ALL=C"]
    }
}
