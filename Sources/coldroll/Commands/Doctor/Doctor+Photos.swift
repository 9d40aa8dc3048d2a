import Archiver
import GooglePhotos
import JobQueue

extension Doctor {
    /// Whether the login works, what it is for, and whether the library can be listed with it.
    func photos(_ database: Database?) async throws -> [Diagnosis] {
        guard session.settings.source == .library else {
            return [.skipped(.photos, "Not checked: COLDROLL_SOURCE is not library.")]
        }
        let access = try session.openPhotos(http)
        var lines: [Diagnosis] = []
        if let login = await session.grantedLogin(http) { lines += Self.judge(login) }
        let client = budgeted(access, database)
        do {
            _ = try await client.list(pageToken: nil)
            lines.append(.ok(.photos, "Google Photos lets this login list the library."))
        } catch {
            try Task.checkCancellation()
            lines.append(.failed(.photos, error))
        }
        return lines
    }

    /// What Google says of the login.
    static func judge(_ login: GrantedLogin) -> [Diagnosis] {
        var lines: [Diagnosis] = []
        if login.scopes.contains(GrantedLogin.libraryScope) {
            lines.append(
                .ok(.photos, "The login can be refreshed, and has the scope photoslibrary.readonly.appcreateddata.")
            )
        } else {
            let names = login.scopes.sorted().map { $0.split(separator: "/").last.map(String.init) ?? $0 }
            lines.append(
                .failed(
                    .photos,
                    "The login lacks the scope photoslibrary.readonly.appcreateddata; it has "
                        + "\(names.isEmpty ? "none" : names.joined(separator: ", ")).",
                    fix: "Log in again, and tick every box.",
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
