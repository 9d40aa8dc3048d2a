import CPostgres

/// Statements that the server parses and plans once for a connection.
extension Handle {
    /// Runs of a statement after which the server plans it anew: a plan that was made while its tables were small is not
    /// gone by for long, whether anybody has analyzed them since or not.
    private static let runs = 200

    /// Runs a statement under its name, which the server is told of at its first run; otherwise as `run`.
    ///
    /// Only where no pooler stands between: the next statement may meet another process there, which does not know the name.
    /// A server that cannot go on by what it kept (26000: somebody let it go; 0A000: a table has changed) is given the
    /// statement itself, and keeps nothing of this connection from then on.
    func runKept(_ statement: Statement, _ values: [PostgresValue]) throws(PostgresError) -> Answer {
        let types = values.map(\.type)
        let isAlone = transaction == PQTRANS_IDLE
        if let known = kept[statement.name], known.runs >= Self.runs, isAlone {
            do {
                _ = try run(
                    Statement("connection.forget", "DEALLOCATE \"\(statement.name)\""),
                    [],
                    isCancellable: false
                )
            } catch {
                guard error.code == .server(sqlState: "26000") else { throw error }
                isKeeping = false
                return try run(statement, values)
            }
            kept[statement.name] = nil
        }
        if kept[statement.name] == nil {
            if Task.isCancelled { throw .cancelled(statement.name) }
            let sent = unsafe PQsendPrepare(raw, statement.name, statement.sql, Int32(types.count), types)
            _ = try collect(sent, statement.name, true)
            kept[statement.name] = (types, 0)
        }
        // What the server took the first values for.
        guard kept[statement.name]?.types == types else { return try run(statement, values) }
        kept[statement.name]?.runs += 1
        do {
            return try execute(statement.name, values)
        } catch {
            guard error.code == .server(sqlState: "26000") || error.code == .server(sqlState: "0A000") else {
                throw error
            }
            isKeeping = false
            guard isAlone else { throw error }
            return try run(statement, values)
        }
    }

    private func execute(_ name: String, _ values: [PostgresValue]) throws(PostgresError) -> Answer {
        if Task.isCancelled { throw .cancelled(name) }
        let sent = unsafe withPointers(values) { pointers in
            unsafe PQsendQueryPrepared(
                raw,
                name,
                Int32(values.count),
                pointers,
                values.map { Int32($0.encoded?.count ?? 0) },
                values.map { $0.isBinary ? 1 : 0 },
                0
            )
        }
        return try collect(sent, name, true)
    }
}
