import Foundation

/// A program that shares this process's terminal and streams.
///
/// Foundation's `Process` puts its child into a process group of its own, which may not read the terminal; this one does not.
struct ChildProcess: Sendable {
    let processID: pid_t

    /// Starts the program with the default effect of every signal.
    /// - Throws: `CommandFailure` with the system's reason.
    init(_ program: String, _ arguments: [String], environment: [String: String]) throws(CommandFailure) {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        // The threads that tasks run on block every signal, and a child inherits that: psql would never hear of Ctrl-C.
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let words = ([program] + arguments).map { strdup($0) }
        let variables = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + variables { free(pointer) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, program, nil, &attributes, words + [nil], variables + [nil])
        guard result == 0 else {
            throw CommandFailure(.usage, "\(harmless(program)) cannot be started: \(String(cString: strerror(result)))")
        }
        self.processID = processID
    }

    /// Waits, off the threads that tasks share, until it has ended; returns its exit code, 128 + n if signal n ended it.
    func exitCode() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [processID] in
                var status: Int32 = 0
                while waitpid(processID, &status, 0) < 0, errno == EINTR {}
                let signalled = status & 0x7F
                continuation.resume(returning: signalled == 0 ? (status >> 8) & 0xFF : 128 + signalled)
            }
        }
    }
}
