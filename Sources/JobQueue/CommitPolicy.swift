/// What a statement that changes something waits for at its end: conditions that are always true, for its first part.
///
/// Each changes a setting of the statement's transaction; the value at its end counts ("Asynchronous Commit" in the
/// PostgreSQL documentation).
enum CommitPolicy {
    /// It does not wait until the disk has it.
    ///
    /// For what may be forgotten if the server, or one of its processes, dies within the next moments (three times
    /// `wal_writer_delay`, 0.6 s by default), as a failover to a replica that was behind forgets it: a claim (whoever holds
    /// a job that the database does not know of is refused at its end by the lease, and the job is done again), a start
    /// (`begun` of a worker's first ones waits), a page of a scan (the next one is refused by the count of pages, and the
    /// scan goes back). What is committed later and waits for the disk brings everything before it there too.
    static let lazy = "(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"

    /// It waits until the disk has it, also where an owner's settings say otherwise; what waits for replicas goes on doing so.
    ///
    /// For what ends a job, a scan or a run: that is told to a person as safe, and acted upon.
    static let durable = """
        (SELECT CASE current_setting('synchronous_commit')
                             WHEN 'off' THEN set_config('synchronous_commit', 'on', true) ELSE '' END) IS NOT NULL
        """

    /// `lazy`, unless the parameter says that it is to wait.
    static func lazy(unless parameter: String) -> String {
        "(SELECT CASE WHEN \(parameter)::boolean THEN '' ELSE set_config('synchronous_commit', 'off', true) END) IS NOT NULL"
    }
}
