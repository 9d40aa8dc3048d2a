import CPostgres

extension Connection {
    /// BEGIN, body, COMMIT; ROLLBACK and rethrow where the body throws.
    ///
    /// - Parameter body: runs on this connection's queue; must not begin a transaction itself (25001).
    /// - Returns: what the body returns, after the COMMIT was answered.
    /// - Throws: the body's error, or the server's at COMMIT (deferred constraints; 25P02 where the body swallowed an
    ///   error, so that the server rolled back). A connection lost at COMMIT throws `connectionLost` with
    ///   `statement == "commit"`: the outcome is unknown and must be looked up.
    package func transaction<R: Sendable>(
        _ body: (isolated Connection) throws(PostgresError) -> R
    ) throws(PostgresError) -> R {
        let handle = try opened("begin")
        guard handle.isLost || handle.transaction == PQTRANS_IDLE else {
            throw PostgresError(
                code: .server(sqlState: "25001"),
                message: "a transaction is open already on this connection",
                statement: "begin"
            )
        }
        if Task.isCancelled { throw .cancelled("begin") }
        _ = try handle.run(Statement("begin", "BEGIN"), [], isCancellable: false)
        let value: R
        do {
            value = try body(self)
        } catch {
            // Where ROLLBACK fails too, the connection is lost and the server rolls back; the body's error is the reason.
            _ = try? handle.run(Statement("rollback", "ROLLBACK"), [], isCancellable: false)
            throw error
        }
        try Self.commit(handle)
        return value
    }

    /// BEGIN, for a transaction that goes on over several calls, because what it does waits for something else.
    ///
    /// Each statement sees what is committed by then, whatever the server's default is: who waits for a lock must see what
    /// its holder wrote. Whoever lets the connection go without `commit` has rolled it back.
    package func begin() throws(PostgresError) {
        _ = try opened("begin").run(Statement("begin", "BEGIN ISOLATION LEVEL READ COMMITTED"), [])
    }

    /// COMMIT of what `begin` began; not to be cancelled.
    ///
    /// - Throws: as `transaction` does at its end.
    package func commit() throws(PostgresError) {
        try Self.commit(try opened("commit"))
    }

    private static func commit(_ handle: Handle) throws(PostgresError) {
        let answer = try handle.run(Statement("commit", "COMMIT"), [], isCancellable: false)
        guard answer.commandTag == "COMMIT" else {
            throw PostgresError(
                code: .server(sqlState: "25P02"),
                message: "a statement in the transaction had failed, so the server rolled it back",
                statement: "commit"
            )
        }
    }
}
