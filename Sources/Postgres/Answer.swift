import CPostgres

/// Owner of one libpq result, the rows of an answer.
///
/// `@unchecked` because a result never changes after libpq has made it ("Behavior in Threaded Programs" in the libpq
/// documentation), and the last reader frees it.
@safe final class Answer: @unchecked Sendable {
    private let raw: OpaquePointer
    /// Name of the statement, for errors about its values.
    let statement: String

    init(_ raw: OpaquePointer, statement: String) {
        unsafe self.raw = raw
        self.statement = statement
    }

    deinit {
        unsafe PQclear(raw)
    }

    var rowCount: Int32 { unsafe PQntuples(raw) }

    var columnCount: Int32 { unsafe PQnfields(raw) }

    var parameterCount: Int32 { unsafe PQnparams(raw) }

    /// What was done, for example `INSERT 0 1`, or `ROLLBACK` in answer to a COMMIT.
    var commandTag: String { unsafe String(cString: PQcmdStatus(raw)) }

    /// The text of a value, only during the call, nil for NULL; row and column must exist.
    func withValue<R>(_ row: Int32, _ column: Int32, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
        guard unsafe PQgetisnull(raw, row, column) == 0 else { return body(nil) }
        let length = unsafe Int(PQgetlength(raw, row, column))
        return unsafe body(UnsafeRawBufferPointer(start: PQgetvalue(raw, row, column), count: length))
    }
}
