import Archiver
import GoogleAuth
import GooglePhotos
import JobQueue

extension Doctor {
    /// Whether the login works, what it is for, and whether the source can be read with it.
    func photos(_ database: Database?) async throws -> [Diagnosis] {
        guard let source = session.settings.source, source == .library || source == .picker else {
            return [.skipped(.photos, "Not checked: COLDROLL_SOURCE is neither library nor picker.")]
        }
        let access = try await session.openPhotosAlone(source, http)
        var lines: [Diagnosis] = []
        if let login = await access.granted() { lines += Self.judge(login, for: LoginScope(of: source)) }
        do {
            if source == .picker {
                // A picking session would be begun, and nothing is changed here: a token says whether the login lives.
                _ = try await access.tokens.headers()
                lines.append(
                    .ok(.photos, "Google takes the login. Whether it may open the Picker, 'coldroll setup' tries.")
                )
            } else {
                _ = try await budgeted(access, database).list(pageToken: nil)
                lines.append(.ok(.photos, "Google Photos lets this login list the library."))
            }
        } catch {
            try Task.checkCancellation()
            lines.append(.failed(.photos, error))
        }
        return lines
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
        lines.append(
            .warning(
                .photos,
                "The login dies in \(Quantity.duration(Double(life.components.seconds))), as every login of an app in testing.",
                fix: "Publish the app in the Google Cloud console (Google Auth Platform, Audience), then log in again."
            )
        )
        return lines
    }

    /// The library's client, drawing its one request from the day's quota where the database can be asked.
    private func budgeted(_ access: PhotosAccess, _ database: Database?) -> PhotosClient {
        guard let database else { return access.client }
        let requests = RequestBudget(
            queue: database.queue,
            project: JobQueue.project(ofClient: access.clientID),
            limits: session.limits,
            logger: session.logger
        )
        session.resources.add { await requests.giveBack() }
        return access.client.admitting { kind throws(PhotosError) in try await requests.admit(kind) }
    }
}
