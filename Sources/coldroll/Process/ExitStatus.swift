/// What the process tells the one who started it.
struct ExitStatus: Sendable, Equatable {
    let code: Int32

    init(code: Int32) { self.code = code }

    static let done = ExitStatus(code: 0)
    static let usage = ExitStatus(code: 1)
    static let dead = ExitStatus(code: 2)
    static let credentials = ExitStatus(code: 3)
    static let unreachable = ExitStatus(code: 4)
    static let unfinished = ExitStatus(code: 5)
    static let interrupted = ExitStatus(code: 130)

    /// Every code with its meaning, for the usage text and the documentation.
    static let table: [(status: ExitStatus, meaning: String)] = [
        (.done, "everything found is stored, a duplicate, or acknowledged"),
        (.usage, "the command line, the settings, a bucket or a directory cannot be used, or its disk is not mounted"),
        (
            .dead,
            "parts are dead and not acknowledged, the sums do not add up, Google's listing is not to be believed, or ledger, "
                + "archive and state store do not belong together"
        ),
        (
            .credentials,
            "credentials are missing, expired, revoked, or not allowed to do it, as a user who may not write into a directory"
        ),
        (
            .unreachable,
            "the database or the network gave up, a certificate is not trusted, a disk is full or failed, or the private PostgreSQL "
                + "cannot be had in COLDROLL_HOME"
        ),
        (
            .unfinished,
            "not finished: the message says how many parts wait, for what, until when, or that the listing may go on"
        ),
        (.interrupted, "interrupted by SIGINT or SIGTERM"),
    ]
}
