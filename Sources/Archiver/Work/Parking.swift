/// Parks that the database is being told of: until it knows, it would hand out what must rest.
///
/// One after another: all that were refused together must not take all connections. Belongs to the worker's loop.
struct Parking {
    private var untold: [Task<Bool, Never>] = []
    private var count = 0

    /// Whether the database does not know of all of them yet.
    var isUnderWay: Bool { count > 0 }

    /// Tells it after those before.
    ///
    /// - Parameters:
    ///   - tell: returns false where the database could not be told: then this life ends, and a park that came later would
    ///     last too long.
    ///   - ended: called in any case; hand it to the loop, which calls `noteEnd`.
    mutating func add(_ tell: @escaping @Sendable () async -> Bool, ended: @escaping @Sendable () -> Void) {
        count += 1
        untold.append(
            Task { [last = untold.last] in
                defer { ended() }
                if let last, await last.value == false { return false }
                return await tell()
            }
        )
    }

    /// One of them ended.
    mutating func noteEnd() {
        count -= 1
        if count == 0 { untold = [] }
    }

    /// Whoever insists on the end does not wait for a lock that somebody holds.
    func cancel() {
        for task in untold { task.cancel() }
    }
}
