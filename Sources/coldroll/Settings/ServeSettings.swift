/// What `serve` is told from outside.
struct ServeSettings: Sendable, Equatable {
    /// Who may call, by Google's identity tokens.
    struct Caller: Sendable, Equatable {
        let audience: String
        /// E-mail address of a service account.
        let account: String
    }

    let listen: ListenAddress
    /// nil: it runs when it is called only.
    let schedule: Schedule?
    let caller: Caller?
    /// Path of a file with the secret that callers may show instead.
    let secretFile: String?
}

extension SettingsReader {
    /// - Parameters:
    ///   - listen: value of `--listen`, already checked; it wins over the environment.
    ///   - schedule: the same of `--schedule`.
    /// - Returns: settings, with stand-ins for those that are faults.
    mutating func serve(listen: String?, schedule: String?) -> ServeSettings {
        ServeSettings(
            listen: listen.flatMap { ListenAddress($0) } ?? listenAddress(),
            schedule: self.schedule(schedule),
            caller: caller(),
            secretFile: secretFile()
        )
    }

    private mutating func listenAddress() -> ListenAddress {
        if let text = values["COLDROLL_LISTEN_ADDRESS"] {
            if let address = ListenAddress(text) { return address }
            add("COLDROLL_LISTEN_ADDRESS \(ListenAddress.complaint(about: text))")
        }
        // What Cloud Run tells its services (container runtime contract). PORT alone may be anybody's.
        guard values["K_SERVICE"] != nil else { return .standard }
        return values["PORT"].flatMap { ListenAddress(cloudRunPort: $0) } ?? .standard
    }

    private mutating func schedule(_ flag: String?) -> Schedule? {
        guard let text = flag ?? values["COLDROLL_SCHEDULE"] else { return nil }
        guard let clock = WallClock(values["TZ"]) else {
            add(WallClock.complaint)
            return nil
        }
        do throws(Cron.Fault) { return try Schedule(text, clock) } catch {
            add("COLDROLL_SCHEDULE \(error.words)")
            return nil
        }
    }

    private mutating func caller() -> ServeSettings.Caller? {
        let (audience, account) = (values["COLDROLL_SERVE_AUDIENCE"], values["COLDROLL_SERVE_ACCOUNT"])
        if let account, !account.contains("@") || account.contains(where: \.isWhitespace) {
            add("COLDROLL_SERVE_ACCOUNT is '\(harmless(account))'; expected the e-mail address of a service account")
        }
        switch (audience, account) {
        case (let audience?, let account?): return ServeSettings.Caller(audience: audience, account: account)
        case (nil, nil): return nil
        case (nil, _):
            add("COLDROLL_SERVE_ACCOUNT is set without COLDROLL_SERVE_AUDIENCE: tokens are checked by both")
            return nil
        case (_, nil):
            add("COLDROLL_SERVE_AUDIENCE is set without COLDROLL_SERVE_ACCOUNT: tokens are checked by both")
            return nil
        }
    }

    private mutating func secretFile() -> String? {
        absolutePath("COLDROLL_SERVE_SECRET_FILE")
        return values["COLDROLL_SERVE_SECRET_FILE"]
    }

    /// An address that is told of runs: a secret, which is never in a fault.
    mutating func notify() -> String? {
        guard let text = values["COLDROLL_NOTIFY_URL"] else { return nil }
        if !isNotifyURL(text) {
            add("COLDROLL_NOTIFY_URL is no https:// URL; http:// is taken for this machine only (http://127.0.0.1:…)")
        }
        return text
    }
}
