package import Postgres

extension JobQueue {
    /// Rings when jobs may have become ready, at most once a statement.
    ///
    /// Ends when the connection is lost: poll, and ask for another doorbell.
    /// Polling is the truth: a ring may get lost, and rings that nobody waits for are merged. Opens a connection of its
    /// own by `conninfo`, which must be direct (LISTEN does not pass through a pooler in transaction mode); it is closed
    /// when the stream ends or is let go.
    package static func doorbell(conninfo: String) async throws(PostgresError) -> AsyncStream<Void> {
        let connection = try await Connection.connect(conninfo, applicationName: "coldroll doorbell")
        let notifications = try await connection.notifications(on: doorbellChannel)
        let (rings, ringer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let forwarding = Task {
            for await _ in notifications {
                ringer.yield()
            }
            ringer.finish()
            await connection.close()
        }
        ringer.onTermination = { _ in forwarding.cancel() }
        return rings
    }
}
