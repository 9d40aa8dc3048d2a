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
        let added = settings.added.isEmpty ? "nothing of coldroll's" : list(settings.added)
        guard let file else {
            return "No settings file was read (--env-file FILE names one); the environment sets \(added)."
        }
        let head = "Settings are those of \(harmless(file))"
        let besides = settings.added.isEmpty ? "" : " Beside them it sets \(added)."
        guard !settings.overridden.isEmpty else {
            return settings.added.isEmpty
                ? head + "; the environment sets \(added)." : head + ", and of the environment, which sets \(added)."
        }
        return head
            + ", but for \(list(settings.overridden)): the environment sets \(settings.overridden.count == 1 ? "it" : "them") too, and wins."
            + besides
    }

    private func list(_ names: Set<String>) -> String { names.sorted().map(harmless).joined(separator: ", ") }

    private var ledger: String {
        guard let database = settings.database.map(Conninfo.init) else {
            return "a private PostgreSQL in \(harmless(settings.home))" + (hasLedger ? "" : ", which is not there yet")
        }
        // A key's password is no better than the user's.
        let place = database.withoutPassword.contains("sslpassword=") ? "" : " (\(harmless(database.withoutPassword)))"
        return "in the database of COLDROLL_DATABASE_URL\(place)"
    }
}
