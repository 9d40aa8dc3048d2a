/// COPY in text format: rows as they are, in the form that every version of PostgreSQL reads.
extension Connection {
    /// Begins `COPY … TO STDOUT`; then `copiedOut` until it gives the last rows.
    package func copyOut(_ statement: Statement) throws(PostgresError) {
        try opened(statement.name).beginCopy(statement, .out)
    }

    /// The next rows, whole ones, together at least `bytes` long unless they are the last.
    ///
    /// - Throws: 57014 where the task was cancelled. Close the connection after any error: the COPY is not over.
    package func copiedOut(
        _ bytes: Int,
        of statement: Statement
    ) throws(PostgresError) -> (rows: [UInt8], isLast: Bool) {
        try opened(statement.name).readCopy(atLeast: bytes, statement.name)
    }

    /// Begins `COPY … FROM STDIN`; then `copyIn(_:of:)` for the rows and `endCopyIn` at their end.
    package func copyIn(_ statement: Statement) throws(PostgresError) {
        try opened(statement.name).beginCopy(statement, .into)
    }

    /// Sends rows, cut anywhere.
    ///
    /// What the server finds wrong with them, `endCopyIn` says.
    package func copyIn(_ rows: [UInt8], of statement: Statement) throws(PostgresError) {
        try opened(statement.name).writeCopy(rows, statement.name)
    }

    /// Ends the rows; without it, the server takes none of them.
    package func endCopyIn(_ statement: Statement) throws(PostgresError) {
        try opened(statement.name).endCopy(statement.name)
    }

    /// Where the connection leads, for a person: database, and host with port or directory of the socket; no password.
    package var place: String {
        get throws(PostgresError) { try opened("place").place }
    }
}
