package import CloudStorage
package import GooglePhotos
package import HTTPClient
package import JobQueue
package import Logging

/// Everything that scan, work and run need, made once by the command line.
package struct ArchiveContext: Sendable {
    package let ledger: Ledger
    package let queue: JobQueue
    package let archive: any ObjectStore
    package let state: any ObjectStore
    package let photos: PhotosClient
    package let http: HTTPClient
    package let budget: ByteBudget
    package let logger: Logger
    /// Label of the Google account (`COLDROLL_ACCOUNT`).
    package let account: String
    /// OAuth client of the credentials; the source remembers it.
    package let clientID: String?
    /// The login that the fleet shares; nil where a credentials file is used.
    package let login: FleetLogin?
    /// This host's name and this program's version, for the worker's row.
    package let host: String
    package let version: String
    /// Direct database URI for the doorbell; nil: polling alone.
    package let listenConninfo: String?
    /// Google's daily quotas, of which every request of `photos` draws; give back what is left at the end.
    package let requests: RequestBudget
    /// Which project or archive each service means here.
    package let places: [Service: String]
    /// Outages, shared with all processes.
    let breaker: Breaker
    /// Base URLs that a scan in this process saw, for its workers.
    let baseURLs: BaseURLCache

    package init(
        ledger: Ledger,
        queue: JobQueue,
        archive: any ObjectStore,
        state: any ObjectStore,
        photos: PhotosClient,
        http: HTTPClient,
        budget: ByteBudget,
        logger: Logger,
        account: String,
        clientID: String?,
        login: FleetLogin? = nil,
        host: String,
        version: String,
        listenConninfo: String?,
        limits: RequestBudget.Limits = RequestBudget.Limits()
    ) {
        let project = JobQueue.project(ofClient: clientID)
        let requests = RequestBudget(queue: queue, project: project, limits: limits, logger: logger)
        let photos = photos.admitting { kind throws(PhotosError) in try await requests.admit(kind) }
        let baseURLs = BaseURLCache()
        let neutral = NeutralRequest(
            photos: photos,
            archive: archive,
            ledger: ledger,
            kind: Self.sourceKind,
            account: account,
            baseURLs: baseURLs
        )
        self.baseURLs = baseURLs
        self.ledger = ledger
        self.queue = queue
        self.archive = archive
        self.state = state
        self.photos = photos
        self.http = http
        self.budget = budget
        self.logger = logger
        self.account = account
        self.clientID = clientID
        self.login = login
        self.host = host
        self.version = version
        self.listenConninfo = listenConninfo
        self.requests = requests
        places = [.library: project, .media: project, .storage: archive.url]
        breaker = Breaker(
            queue: queue,
            places: places,
            logger: logger
        ) { await neutral($0) }
    }

    /// The kind of source that this version archives.
    static let sourceKind = "library"
    /// The source's label in object metadata.
    var sourceLabel: String { Identity.sourceLabel(kind: Self.sourceKind, account: account) }

    /// The source's row, made on first use.
    func source() async throws -> Int64 {
        try await ledger.source(kind: Self.sourceKind, account: account, clientID: clientID)
    }
}
