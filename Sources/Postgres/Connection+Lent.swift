import CPostgres

/// What a statement brought on a connection that a pool lent.
struct LentAnswer: Sendable {
    let result: Result<[Row], PostgresError>
    /// Whether the next caller may have the connection.
    let isReusable: Bool
}

/// A pool's single statements: asking whether the connection stands, running, and asking again would be three visits to its
/// queue, each a change of threads.
extension Connection {
    /// Nil where it was lost while it was idle, as by a restart of the server: nothing was sent.
    func runIfReusable(_ statement: Statement, _ values: [PostgresValue]) -> LentAnswer? {
        isReusable ? runLent(statement, values) : nil
    }

    func runLent(_ statement: Statement, _ values: [PostgresValue]) -> LentAnswer {
        do throws(PostgresError) {
            let rows = try run(statement, values)
            return LentAnswer(result: .success(rows), isReusable: isIdle)
        } catch {
            // 25006: after a failover the name may lead elsewhere.
            return LentAnswer(result: .failure(error), isReusable: isIdle && error.code != .server(sqlState: "25006"))
        }
    }

    /// As far as it is known here; whoever takes it next looks whether the server is still there.
    private var isIdle: Bool {
        guard let handle else { return false }
        return !handle.isLost && handle.transaction == PQTRANS_IDLE
    }
}
