/// How often the sums of a ledger may be asked for.
enum Pacing {
    /// The pause after a question that took so long: 2 s, or as much more as keeps the database free for the workers.
    ///
    /// Sums that are counted read every part, seconds for a million of them, and each process that shows progress asks for
    /// them; those that are kept cost milliseconds.
    static func pause(after cost: Duration) -> Duration { max(.seconds(2), cost * 30) }
}
