/// What a statement that changes something waits for at its end: conditions that are always true, for its first part.
///
/// Each changes a setting of the statement's transaction; the value at its end counts ("Asynchronous Commit" in the
/// PostgreSQL documentation).
enum CommitPolicy {
    /// It does not wait until the disk has it.
    ///
    /// For what may be forgotten if the server, or one of its processes, dies within the next moments (three times
    /// `wal_writer_delay`, 0.6 s by default), as a failover to a replica that was behind forgets it: a claim (whoever holds
    /// a job that the database does not know of is refused at its end by the lease, and the job is done again) and a page of
    /// a scan (the next one is refused by the count of pages, and the scan goes back; nothing is stored under a name of it
    /// that the disk does not have: `StartStatements.start`). What is committed later and waits for the disk brings
    /// everything before it there too.
    static let lazy = "(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"

    /// It waits until the disk has it, also where an owner's settings say otherwise; what waits for replicas goes on doing so.
    ///
    /// For what ends a job, a scan or a run: that is told to a person as safe, and acted upon.
    static let durable = "(SELECT \(wait)) IS NOT NULL"

    /// `durable` where the condition holds, else `lazy`.
    static func durable(if condition: String) -> String {
        """
        (SELECT CASE WHEN \(condition)
                                 THEN \(wait)
                                 ELSE set_config('synchronous_commit', 'off', true) END) IS NOT NULL
        """
    }

    /// An owner's setting is left alone unless it waits for nothing.
    private static let wait =
        "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) ELSE '' END"
}
