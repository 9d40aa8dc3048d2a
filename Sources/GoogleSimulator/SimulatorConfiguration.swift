/// How a simulated Google is set up.
package struct SimulatorConfiguration: Sendable {
    /// What becomes of the bytes of stored objects.
    package enum Storage: Sendable, Equatable {
        /// Only their checksums and sizes are kept; nothing can be read back.
        case hashes
        /// They stand in this folder, with an index that a later start takes up.
        case directory(String)
    }

    /// Where it listens; the address is IPv4.
    package var address = "127.0.0.1"
    /// 0 lets the kernel choose.
    package var port: UInt16 = 0
    /// Whether it speaks TLS, with a certificate authority of its own.
    package var hasTLS = false
    /// Keys, certificates and credentials stand here; nil makes a temporary folder that `stop` removes.
    package var stateDirectory: String?
    /// Folders of real photos and videos that are the library.
    package var libraries: [String] = []
    /// Made-up items beside those.
    package var synthesis: SynthesisOptions?
    package var storage: Storage = .hashes
    /// Buckets that exist from the start.
    package var buckets: [String] = ["archive"]
    /// Buckets of these in which the accounts may look, but neither write nor delete.
    package var readOnlyBuckets: Set<String> = []
    package var quirks: Set<Quirk> = []
    /// Seconds that an access token lives; Google: 3600.
    package var tokenLifetime: Double = 3600
    /// Whether its clients belong to an app in Testing: a warning, listed people only, and logins that end.
    package var isTestingApp = false
    /// Seconds that a login lives (its refresh token); nil is a week for an app in Testing, and for ever otherwise.
    package var refreshLifetime: Double?
    /// Seconds that an authorization code lives.
    package var codeLifetime: Double = 600
    /// Where codes of the web client may go.
    package var webRedirectURIs = ["http://localhost:8080/oauth2callback"]
    /// Seconds that a base URL lives; Google: 60 minutes.
    package var baseURLLifetime: Double = 3600
    /// Seconds that a page token lives; nil is a day, or half a minute with the quirk `pageTokenExpiry`.
    package var pageTokenLifetime: Double?
    /// Seconds that an upload session lives; Google: a week.
    package var sessionLifetime: Double = 604_800
    /// Whether the photos login has only the scope that was removed on 31 March 2025.
    package var hasRemovedScopes = false
    /// Whether a second write of an object within a second is refused with 429.
    package var limitsWrites = true
    /// Whether objects get an MD5, which costs more than all else.
    package var hasMD5 = true
    /// Seconds that each answer of the Photos side waits.
    package var photosLatency: Double = 0
    /// Seconds that each answer of the Cloud Storage side waits.
    package var storageLatency: Double = 0
    /// Decides which requests rules with a rate strike, and the made-up library.
    package var seed: UInt64 = 1
    package var faults: [FaultRule] = []
    /// Requests a day that the Library API and the media servers answer; nil: any number.
    ///
    /// Google: 10,000 and 75,000.
    package var apiQuota: Int?
    package var mediaQuota: Int?
    /// Seconds between two questions for a picker session, which its answers ask for.
    package var pickerPollInterval: Double = 5
    /// Seconds from a picker session's creation on in which asking makes sense.
    package var pickerTimeout: Double = 1800
    /// Seconds for which a picker session, and what was picked in it, can be used.
    ///
    /// "7 days" is what one user has read off (MMM-GooglePhotos issue 194); Google promises nothing.
    package var pickerLifetime: Double = 604_800
    /// Picker sessions that the person may have at once.
    package var pickerSessionLimit = 100_000
    /// Requests a minute that the Picker API and its base URLs answer; nil: any number.
    ///
    /// Google: 100,000 and 1,000,000.
    package var pickerQuota: Int?
    package var pickerMediaQuota: Int?
    /// Whether addresses in answers are Google's own, for a network where those names mean this machine.
    package var usesGoogleNames = false

    var pickerTimes: PickerTimes {
        PickerTimes(pollInterval: pickerPollInterval, timeout: pickerTimeout, lifetime: pickerLifetime)
    }

    package init() {}
}
