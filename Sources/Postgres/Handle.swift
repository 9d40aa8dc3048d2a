import CPostgres

/// Owner of one libpq connection: the one place that uses and frees it.
///
/// `@unchecked` because every use comes from the owning actor's queue, and the last owner frees it.
@safe final class Handle: @unchecked Sendable {
    let raw: OpaquePointer
    /// Names that the server keeps a statement under, with the declared types of its values, and how often it was run.
    var kept: [String: (types: [UInt32], runs: Int)] = [:]
    /// Whether statements are kept; nil until the first that could be.
    var isKeeping: Bool?

    private init(_ raw: OpaquePointer) {
        unsafe self.raw = raw
    }

    deinit {
        unsafe PQfinish(raw)
    }

    /// Number of the server's process, as whoever answered the login said.
    var processID: Int32 { unsafe PQbackendPID(raw) }

    /// How often a waiting call looks whether its task was cancelled, in milliseconds.
    private static let cancellationCheck: Int32 = 50
    /// How long the server gets to act on a request to cancel before it is asked again: a request that overtakes its
    /// statement is ignored by the server.
    private static let patience: Duration = .seconds(1)

    /// Connects, holding the calling queue.
    static func open(_ parameters: ConnectParameters) throws(PostgresError) -> Handle {
        if Task.isCancelled { throw .cancelled(nil) }
        let started = unsafe withCStrings(parameters.options.map(\.keyword)) { keywords in
            unsafe withCStrings(parameters.options.map(\.value)) { values in
                unsafe PQconnectStartParams(keywords, values, 0)
            }
        }
        guard let raw = unsafe started else {
            throw PostgresError(code: .connectionLost, message: "out of memory", statement: nil)
        }
        let handle = unsafe Handle(raw)
        // Verbose messages carry the SQLSTATE, which libpq offers by no other way before a connection stands.
        unsafe PQsetErrorVerbosity(raw, PQERRORS_VERBOSE)
        // Without this, notices go to standard error.
        unsafe PQsetNoticeProcessor(raw, { _, _ in }, nil)
        try handle.finishConnecting(parameters)
        unsafe PQsetErrorVerbosity(raw, PQERRORS_DEFAULT)
        return handle
    }

