import GoogleAuth
import JobQueue

/// Everything that coldroll is told from outside, read once at the start.
struct Settings: Sendable, Equatable {
    static let photosEndpoint = "https://photoslibrary.googleapis.com"
    static let pickerEndpoint = "https://photospicker.googleapis.com"
    /// Requests a project and day (Photos APIs: "API limits and quotas").
    static let apiQuota = 10_000
    static let mediaQuota = 75_000
    static let storageEndpoint = "https://storage.googleapis.com"

    /// libpq conninfo, nil for the private PostgreSQL in `home`; holds a password, so never printed.
    let database: String?
    /// libpq conninfo past a pooler; nil where `database` is direct.
    let listen: String?
    /// Absolute path.
    let home: String
    /// `gs://bucket[/prefix]` or `file:///directory`, without a slash at the end.
    let archive: String
    let state: String
    /// nil if nobody chose one.
    let source: Source?
    let account: String
    /// Path of an `authorized_user` file.
    let photosCredentials: String?
    /// Path of the key that seals logins; it need not be there.
    let keyFile: String
    /// Google Cloud project for new buckets; nil means that of the credentials.
    let project: String?
    let slots: SlotCount
    /// How long the history of failures is kept.
    let keepFailures: Duration
    /// Of a worker's heart, and of everything that follows from it.
    let beat: BeatInterval
    /// Requests a day.
    let apiQuota: Int
    let mediaQuota: Int
    let photosEndpoint: String
    let pickerEndpoint: String
    /// nil means Google's or the credentials file's own.
    let oauthEndpoint: String?
    /// nil means Google's.
    let storageEmulator: String?
    let serve: ServeSettings
    /// Where runs are told of: a secret; nil tells nobody.
    let notify: String?
    /// Path of a PEM file; nil means libcurl's default.
    let certificateAuthorities: String?
    /// The environment with the file's lines beneath it: Google's own search for credentials reads it.
    let environment: [String: String]
    /// Names that the file and the environment both set, so that the file's value does not hold.
    let overridden: Set<String>
    /// Those of coldroll's own that the environment alone sets.
    let added: Set<String>

    /// Where the owner is asked; beside the token endpoint where that one is replaced.
    var consentPage: String {
        guard var base = oauthEndpoint else { return Consent.page }
        if base.hasSuffix("/token") { base.removeLast("/token".count) }
        return base + "/o/oauth2/v2/auth"
    }

    /// Names of the settings that lead elsewhere than to Google.
    var endpoints: [String] {
        let all = [
            "COLDROLL_PHOTOS_ENDPOINT", "COLDROLL_PICKER_ENDPOINT", "COLDROLL_OAUTH_ENDPOINT", "STORAGE_EMULATOR_HOST",
        ]
        return all.filter { environment[$0] != nil }
    }

    var usesBuckets: Bool { [archive, state].contains { $0.hasPrefix("gs://") } }

    /// - Parameters:
    ///   - environment: variables by name, normally the process's own.
    ///   - file: lines of the file that `--env-file` named; the environment wins over them.
    ///   - slots: value of `--slots`, already checked; it wins over both.
    ///   - source: value of `--source`, already checked; as `slots`.
    ///   - listen: value of `--listen`, already checked; as `slots`.
    ///   - schedule: value of `--schedule`, already checked; as `slots`.
    ///   - need: whether the stores are used, so that their credentials must be there.
    ///   - isRoot: decides the default home.
    ///   - isReadable: whether a file can be read; a parameter for tests.
    /// - Throws: `SettingsError` that lists every fault.
    init(
        environment: [String: String],
        file: [String: String] = [:],
        slots: String? = nil,
        source: String? = nil,
        listen: String? = nil,
        schedule: String? = nil,
        need: Command.Need = .ledger,
        isRoot: Bool,
        isReadable: @escaping (String) -> Bool = isReadableFile
    ) throws(SettingsError) {
        // An empty variable counts as unset: docker compose passes those that it does not know as empty ones.
        let file = file.filter { !$0.value.isEmpty }
        let environment = environment.filter { !$0.value.isEmpty }
        let merged = file.merging(environment) { $1 }
        var reader = SettingsReader(values: merged, isReadable: isReadable)
        reader.lookForMisspelledNames(in: file)
        self.environment = merged
        overridden = Set(file.keys).intersection(environment.keys)
        added = Set(environment.keys.filter { $0.hasPrefix("COLDROLL_") }).subtracting(file.keys)
        database = reader.conninfo("COLDROLL_DATABASE_URL")
        self.listen = reader.conninfo("COLDROLL_LISTEN_URL")
        let home = reader.home(isRoot: isRoot)
        self.home = home
        archive = reader.store("COLDROLL_ARCHIVE", fallback: "file://\(home)/archive")
        state = reader.store("COLDROLL_STATE", fallback: "file://\(home)/state")
        reader.compareStores(archive: archive, state: state)
        self.source = source.flatMap { Source($0) } ?? reader.source()
        account = reader.account()
        photosCredentials = reader.file("COLDROLL_PHOTOS_CREDENTIALS")
        keyFile = reader.keyFile("COLDROLL_KEY_FILE", home: home)
        project = reader.project()
        self.slots = slots.flatMap { SlotCount($0) } ?? reader.slots()
        keepFailures = reader.keepFailures() ?? JobQueue.Timing().errorAge
        beat = reader.beat()
        apiQuota = reader.quota("COLDROLL_API_QUOTA") ?? Self.apiQuota
        mediaQuota = reader.quota("COLDROLL_MEDIA_QUOTA") ?? Self.mediaQuota
        photosEndpoint = reader.url("COLDROLL_PHOTOS_ENDPOINT") ?? Self.photosEndpoint
        pickerEndpoint = reader.url("COLDROLL_PICKER_ENDPOINT") ?? Self.pickerEndpoint
        oauthEndpoint = reader.url("COLDROLL_OAUTH_ENDPOINT")
        storageEmulator = reader.emulator()
        serve = reader.serve(listen: listen, schedule: schedule)
        notify = reader.notify()
        certificateAuthorities = reader.certificates("SSL_CERT_FILE")
        if need == .everything, usesBuckets { _ = reader.file("GOOGLE_APPLICATION_CREDENTIALS") }
        guard reader.faults.isEmpty else { throw SettingsError(faults: reader.faults) }
    }
}
