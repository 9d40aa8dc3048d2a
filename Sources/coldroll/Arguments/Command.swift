/// One subcommand: what the usage text says of it, and what it runs.
struct Command: Sendable {
    /// Which settings must be there, beyond those that every command reads.
    enum Need: Sendable, Equatable {
        /// The ledger, the stores and Google's side: everything.
        case everything
        /// The ledger only.
        case ledger
    }

    /// Where its output goes when nobody watches.
    enum Output: Sendable, Equatable {
        /// Progress and sentences; one JSON object a line on standard output where standard error is no terminal.
        case events
        /// An answer on standard output, which other programs may read; errors go to standard error.
        case answer
    }

    /// What the first SIGINT or SIGTERM does.
    enum Interruption: Sendable, Equatable {
        /// The command sees `StopSignal` and ends in its own time, once everything is open; until then it is cancelled.
        case graceful
        /// The command's task is cancelled.
        case immediate
        /// Nothing by itself: a program that the command runs has the terminal, and the command watches `StopSignal`.
        case own
    }

    let name: String
    /// One phrase without a full stop, for the list of commands.
    let purpose: String
    /// Paragraphs for `--help`.
    var details: [String] = []
    var operands: Operands = .none
    /// Whether words behind `--` are passed on.
    var takesRest = false
    var flags: [Flag] = []
    /// Command lines, each with what it does.
    var examples: [(line: String, does: String)] = []
    var need: Need = .ledger
    var output: Output = .answer
    var interruption: Interruption = .immediate
    /// What it does instead of running where the settings cannot be used, with their faults; nil: they are told like any error.
    var badSettings: (@Sendable ([String], Arguments) -> Ending)?
    let run: @Sendable (Session, Arguments) async throws -> Ending

    /// The command's own flags and those that every command has.
    var allFlags: [Flag] { flags + [Self.environmentFile] }

    static let environmentFile = Flag(
        "--env-file",
        .text("FILE"),
        "read settings from FILE (KEY=value lines); the environment wins over it"
    )

    /// In the order in which `coldroll help` lists them.
    static let all: [Command] = [
        .setup, .login, .logout, .doctor, .scan, .work, .run, .serve, .status, .failures, .retry, .skip, .accept,
        .pause, .resume, .forget, .psql, .move, .reclaim,
    ]
}

/// How a command ended.
struct Ending: Sendable, Equatable {
    let status: ExitStatus
    /// The last word to the person who ran it; nil where the output says it all.
    let sentence: String?

    init(_ status: ExitStatus, _ sentence: String? = nil) {
        self.status = status
        self.sentence = sentence
    }

    static let done = Ending(.done)
}
