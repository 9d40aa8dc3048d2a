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
    /// What fetches the bytes, whichever way the items come.
    package let photos: PhotosClient
    /// Where the items come from.
    let items: any ItemSource
    /// The person who picks; nil where nobody has to.
    package let picker: PickerDesk?
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
    /// Google's daily quotas, of which every request of a library's `photos` draws; give back what is left at the end.
    package let requests: RequestBudget
    /// Which project or archive each service means here.
    package let places: [Service: String]
    /// Outages, shared with all processes.
    let breaker: Breaker
    /// Base URLs that a scan in this process saw, for its workers.
    let baseURLs: BaseURLCache

    /// With a `picker`, whose key in the ledger and whose person it names, `photos` has the Picker API's endpoint.
    ///
    /// Without one the source is the library.
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
        limits: RequestBudget.Limits = RequestBudget.Limits(),
        picker: (source: Int64, desk: PickerDesk)? = nil
    ) {
        let project = JobQueue.project(ofClient: clientID)
        let requests = RequestBudget(queue: queue, project: project, limits: limits, logger: logger)
        let baseURLs = BaseURLCache()
        let items: any ItemSource
        // The Picker has quotas of its own, by the minute: nothing is drawn from the library's day.
        let client: PhotosClient
        if let picker {
            client = photos
            items = PickerSource(
                client: PickerClient(photos),
                ledger: ledger,
                source: picker.source,
                desk: picker.desk,
                cache: baseURLs,
                logger: logger
            )
        } else {
            client = photos.admitting { kind throws(PhotosError) in try await requests.admit(kind) }
            items = LibrarySource(photos: client)
        }
        let neutral = NeutralRequest(
            photos: client,
            items: items,
            archive: archive,
            ledger: ledger,
            account: account,
            baseURLs: baseURLs
        )
        self.baseURLs = baseURLs
        self.ledger = ledger
        self.queue = queue
        self.archive = archive
        self.state = state
        self.photos = client
        self.items = items
        self.picker = picker?.desk
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
        // The two APIs are away each by itself.
        let api = picker == nil ? project : OpenBreaker.pickerPlace(project: project)
        places = [.library: api, .media: project, .storage: archive.url]
        breaker = Breaker(
            queue: queue,
            places: places,
            logger: logger
        ) { await neutral($0) }
    }

    /// The source's label in object metadata.
    var sourceLabel: String { Identity.sourceLabel(kind: items.kind, account: account) }

    /// The source's row, made on first use.
    func source() async throws -> Int64 {
        try await ledger.source(kind: items.kind, account: account, clientID: clientID)
    }
}
