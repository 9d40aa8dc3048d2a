import HTTPClient

/// How often, and how far apart, one operation is tried before it is given up.
///
/// Truncated exponential backoff with jitter, as Cloud Storage asks for (Cloud Storage docs: "Retry strategy"). The bounds are
/// ours: past them the caller parks everything, which costs nothing.
struct Attempts {
    private static let patience = Duration.seconds(60)

    /// Tries in a row that may fail.
    private let most: Int
    private var failed = 0
    private var deadline = ContinuousClock.now + patience
    /// Whether a refused token has been replaced once already.
    var refreshedToken = false

    init(most: Int = 6) { self.most = most }

    /// The bucket has more bytes than before: what failed until now does not count any more.
    mutating func progressed() {
        failed = 0
        deadline = .now + Self.patience
    }

    /// Sleeps until the next try is due; `Retry-After` is obeyed.
    ///
    /// Throws `.unavailable` when tries or time are used up, or `Retry-After` is further away than they reach.
    mutating func pause(after fault: Fault) async throws {
        if fault.atOnce { return }
        failed += 1
        let exponential = Duration.milliseconds(500 << (failed - 1)) * Double.random(in: 0.5...1)
        let wait = max(exponential, fault.retryAfter ?? .zero)
        guard failed < most, .now + wait < deadline else {
            throw StorageError(code: .unavailable(retryAfter: fault.retryAfter), message: fault.message)
        }
        try await Task.sleep(for: wait)
    }
}

/// Why a request got no final answer, though another one may.
struct Fault {
    /// For the error that follows if no try succeeds.
    let message: String
    /// As the service asked.
    var retryAfter: Duration?
    /// The token was refused and another one is there: nothing to wait for.
    var atOnce = false
}

/// One request's end.
enum Reply {
    /// The service decided: 2xx, 308, or a 4xx that trying again does not change.
    case answer(HTTPResponse)
    case fault(Fault)
}
