import CloudStorage
import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Postgres

/// Everything that scan, work and run use, opened and bound together.
struct Archive: Sendable {
    let database: Database
    let stores: Stores
    let photos: PhotosAccess
    let http: HTTPClient
    let budget: ByteBudget
    let logger: Logger
    /// The source's id in the ledger.
    let source: Int64
    let account: String
    let host: String
    let version: String
}

extension Session {
    /// Bytes that all bodies in flight may hold together.
    static let byteBudget = 32 << 20

    /// Opens everything and checks that ledger, archive and source belong together; `setup` must have run.
    func openArchive() async throws -> Archive {
        try requireLibrary()
        let http = openHTTP()
        let photos = try openPhotos(http)
        let stores = try openStores(http)
        let database = try await openLedger()
        try await database.ledger.bind(archive: stores.archive.url)
        let source = try await database.ledger.source(
            kind: "library",
            account: settings.account,
            clientID: photos.clientID
        )
        return Archive(
            database: database,
            stores: stores,
            photos: photos,
            http: http,
            budget: ByteBudget(bytes: Self.byteBudget),
            logger: logger,
            source: source,
            account: settings.account,
            host: hostName(),
            version: coldrollVersion
        )
    }
}
