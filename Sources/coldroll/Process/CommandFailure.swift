import Postgres

/// The command line cannot be used; each fault is a sentence.
struct CommandFault: Error, Sendable, Equatable, CustomStringConvertible {
    let faults: [String]
    init(_ faults: [String]) { self.faults = faults }
    init(_ fault: String) { self.faults = [fault] }
    var description: String { faults.joined(separator: "\n") }
}

/// A command could not do what it was asked, for a reason that no module's error tells.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    let status: ExitStatus
    let message: String
    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
    var description: String { message }
}

/// The person said no to what a command cannot go on without, or nobody was there to be asked: it ends there.
struct NotAgreed: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What a person is told of an error that ended a command: a sentence, never the shape of a Swift type.
func sentence(of error: any Error) -> String {
    switch error {
    case is CancellationError: "interrupted"
    // The functions of the ledger speak to a person; the SQLSTATE around it would not.
    case let error as PostgresError where error.isRefusal: error.message
    case let error as PostgresError where error.statement == nil: connecting(error)
    case let error as any Error & CustomStringConvertible: error.description
    default: "an unexpected fault (\(type(of: error))) stopped the command; please report it"
    }
}

/// Why there is no connection to the database, with the setting that says where it is.
private func connecting(_ error: PostgresError) -> String {
    switch error.code {
    case .connectionLost:
        "The database cannot be reached: \(ended(error.message)) COLDROLL_DATABASE_URL says where it is."
    case .server("3D000"):
        "The database does not exist: \(error.message). Create it, or correct COLDROLL_DATABASE_URL."
    // Class 28: the role or its password.
    case .server(let state) where state.hasPrefix("28"):
        "The database refuses the login: \(error.message). Correct the user or the password of COLDROLL_DATABASE_URL."
    default: error.description
    }
}

/// A sentence with its full stop: libpq's own have one only where they ask something.
private func ended(_ sentence: String) -> String {
    sentence.last.map { ".?!".contains($0) } ?? true ? sentence : sentence + "."
}
