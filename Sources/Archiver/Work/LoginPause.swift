import JobQueue
import Logging

/// What a worker makes of a login that Google refuses, its own or another host's.
struct LoginPause {
    private var claimsAgain: ContinuousClock.Instant?
    private var looksAgain: ContinuousClock.Instant?

    /// Whether jobs are worth a try.
    var mayClaim: Bool { claimsAgain.map { .now > $0 } ?? true }

    /// Google has just refused this worker's own login.
    mutating func refused() { claimsAgain = .now + .seconds(10) }

    /// With a credentials file, a login that was refused on another host meanwhile stops nothing here; to be called when nothing
    /// is left to claim, as often as one likes.
    mutating func goOnWithFile(_ context: ArchiveContext, _ sources: [Int64], _ logger: Logger) {
        guard context.login == nil, looksAgain.map({ .now > $0 }) ?? true else { return }
        looksAgain = .now + .seconds(15)
        Task<Void, Never> {
            for source in sources {
                guard let lanes = try? await context.ledger.resumeWithoutLogin(source: source), lanes > 0 else {
                    continue
                }
                logger.log(.info, "a refused login had paused the source; it goes on with the credentials file")
            }
        }
    }
}
