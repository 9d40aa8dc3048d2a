import Foundation

/// Copies of this process's memory, in which its tokens and its key stand in clear.
enum CoreDumps {
    /// Has a crash of this process, or of one that it starts, leave none behind; whoever looks for a fault can allow them
    /// again with prlimit(1).
    static func forbid() {
        var limit = rlimit()
        #if os(Linux)
        let kind = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        #else
        let kind = RLIMIT_CORE
        #endif
        guard getrlimit(kind, &limit) == 0 else { return }
        limit.rlim_cur = 0
        setrlimit(kind, &limit)
    }
}
