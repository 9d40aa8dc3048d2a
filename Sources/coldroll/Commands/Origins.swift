import PrivatePostgres

/// Where the settings of a command came from, and what they make of it: told before anything is made, so that a forgotten
/// `--env-file` is seen.
struct Origins: Sendable, Equatable {
    let settings: Settings
    /// The file that `--env-file` named.
    let file: String?
    /// Whether there is a private PostgreSQL already.
    let hasLedger: Bool

    init(_ settings: Settings, file: String?, hasLedger: Bool) {
        self.settings = settings
        self.file = file
        self.hasLedger = hasLedger
    }

    init(_ session: Session, _ arguments: Arguments) {
        self.init(
            session.settings,
            file: arguments.value(Command.environmentFile.name),
            hasLedger: PrivatePostgres.exists(home: session.settings.home)
        )
    }

    var sentences: String {
        "\(origin) The ledger is \(ledger). Photos go to \(harmless(settings.archive))."
    }

    private var origin: String {
        if let file { return "Settings are those of \(harmless(file)), and of the environment, which wins." }
        let names = settings.environment.keys.filter { $0.hasPrefix("COLDROLL_") }.sorted().map(harmless)
        let rest = names.isEmpty ? "sets nothing of coldroll's" : "sets \(names.joined(separator: ", "))"
        return "No settings file was read (--env-file FILE names one); the environment \(rest)."
    }

    private var ledger: String {
        guard let database = settings.database.map(Conninfo.init) else {
            return "a private PostgreSQL in \(harmless(settings.home))" + (hasLedger ? "" : ", which is not there yet")
        }
        // A key's password is no better than the user's.
        let place = database.withoutPassword.contains("sslpassword=") ? "" : " (\(harmless(database.withoutPassword)))"
        return "in the database of COLDROLL_DATABASE_URL\(place)"
    }
}
