import HTTPServer
import Synchronization

/// Everything that requests meet, and the way that each takes.
final class Hub: Sendable {
    /// The ports of the two listeners, once they are known.
    struct Ports: Sendable {
        var main: UInt16 = 0
        var videos: UInt16 = 0
    }

    let configuration: SimulatorConfiguration
    let accounts: AccountBook
    let library: PhotoLibrary
    /// What everybody sees but the library's owner, in the client that added its items.
    let nobodysLibrary = PhotoLibrary(stored: [], synthetic: SyntheticLibrary(SynthesisOptions(count: 0), seed: 0))
    /// Whose library it is, and which client has added its items.
    let libraryOwner: Mutex<Holder>
    let entries: LibraryEntries
    let baseURLs: BaseURLs
    let pageTokens: PageTokens
    let downloads: DownloadService
    let storage: StorageService
    let faults: FaultBook
    let board = CounterBoard()
    let quotas: DailyQuotas
    let pickerSessions: PickerSessions
    let pickerQuota: MinuteQuota
    let pickerMediaQuota: MinuteQuota
    let ports = Mutex(Ports())

    init(_ configuration: SimulatorConfiguration, identities: Identities) throws {
        self.configuration = configuration
        quotas = DailyQuotas(api: configuration.apiQuota, media: configuration.mediaQuota)
        pickerSessions = PickerSessions(times: configuration.pickerTimes, limit: configuration.pickerSessionLimit)
        pickerQuota = MinuteQuota(configuration.pickerQuota)
        pickerMediaQuota = MinuteQuota(configuration.pickerMediaQuota)
        accounts = AccountBook(configuration, identities: identities, board: board)
        libraryOwner = Mutex(identities.photos.holder)
        let synthesis = configuration.synthesis ?? SynthesisOptions(count: 0)
        library = PhotoLibrary(
            stored: try configuration.libraries.flatMap { try FolderScan.items(in: $0) },
            synthetic: SyntheticLibrary(synthesis, seed: configuration.seed)
        )
        entries = LibraryEntries(library: library, quirks: configuration.quirks)
        baseURLs = BaseURLs(lifetimeSeconds: configuration.baseURLLifetime)
        downloads = DownloadService(library: library, baseURLs: baseURLs)
        let pageLife = configuration.quirks.contains(.pageTokenExpiry) ? 30.0 : 86400
        pageTokens = PageTokens(lifetimeSeconds: configuration.pageTokenLifetime ?? pageLife)
        faults = FaultBook(seed: configuration.seed)
        faults.replace(configuration.faults)
        let directory: String? =
            switch configuration.storage {
            case .hashes: nil
            case .directory(let path): path
            }
        let store = BucketStore(
            shelf: try Shelf(directory: directory),
            hasMD5: configuration.hasMD5,
            limitsWrites: configuration.limitsWrites
        )
        storage = StorageService(
            store: store,
            desk: accounts.desk,
            sessionLifetimeSeconds: configuration.sessionLifetime
        )
        for name in configuration.buckets {
            try storage.openBucket(name, permissions: configuration.readOnlyBuckets.contains(name) ? .reading : .all)
        }
    }

    var scheme: String { configuration.hasTLS ? "https" : "http" }

    /// Counts from zero.
    func resetCounters() {
        board.reset()
        faults.resetCounts()
    }

    /// Takes a request in from either listener.
    func receive(_ request: ServerRequest, isRedirectHost: Bool) -> Reception {
        let isVideos = isRedirectHost || request.header("host")?.hasPrefix("video-downloads.") ?? false
        if isVideos { return receiveRedirected(Call(request, scheme: scheme)) }
        let isGoogle = configuration.usesGoogleNames
        if request.path.hasPrefix("/control/") {
            return ControlService(hub: self).receive(Call(request, scheme: scheme))
        }
        if let route = AccountRoute(path: request.path) {
            return receiveAccount(route, Call(request, scheme: scheme))
        }
        if request.path.hasPrefix("/picker/") { return receivePickerPage(Call(request, scheme: scheme)) }
        if isForPicker(request) { return receivePicker(Call(request, scheme: scheme)) }
        if request.path.hasPrefix("/v1/") {
            let origin = isGoogle ? "https://lh3.googleusercontent.com" : nil
            return receiveLibrary(Call(request, scheme: scheme, origin: origin))
        }
        if request.path.hasPrefix("/lr/") || request.path.hasPrefix("/ppa/") {
            return receiveBaseURL(Call(request, scheme: scheme))
        }
        let call = Call(request, scheme: scheme, origin: isGoogle ? "https://storage.googleapis.com" : nil)
        if let route = StorageRoute(call) { return receiveStorage(route, call) }
        return meter("other", [], call, latency: 0) { _ in
            .answer { .page(404, "The requested URL was not found on this server") }
        }
    }

    /// Counts a request, asks the rules, and lets the operation start unless a rule takes its place.
    func meter(
        _ operation: String,
        _ subjects: [String],
        _ call: Call,
        latency: Double,
        isUpload: Bool = false,
        _ start: (Strikes) -> Work
    ) -> Reception {
        let strikes = faults.strike(operation: operation, subjects: subjects)
        var inner: (any BodyReceiver)?
        var answering: MeteredReceiver.Finish = { ServerAnswer(500) }
        switch start(strikes) {
        case .answer(let make): answering = make
        case .receive(let receiver): inner = receiver
        }
        return .receive(
            MeteredReceiver(
                operation: operation,
                inner: inner,
                answering: answering,
                strikes: strikes,
                latencySeconds: latency,
                length: call.request.contentLength,
                isUpload: isUpload,
                board: board
            )
        )
    }
}
