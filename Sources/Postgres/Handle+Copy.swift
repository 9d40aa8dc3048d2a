import CPostgres

/// COPY through libpq: "Functions Associated with the COPY Command" in its documentation.
extension Handle {
    enum CopyDirection {
        case out, into
    }

    /// Sends the statement and waits until the server is ready for rows, or to send them.
    func beginCopy(_ statement: Statement, _ direction: CopyDirection) throws(PostgresError) {
        if Task.isCancelled { throw .cancelled(statement.name) }
        guard unsafe PQsendQuery(raw, statement.sql) == 1 else { throw unsafe failure(nil, statement.name) }
        waitForResult(true)
        guard let result = unsafe PQgetResult(raw) else { throw unsafe failure(nil, statement.name) }
        defer { unsafe PQclear(result) }
        let wanted = direction == .out ? PGRES_COPY_OUT : PGRES_COPY_IN
        guard unsafe PQresultStatus(result) == wanted else {
            let failed = unsafe failure(result, statement.name)
            while let rest = unsafe PQgetResult(raw) { unsafe PQclear(rest) }
            throw isLost ? failed.lost : failed
        }
    }

    /// Whole rows, at least so many bytes if there are as many.
    func readCopy(atLeast bytes: Int, _ name: String) throws(PostgresError) -> (rows: [UInt8], isLast: Bool) {
        var rows: [UInt8] = []
        rows.reserveCapacity(bytes + 4096)
        while rows.count < bytes {
            var row: UnsafeMutablePointer<CChar>?
            let length = unsafe PQgetCopyData(raw, &row, 1)
            switch length {
            case 1...:
                defer { unsafe PQfreemem(row) }
                unsafe rows.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
            case 0:
                if Task.isCancelled { throw .cancelled(name) }
                if Socket.wait(socket, until: .readable, milliseconds: 50), unsafe PQconsumeInput(raw) == 0 {
                    throw unsafe failure(nil, name)
                }
            case -1:
                // The server's last word: an error may come after rows.
                _ = try collect(1, name, true)
                return (rows, true)
            default: throw unsafe failure(nil, name)
            }
        }
        return (rows, false)
    }

    func writeCopy(_ rows: [UInt8], _ name: String) throws(PostgresError) {
        if Task.isCancelled { throw .cancelled(name) }
        let sent = unsafe rows.withUnsafeBytes { buffer in
            unsafe PQputCopyData(raw, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count))
        }
        guard sent == 1 else { throw unsafe failure(nil, name) }
    }

    func endCopy(_ name: String) throws(PostgresError) {
        guard unsafe PQputCopyEnd(raw, nil) == 1 else { throw unsafe failure(nil, name) }
        _ = try collect(1, name, true)
    }

    var place: String {
        let database = unsafe String(cString: PQdb(raw)), host = unsafe String(cString: PQhost(raw))
        return host.hasPrefix("/")
            ? "the database \(database) of the server in \(host)"
            : "the database \(database) on \(host):\(unsafe String(cString: PQport(raw)))"
    }
}
