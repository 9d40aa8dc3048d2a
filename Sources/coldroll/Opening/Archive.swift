import Archiver
import CloudStorage
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Postgres

/// Everything that scan, work and run use, opened and bound together.
struct Archive: Sendable {
    let database: Database
    /// What the archiver takes.
    let context: ArchiveContext
    /// The source's id in the ledger.
    let source: Int64
    /// Whether a person picks what it holds.
    var isPicker: Bool { context.picker != nil }
}

extension Session {
    /// Bytes that all bodies in flight may hold together.
    static let byteBudget = 19 << 20

    /// Google's daily quotas, as the owner set them.
    var limits: RequestBudget.Limits {
        var limits = RequestBudget.Limits()
        limits.api = settings.apiQuota
        limits.media = settings.mediaQuota
        return limits
    }

    /// Opens everything and checks that ledger, archive and source belong together; `setup` must have run.
    ///
    /// A database that is given is somebody else's to close; without one it opens its own.
    func openArchive(on opened: Database? = nil) async throws -> Archive {
        let kind = try requireSource()
        warnOfExposedSecrets()
        let http = openHTTP()
        let stores = try openStores(http)
        let database: Database
        if let opened {
            database = opened
            try await database.ledger.checkSchema()
        } else {
            database = try await openLedger()
        }
        // Before the login is looked for, which may be on the same disk.
        try await refuseUnmounted(stores.archive, database.ledger)
        try await refuseUnsafe(stores.archiveBucket, http)
        let photos: PhotosAccess
        do {
            photos = try await openPhotos(kind, http, stores, database)
        } catch let failure as CommandFailure {
            // The login is in the state store: another one than before has none, and a second login would hide that.
            do {
                _ = try await lookAtOwnership(of: database.ledger, archive: stores.archive, state: stores.state)
            } catch let error as ArchiverError where error.code == .foreignLedger {
                throw error
            } catch let error as LedgerError where error.code == .foreignArchive {
                throw error
            } catch {}
            throw failure
        }
        let source = try await database.ledger.source(
            kind: kind.kind,
            account: settings.account,
            clientID: photos.clientID
        )
        if photos.login == nil { try await goOnByFile(photos, database.ledger, source) }
        let context = ArchiveContext(
            ledger: database.ledger,
            queue: database.queue,
            archive: stores.archive,
            state: stores.state,
            photos: photos.client,
            http: http,
            budget: ByteBudget(bytes: Self.byteBudget),
            logger: logger,
            account: settings.account,
            clientID: photos.clientID,
            login: photos.login,
            host: hostName(),
            version: coldrollVersion,
            listenConninfo: database.listenConninfo,
            limits: limits,
            picker: kind == .picker
                ? (source, Picking(reporter: reporter, environment: settings.environment).desk) : nil
        )
        resources.add { [requests = context.requests] in await requests.giveBack() }
        interruption.becomeGraceful()
        return Archive(database: database, context: context, source: source)
    }

    /// A login that Google refused has paused the source: a credentials file that works lets it go on.
    ///
    /// - Throws: `AuthError` where Google refuses the file too.
    private func goOnByFile(_ photos: PhotosAccess, _ ledger: Ledger, _ source: Int64) async throws {
        guard try await ledger.isPausedByLogin(source: source) else { return }
        _ = try await photos.tokens.headers()
        try await ledger.resumeWithoutLogin(source: source)
        reporter.say(
            "The source was paused because its login is refused, or was ended; it goes on with COLDROLL_PHOTOS_CREDENTIALS."
        )
    }
}
