/// What PostgreSQL, or the way to it, refused.
package struct PostgresError: Error, Sendable, Equatable {
    /// The part that decides what a caller does next.
    package enum Code: Sendable, Equatable {
        /// The connection is gone or was never made: connect again.
        case connectionLost
        /// The server answered with this SQLSTATE, five characters; also while connecting (wrong password, no such
        /// database, starting up). `57014` without a server's answer: the calling task was cancelled.
        case server(sqlState: String)
        /// A value in the answer does not have the expected type or is null: a bug or a foreign schema.
        case unexpectedAnswer
    }

    package let code: Code
    /// The server's own words, without bound values and without passwords.
    package let message: String
    /// Name of the statement that failed; nil while connecting or waiting for a connection.
    package let statement: String?
    /// Name of the violated constraint, for 23xxx.
    package let constraint: String?

    package init(code: Code, message: String, statement: String?, constraint: String? = nil) {
        self.code = code
        self.message = message
        self.statement = statement
        self.constraint = constraint
    }
}

extension PostgresError {
    /// True where the same statement may succeed later: lost connection, 25006 (the server is a standby, or about to
    /// become one), 40001, 40P01, 53xxx, 55P03, 57014, 57P0x, 08xxx.
    ///
    /// Classes are those of appendix A of the PostgreSQL documentation, "PostgreSQL Error Codes".
    package var isTransient: Bool {
        switch code {
        case .connectionLost: true
        case .server(let state):
            ["25006", "40001", "40P01", "55P03", "57014"].contains(state)
                || ["08", "53", "57P0"].contains { state.hasPrefix($0) }
        case .unexpectedAnswer: false
        }
    }

    /// True for 57014, where the statement was stopped before its end.
    ///
    /// The calling task was cancelled, or the server (`statement_timeout`, an administrator) stopped it: ask
    /// `Task.isCancelled` to tell them apart.
    package var isCancellation: Bool {
        code == .server(sqlState: "57014")
    }

    /// The same words on a connection that is gone: whether the statement took effect is unknown.
    var lost: PostgresError {
        PostgresError(code: .connectionLost, message: message, statement: statement)
    }

    /// The server's primary message without the value that a data exception (class 22) quotes, such as
    /// `invalid input syntax for type bigint: "…"` or `value "…" is out of range for type integer`.
    static func withoutValues(_ message: String, sqlState: String) -> String {
        guard sqlState.hasPrefix("22") else { return message }
        let head = message.firstRange(of: ": ").map { message[..<$0.lowerBound] } ?? message[...]
        return String(head.replacing(/"[^"]*"/, with: "(a value)"))
    }

    /// What a cancelled task gets.
    static func cancelled(_ statement: String?) -> PostgresError {
        PostgresError(
            code: .server(sqlState: "57014"),
            message: "the task that asked for it was cancelled",
            statement: statement
        )
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        let place = statement.map { " in \($0)" } ?? ""
        return switch code {
        case .connectionLost: "PostgreSQL connection lost\(place): \(message)"
        case .server(let sqlState): "PostgreSQL error \(sqlState)\(place): \(message)"
        case .unexpectedAnswer: "unexpected answer from PostgreSQL\(place): \(message)"
        }
    }
}
