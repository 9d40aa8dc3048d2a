import Synchronization

/// What the simulator was asked for and what went through it, by operation.
package struct SimulatorCounters: Sendable, Equatable {
    /// Requests by operation.
    package var requests: [String: Int] = [:]
    /// Answers by status code.
    package var statuses: [Int: Int] = [:]
    /// Body bytes that clients sent, by operation.
    package var bytesIn: [String: Int64] = [:]
    /// Body bytes of the answers (up to the point where a fault cut them), by operation.
    package var bytesOut: [String: Int64] = [:]
    /// Steps of logins: `warning_pages`, `consent_pages`, `error_pages`, `requests_without_pkce`, `cancelled`, `codes`,
    /// `codes_reused`, `refresh_tokens_evicted`, and `exchange`, `refresh` and `revoke`, each with `.ok` or `.` and its error.
    package var oauth: [String: Int] = [:]
    /// Requests on the redirect host that carried an Authorization header, which a client must not forward.
    package var redirectAuthorizations = 0
    /// Most requests that were in hand at one moment.
    package var mostAtOnce = 0

    package init() {}

    /// Requests of one operation.
    package func requests(_ operation: String) -> Int { requests[operation] ?? 0 }

    /// How often one step of a login was taken, such as `codes` or `exchange.invalid_grant`.
    package func oauth(_ step: String) -> Int { oauth[step] ?? 0 }
}

/// The running counters.
final class CounterBoard: Sendable {
    private struct State {
        var counters = SimulatorCounters()
        var inHand = 0
    }
    private let state = Mutex(State())

    var snapshot: SimulatorCounters { state.withLock { $0.counters } }

    func reset() { state.withLock { $0.counters = SimulatorCounters() } }

    /// A request has arrived.
    func began(_ operation: String) {
        state.withLock { state in
            state.counters.requests[operation, default: 0] += 1
            state.inHand += 1
            state.counters.mostAtOnce = max(state.counters.mostAtOnce, state.inHand)
        }
    }

    /// Its answer begins, or its connection broke (status nil).
    func ended(_ operation: String, status: Int?, sent: Int64) {
        state.withLock { state in
            state.inHand -= 1
            if let status { state.counters.statuses[status, default: 0] += 1 }
            state.counters.bytesOut[operation, default: 0] += sent
        }
    }

    /// Bytes of a request's body have come, while it is still under way.
    func received(_ operation: String, _ count: Int) {
        state.withLock { $0.counters.bytesIn[operation, default: 0] += Int64(count) }
    }

    /// A step of a login was taken.
    func count(oauth step: String) { state.withLock { $0.counters.oauth[step, default: 0] += 1 } }

    func sawAuthorizationOnRedirect() { state.withLock { $0.counters.redirectAuthorizations += 1 } }
}
