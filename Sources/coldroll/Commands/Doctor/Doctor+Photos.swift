import Archiver
import GoogleAuth
import GooglePhotos
import JobQueue

extension Doctor {
    /// Whether the login works, what it is for, whether the ledger takes it, and whether the source can be read with it.
    func photos(_ database: Database?) async throws -> [Diagnosis] {
        guard let source = session.settings.source, source == .library || source == .picker else {
            return [.skipped(.photos, "Not checked: COLDROLL_SOURCE is neither library nor picker.")]
        }
        let access = try await session.openPhotosAlone(source, http)
        var lines: [Diagnosis] = []
        if let login = await access.granted() { lines += Self.judge(login, for: LoginScope(of: source)) }
        do {
            if let database { try await refuse(access, source, database.ledger) }
            lines.append(try await answer(source, access, database))
        } catch {
            try Task.checkCancellation()
            lines.append(failure(.photos, error))
        }
        return lines
    }

    /// What a run would refuse: another client's login, another person's, and one of which the fleet knows that Google refuses it.
    private func refuse(_ access: PhotosAccess, _ source: Source, _ ledger: Ledger) async throws {
        let account = session.settings.account
        if let client = access.clientID {
            try await ledger.refuseForeign(client: client, kind: source.kind, account: account)
        }
        let known = try await ledger.sources().first { $0.kind == source.kind && $0.account == account }
        guard let known, let kept = access.keptFor else { return }
        if let shared = try await ledger.login(source: known.id), shared.id == kept.id, let refusal = shared.refusal {
            throw AuthError(code: .loginRequired, message: refusal)
        }
        try await ledger.refuseForeign(subject: kept.subject, email: kept.email, source: known.id)
    }

    /// What Google says to the login.
    private func answer(_ source: Source, _ access: PhotosAccess, _ database: Database?) async throws -> Diagnosis {
        if source == .picker {
            // A picking session would be begun, and nothing is changed here: a token says whether the login lives.
            _ = try await access.tokens.headers()
            return .ok(.photos, "Google takes the login. Whether it may open the Picker, 'coldroll setup' tries.")
        }
        if let database, try await !draw(access, database) {
            _ = try await access.tokens.headers()
            return .warning(
                .photos,
                "Google takes the login. Whether it may list the library was not asked: today's requests are used up.",
                fix: "Wait; workers go on by themselves."
            )
        }
        do throws(PhotosError) {
            _ = try await access.client.list(pageToken: nil)
        } catch {
            // A run waits for these.
            guard ExitStatus(of: error) == .unfinished else { throw error }
            return .warning(.photos, error.message, fix: "Wait; workers go on by themselves.")
        }
        return .ok(.photos, "Google Photos lets this login list the library.")
    }

    /// What Google says of the login.
    static func judge(_ login: GrantedLogin, for needed: LoginScope) -> [Diagnosis] {
        var lines: [Diagnosis] = []
        if login.scopes.contains(needed.scope) {
            lines.append(.ok(.photos, "The login has the scope \(needed.name)."))
        } else {
            let names = login.scopes.sorted().map(LoginScope.name(of:))
            lines.append(
                .failed(
                    .photos,
                    "The login lacks the scope \(needed.name); it has "
                        + "\(names.isEmpty ? "none" : names.joined(separator: ", ")).",
                    fix: "Run 'coldroll login' again, and tick every box.",
                    .credentials
                )
            )
        }
        guard let life = login.life else { return lines }
        let seconds = Double(life.components.seconds)
        lines.append(
            .warning(
                .photos,
                seconds > 0
                    ? "The login dies in \(Quantity.duration(seconds)), as every login of an app in testing."
                    : "The login was to die \(Quantity.duration(-seconds)) ago, as every login of an app in testing.",
                fix: "Publish the app in the Google Cloud console (Google Auth Platform, Audience), then log in again."
            )
        )
        return lines
    }

    /// Draws the one request from the day's quota; false where none is left.
    private func draw(_ access: PhotosAccess, _ database: Database) async throws -> Bool {
        let project = JobQueue.project(ofClient: access.clientID)
        return try await database.queue.draw(project: project, .api, limit: session.limits.api, batch: 1).requests > 0
    }
}
