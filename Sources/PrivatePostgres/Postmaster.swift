import Foundation
import Logging

/// The server's first process, as its lock file `postmaster.pid` names it.
enum Postmaster {
    /// The number in the lock file; whether that process is the server is another question.
    static func number(in layout: Layout) -> pid_t? {
        guard let text = try? String(contentsOfFile: layout.dataPath("postmaster.pid"), encoding: .utf8) else {
            return nil
        }
        return text.split(whereSeparator: \.isNewline).first.flatMap { pid_t($0.trimmingCharacters(in: .whitespaces)) }
    }

    /// Whether a process belongs to this cluster's server: PostgreSQL's processes work in the data directory.
    static func works(_ process: pid_t, in layout: Layout) -> Bool {
        #if os(Linux)
        guard let directory = workingDirectory(process) else { return false }
        return directory == URL(fileURLWithPath: layout.path(layout.data)).resolvingSymlinksInPath().path
        #else
        kill(process, 0) == 0
        #endif
    }

    /// Removes the lock files of a server that is gone, where their number meanwhile belongs to another process.
    ///
    /// After a restart of the machine PostgreSQL would take any process of its user with that number for its
    /// predecessor, and not start. Nothing is removed while any process works in the data directory. PostgreSQL's own
    /// check for memory that is still in use (since version 12 by the directory's identity) comes after this one.
    static func removeStaleFiles(in layout: Layout, logger: Logger) {
        #if os(Linux)
        guard let number = number(in: layout), !works(number, in: layout) else { return }
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
        guard !processes.isEmpty, !processes.contains(where: { works($0, in: layout) }) else { return }
        let socket = layout.socketDirectory + "/.s.PGSQL.\(Layout.port)"
        for path in [layout.dataPath("postmaster.pid"), socket + ".lock", socket] where unlink(path) == 0 {
            logger.log(.info, "removed what a killed PostgreSQL left", ["path": .string(path)])
        }
        #endif
    }

    #if os(Linux)
    private static func workingDirectory(_ process: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
    }
    #endif
}
