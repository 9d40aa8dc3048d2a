import Synchronization

/// Requests made since start; Google's quotas count the two kinds apart.
final class RequestCounters: Sendable {
    let api = Atomic<Int>(0)
    let media = Atomic<Int>(0)
}
