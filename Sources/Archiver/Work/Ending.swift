import GooglePhotos
import JobQueue

/// How one try at a job ended, in terms of what the worker tells the queue.
enum Ending: Sendable {
    /// Over for good.
    case complete(Completion.Result)
    /// A counted failure of the part itself, and when it is tried again, if not by the rule.
    case fail(reason: String, message: String, after: Duration? = nil)
    /// Given back, attempt not counted.
    case release(delay: Duration, note: String)
    /// Given back, and nobody is to claim from the source for a while.
    case park(Duration, reason: String)
    /// Given back; Google asks for fewer requests.
    case slowDown(Slowdown)
    /// A service did not answer: who pays for it is for `ServiceHealth` to say.
    case stumble(Stumble)
    /// Nothing will work until a person does something: given back, and the worker ends with this.
    case fatal(ArchiverError)
    /// The task was cancelled: lease lost, or a stop.
    case cancelled

    /// Whether it stored the part; nil for a try that neither did so nor counts as a failure.
    var isStored: Bool? {
        switch self {
        case .complete(.stored): true
        case .complete(.dead), .fail: false
        default: nil
        }
    }

    /// Whether the part needs no more work.
    var isDone: Bool {
        if case .complete = self { true } else { false }
    }

    /// Whether this try at the part is over: the next one, if there is any, is another claim's.
    var isOver: Bool {
        switch self {
        case .complete, .fail: true
        default: false
        }
    }

    /// A 429.
    struct Slowdown: Sendable {
        /// Retry-After.
        let asked: Duration?
        /// When the request was sent, at the latest.
        let sent: ContinuousClock.Instant
        /// The quota that is used up for the day, if Google speaks of a day.
        let daily: RequestKind?
        let reason: String
    }

    /// A 5xx, a timeout, or a broken connection.
    struct Stumble: Sendable {
        let service: Service
        let retryAfter: Duration?
        /// Short and stable, what `failures` groups by, if the part is to blame.
        let reason: String
        let message: String
    }
}
