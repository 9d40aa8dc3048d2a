import Archiver
import CloudStorage
import GooglePhotos
import HTTPClient
import JobQueue

/// What Google says to the login.
extension Setup {
    /// Asks Google for the smallest thing that shows whether the login will do.
    ///
    /// - Parameters:
    ///   - http: sends the requests.
    ///   - stores: where the login is kept.
    ///   - database: nil where it cannot be used.
    ///   - hasState: whether this setup made or found the state store; if not, it may be missing.
    /// - Returns: false where nobody has logged in yet.
    /// - Throws: why the login will not do.
    func checkPhotos(_ http: HTTPClient, _ stores: Stores?, _ database: Database?, hasState: Bool) async throws -> Bool
    {
        switch session.settings.source {
        case .library, .picker:
            if session.settings.photosCredentials == nil, let stores {
                do {
                    if try await session.keptLogin(stores) == nil { return false }
                } catch let error as StorageError where error.code == .noBucket && !hasState {
                    // Why it was not made is told already.
                    session.reporter.say(
                        "The login was not checked: it is kept in the state store \(stores.state.url), which 'coldroll setup' makes "
                            + "once what failed above is corrected."
                    )
                    return false
                }
            }
            let source = try session.requireSource()
            let photos = try await session.openPhotos(source, http, stores, database)
            if source == .picker {
                try await checkPicker(PickerClient(photos.client))
            } else {
                try await checkLibrary(photos, database)
            }
        case nil:
            session.reporter.say("COLDROLL_SOURCE is not set, so no credentials for Google Photos were checked.")
        case let other?:
            session.reporter.warn("COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet.")
        }
        return true
    }

    /// Begins a picking session and ends it.
    private func checkPicker(_ picker: PickerClient) async throws {
        try await picker.deleteSession(try await picker.createSession().id)
        session.reporter.say("Google Photos lets these credentials open the Picker.")
    }

    /// Asks for one page, which counts in the day's quota like any other.
    private func checkLibrary(_ photos: PhotosAccess, _ database: Database?) async throws {
        if let database {
            let requests = RequestBudget(
                queue: database.queue,
                project: JobQueue.project(ofClient: photos.clientID),
                limits: session.limits,
                logger: session.logger
            )
            let client = photos.client.admitting { kind throws(PhotosError) in try await requests.admit(kind) }
            defer { session.resources.add { await requests.giveBack() } }
            _ = try await client.list(pageToken: nil)
        } else {
            _ = try await photos.client.list(pageToken: nil)
        }
        session.reporter.say("Google Photos lets these credentials list the library.")
    }
}
