import Foundation
import HTTPServer
import Synchronization

/// A Google for tests and demos: sign-in, token endpoint, Library and Picker API, base URLs and Cloud Storage on one port.
package final class Simulator: Sendable {
    /// `http://localhost:PORT` or `https://…`: the endpoint of all its services.
    package let url: String
    /// PEM file to verify its TLS with; nil without TLS.
    package let certificateAuthorityFile: String?
    /// `authorized_user` JSON of the library's owner.
    package let photosCredentialsFile: String
    /// `authorized_user` JSON of the same person, with the picker's scope alone.
    package let pickerCredentialsFile: String
    /// `service_account` JSON for the buckets.
    package let storageCredentialsFile: String
    /// `authorized_user` JSON for the buckets.
    package let storageUserCredentialsFile: String
    /// The desktop client that has added the library's items, as Google's console offers it for download.
    package let clientFile: String
    /// A client of the type web server.
    package let webClientFile: String
    /// Another desktop client, which sees nothing of the library.
    package let otherClientFile: String
    /// Everybody who can be chosen on the consent page; the library's owner comes first.
    package var people: [Person] { hub.accounts.identities.people }

    let hub: Hub
    private let servers: [HTTPServer]
    private let temporaryDirectory: String?

    /// Makes keys, reads the library and listens; returns when requests are answered.
    ///
    /// - Throws: a sentence for a person: a folder that cannot be read, a port in use, no `openssl` program.
    package static func start(_ configuration: SimulatorConfiguration) throws -> Simulator {
        try Simulator(configuration)
    }

    private init(_ configuration: SimulatorConfiguration) throws {
        let directory = try configuration.stateDirectory ?? Self.makeTemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        temporaryDirectory = configuration.stateDirectory == nil ? directory : nil
        let authority =
            configuration.hasTLS
            ? try CertificateAuthority(directory: directory, addresses: [configuration.address]) : nil
        let identities = try Identities(configuration)
        let hub = try Hub(configuration, identities: identities)
        self.hub = hub

        let main = try HTTPServer(
            address: configuration.address,
            port: configuration.port,
            identity: authority?.identity
        ) { hub.receive($0, isRedirectHost: false) }
        let videos = try HTTPServer(address: configuration.address, identity: authority?.identity) {
            hub.receive($0, isRedirectHost: true)
        }
        servers = [main, videos]
        let host = configuration.address == "127.0.0.1" ? "localhost" : configuration.address
        url = "\(hub.scheme)://\(host):\(main.port)"
        hub.ports.withLock { $0 = Hub.Ports(main: main.port, videos: videos.port) }
        certificateAuthorityFile = authority?.authorityFile
        let tokenURI = configuration.usesGoogleNames ? "https://oauth2.googleapis.com/token" : url + "/token"
        let files = try identities.write(
            to: directory,
            tokenURI: tokenURI,
            refreshToken: hub.accounts.refreshToken
        )
        photosCredentialsFile = files.photos
        pickerCredentialsFile = files.picker
        storageCredentialsFile = files.storage
        storageUserCredentialsFile = files.storageUser
        clientFile = files.client
        webClientFile = files.webClient
        otherClientFile = files.otherClient
    }

    private static func makeTemporaryDirectory() throws -> String {
        let path = NSTemporaryDirectory() + "/photos-simulator-" + randomText(bytes: 9)
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return path
    }

    /// What was asked of it so far.
    package var counters: SimulatorCounters { hub.board.snapshot }

    /// Replaces all fault rules.
    package func setFaults(_ rules: [FaultRule]) { hub.faults.replace(rules) }

    /// The rules in force, and how many requests each has struck.
    package var faults: [(rule: FaultRule, struck: Int)] { hub.faults.report }

    /// Every item with what its downloads must give; reads all bytes of the library the first time.
    package var library: [LibraryEntry] {
        get throws { try hub.entries.all() }
    }

    /// Every object that stands in a bucket, in the order of buckets and names.
    package func objects() -> [StoredObject] {
        hub.storage.store.everything.map { StoredObject($0, hub.storage.store) }
    }

    /// The JSON line that tells another process where everything is.
    package var announcement: String {
        let line = JSONValue.members(
            ("event", .string("listening")),
            ("url", .string(url)),
            ("ca", certificateAuthorityFile.map { .string($0) } ?? .null),
            ("photos_credentials", .string(photosCredentialsFile)),
            ("picker_credentials", .string(pickerCredentialsFile)),
            ("storage_credentials", .string(storageCredentialsFile)),
            ("storage_user_credentials", .string(storageUserCredentialsFile)),
            ("client", .string(clientFile)),
            ("web_client", .string(webClientFile)),
            ("other_client", .string(otherClientFile)),
            ("accounts", .array(people.map(\.described))),
            ("items", .integer(Int64(hub.library.count)))
        )
        return String(decoding: line.bytes, as: UTF8.self)
    }

    /// The quotas' next day begins.
    package func newDay() { hub.quotas.newDay() }

    /// Requests of this day that the quotas of API and media count, those refused included, and the refused ones.
    package var quotaCounts: (api: (used: Int, refused: Int), media: (used: Int, refused: Int)) {
        (hub.quotas.counts(.api), hub.quotas.counts(.media))
    }

    /// Counts from zero.
    package func resetCounters() { hub.resetCounters() }

    /// All access tokens die now.
    package func expireTokens() { hub.accounts.desk.expireAll() }

    /// All base URLs die now.
    package func expireBaseURLs() { hub.baseURLs.expireAll() }

    /// The library's owner takes back what its client was allowed: its logins are refused from now on.
    package func revokePhotosLogin() { hub.accounts.revoke(hub.accounts.identities.photos.holder) }

    /// How long logins live that begin from now on, in seconds; nil: until they are revoked.
    package func setRefreshLifetime(seconds: Double?) { hub.accounts.refreshTokens.setLifetime(seconds: seconds) }

    /// An ID token as `POST /control/identity-token` mints it: `{"audience":URL,"account":EMAIL,"fault":"expired"}`.
    ///
    /// - Throws: a sentence that names what is wrong.
    package func identityToken(json text: String) throws -> String {
        try hub.identityToken(JSONValue.parse(Array(text.utf8)) ?? .null)
    }

    /// Another key signs ID tokens from now on; the one before stays published.
    package func rotateIdentityKey() throws { try hub.accounts.keys.rotate() }

    /// Forgets all page tokens, as `POST /control/expire-page-tokens` does.
    package func expirePageTokens() { hub.pageTokens.expireAll() }

    /// Adds a made-up photo under a name that no file could have, taken at a time (RFC 3339), or now.
    package func addPhoto(named filename: String, at creationTime: String? = nil) throws {
        let wanted = JSONValue.members(
            ("filename", .string(filename)),
            ("creationTime", creationTime.map(JSONValue.string) ?? .null)
        )
        guard let item = try AddedItem.make(wanted, number: hub.library.count), hub.library.add(item) else {
            throw SimulatorError(description: "the photo could not be added")
        }
    }

    /// Picks in the picker and presses Done, as `POST /control/pick` takes it: `{"all":true}`, `{"count":3}`, `{"ids":[…]}`.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    package func pick(json text: String) throws {
        let setup = PickerSetup(library: hub.library, sessions: hub.pickerSessions)
        try setup.pick(JSONValue.parse(Array(text.utf8)) ?? .null)
    }

    /// Access to every picker session, and to what was picked in it, ends now.
    package func expirePickerSessions() {
        for session in hub.pickerSessions.everything { try? hub.pickerSessions.expire(session.id) }
    }

    /// Picker sessions that have not been deleted.
    package var pickerSessionCount: Int { hub.pickerSessions.everything.count }

    /// Sets up a bucket as `POST /control/bucket` does: `{"name":…, "resource":{…}, "without":["storage.objects.get"], …}`.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    package func setBucket(json text: String) throws {
        try BucketSetup(storage: hub.storage).setUp(JSONValue.parse(Array(text.utf8)) ?? .null)
    }

    /// What the accounts may do in a project, as `POST /control/project` takes it.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    package func setProject(json text: String) throws {
        try BucketSetup(storage: hub.storage).setProject(JSONValue.parse(Array(text.utf8)) ?? .null)
    }

    /// A bucket's resource as JSON text; nil if there is none of that name.
    package func bucket(_ name: String) -> String? {
        hub.storage.store.bucket(name).map { String(decoding: $0.resource.bytes, as: UTF8.self) }
    }

    /// Breaks off what is under way and closes its ports.
    package func stop() {
        for server in servers { server.stop() }
        if let temporaryDirectory { try? FileManager.default.removeItem(atPath: temporaryDirectory) }
    }
}