    private func finishConnecting(_ parameters: ConnectParameters) throws(PostgresError) {
        let deadline = parameters.timeout.map { ContinuousClock.now + $0 }
        var state = unsafe PQstatus(raw) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            if state == PGRES_POLLING_FAILED {
                let text = parameters.redact(unsafe String(cString: PQerrorMessage(raw)))
                guard unsafe PQconnectionNeedsPassword(raw) == 0 else {
                    throw PostgresError(
                        code: .server(sqlState: "28P01"),
                        message: "the server asks for a password, and neither the database URL nor a password file "
                            + "has one",
                        statement: nil
                    )
                }
                throw PostgresError(connecting: text)
            }
            if Task.isCancelled { throw .cancelled(nil) }
            if let deadline, ContinuousClock.now > deadline {
                throw PostgresError(
                    code: .connectionLost,
                    message: "the server did not answer within \(parameters.timeout!.components.seconds) s",
                    statement: nil
                )
            }
            // The socket may be another one after each step: libpq goes through the addresses of a name.
            let direction: Socket.Direction = state == PGRES_POLLING_READING ? .readable : .writable
            if Socket.wait(unsafe PQsocket(raw), until: direction, milliseconds: Self.cancellationCheck) {
                state = unsafe PQconnectPoll(raw)
            }
        }
    }

    var socket: Int32 { unsafe PQsocket(raw) }

    var isLost: Bool { unsafe PQstatus(raw) != CONNECTION_OK }

    var transaction: PGTransactionStatusType { unsafe PQtransactionStatus(raw) }

    /// Reads what the server sent without being asked, which is how a closed connection shows.
    /// - Returns: false once the connection is lost.
    func consumeInput() -> Bool {
        unsafe PQconsumeInput(raw) == 1 && !isLost
    }

    /// Whether the server is still there, as far as this side has been told.
    ///
    /// A server that hangs up says why first, so everything that has arrived is read, to the end of the connection.
    func isAlive() -> Bool {
        while Socket.wait(socket, until: .readable, milliseconds: 0) {
            guard consumeInput() else { return false }
        }
        return !isLost
    }

    /// A notification that has been read already, oldest first.
    func nextNotification() -> String? {
        guard let note = unsafe PQnotifies(raw) else { return nil }
        defer { unsafe PQfreemem(note) }
        return unsafe String(cString: note.pointee.extra)
    }

    /// Runs one unnamed statement and waits for its answer.
    ///
    /// - Parameters:
    ///   - statement: SQL and its name.
    ///   - values: at most 65,535 (the protocol counts them in 16 bits).
    ///   - isCancellable: false where stopping halfway would be worse than waiting: BEGIN, COMMIT, ROLLBACK.
    /// - Returns: what the server answered.
    /// - Throws: `PostgresError`.
    func run(
        _ statement: Statement,
        _ values: [PostgresValue],
        isCancellable: Bool = true
    ) throws(PostgresError) -> Answer {
        if isCancellable, Task.isCancelled { throw .cancelled(statement.name) }
        let sent = unsafe withPointers(values) { pointers in
            unsafe PQsendQueryParams(
                raw,
                statement.sql,
                Int32(values.count),
                values.map { Oid($0.type) },
                pointers,
                values.map { Int32($0.encoded?.count ?? 0) },
                values.map { $0.isBinary ? 1 : 0 },
                0
            )
        }
        return try collect(sent, statement.name, isCancellable)
    }

    /// Runs several statements by the simple protocol.
    func script(_ sql: String, _ name: String) throws(PostgresError) {
        if Task.isCancelled { throw .cancelled(name) }
        _ = try collect(unsafe PQsendQuery(raw, sql), name, true)
    }

    /// What the server says of a statement that is prepared, unnamed, and not run.
    func describe(_ statement: Statement) throws(PostgresError) -> Answer {
        _ = try collect(unsafe PQsendPrepare(raw, "", statement.sql, 0, nil), statement.name, true)
        return try collect(unsafe PQsendDescribePrepared(raw, ""), statement.name, true)
    }

    /// Waits for all results of what was sent; the last one is the answer, the first error wins.
    func collect(_ sent: Int32, _ name: String, _ isCancellable: Bool) throws(PostgresError) -> Answer {
        guard sent == 1 else { throw unsafe failure(nil, name) }
        var answer: Answer?
        var failed: PostgresError?
        while true {
            waitForResult(isCancellable)
            guard let result = unsafe PQgetResult(raw) else { break }
            switch unsafe PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                answer = unsafe Answer(result, statement: name)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // Left in this state on purpose: such a connection is not idle, so a pool closes it.
                unsafe PQclear(result)
                throw PostgresError(
                    code: .unexpectedAnswer,
                    message: "COPY is spoken by copyOut and copyIn only",
                    statement: name
                )
            default:
                failed = unsafe failed ?? failure(result, name)
                unsafe PQclear(result)
            }
        }
        if let failed { throw isLost ? failed.lost : failed }
        guard let answer else { throw unsafe failure(nil, name) }
        return answer
    }

    /// Returns when the next result, or the end of the connection, can be taken without waiting.
    func waitForResult(_ isCancellable: Bool) {
        var askAgain: ContinuousClock.Instant?
        while unsafe PQisBusy(raw) == 1 {
            if isCancellable, Task.isCancelled, askAgain.map({ ContinuousClock.now > $0 }) ?? true {
                requestCancellation()
                askAgain = ContinuousClock.now + Self.patience
            }
            let isReadable = Socket.wait(socket, until: .readable, milliseconds: Self.cancellationCheck)
            if isReadable, unsafe PQconsumeInput(raw) == 0 { return }
        }
    }

    /// Asks the server, by a connection of its own, to stop the running statement; whether it did, the result says.
    private func requestCancellation() {
        guard let cancellation = unsafe PQgetCancel(raw) else { return }
        var text = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(cancellation, &text, Int32(text.count))
        unsafe PQfreeCancel(cancellation)
    }

    /// The error in a result; without a result, what the connection says.
    func failure(_ result: OpaquePointer?, _ name: String) -> PostgresError {
        guard let result = unsafe result, let state = unsafe field(result, "C") else {
            let said = unsafe String(cString: PQerrorMessage(raw)).split(whereSeparator: \.isNewline).first
            return PostgresError(
                code: isLost ? .connectionLost : .unexpectedAnswer,
                message: said.map(String.init) ?? "no answer",
                statement: name
            )
        }
        // The primary message alone: DETAIL and CONTEXT repeat bound values.
        let message = unsafe field(result, "M") ?? ""
        return PostgresError(
            code: .server(sqlState: state),
            message: PostgresError.withoutValues(message, sqlState: state),
            statement: name,
            constraint: unsafe field(result, "n")
        )
    }

    /// One field of an error; codes as in the libpq documentation of `PQresultErrorField`.
    private func field(_ result: OpaquePointer, _ code: Unicode.Scalar) -> String? {
        guard let text = unsafe PQresultErrorField(result, Int32(code.value)) else { return nil }
        return unsafe String(cString: text)
    }
}
