/// Where the commands meet the archiver.
enum ArchiverCalls {
    /// One pass over the source.
    static func scan(
        _ archive: Archive,
        since: Day?,
        until: Day?,
        stop: StopSignal,
        progress: @escaping @Sendable (ScanProgress) -> Void
    ) async throws -> Ending { fatalError() }

    /// Works until stopped, or as long as the options say.
    static func work(
        _ archive: Archive,
        _ options: WorkOptions,
        stop: StopSignal,
        progress: @escaping @Sendable (WorkerProgress) -> Void
    ) async throws -> Ending { fatalError() }

    /// Scan, work until nothing is left, record.
    static func run(
        _ archive: Archive,
        since: Day?,
        until: Day?,
        _ options: WorkOptions,
        stop: StopSignal,
        scanProgress: @escaping @Sendable (ScanProgress) -> Void,
        workProgress: @escaping @Sendable (WorkerProgress) -> Void
    ) async throws -> Ending { fatalError() }
}
