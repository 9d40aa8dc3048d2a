import JobQueue

/// How one try at a job ended, in terms of what the worker tells the queue.
enum Ending: Sendable {
    /// Over for good.
    case complete(Completion.Result)
    /// A counted failure of the part itself.
    case fail(reason: String, message: String)
    /// Given back, attempt not counted.
    case release(delay: Duration, note: String)
    /// Given back, and nobody is to claim from the source for a while.
    case park(Duration, reason: String)
    /// Nothing will work until a person does something: given back, and the worker ends with this.
    case fatal(ArchiverError)
    /// The task was cancelled: lease lost, or a stop.
    case cancelled
}
