import FoundationEssentials

/// The simulated people and clients, and the files that stand for them.
struct Identities: Sendable {
    /// Which client a person logged in with before the simulator began, and for what.
    struct Login: Sendable {
        let client: OAuthClient
        let person: Person
        let scopes: Set<String>

        var holder: Holder { Holder(clientID: client.id, subject: person.subject) }
    }

    /// An account that no person uses: Google's services call others in its name.
    struct ServiceAccount: Sendable {
        let email: String
        /// Google's `sub`: what it is called besides, and for good.
        let number: String

        /// The account of the same name in another project.
        var namesake: ServiceAccount {
            ServiceAccount(
                email: (email.split(separator: "@").first ?? "") + "@another-project.iam.gserviceaccount.com"
            )
        }

        /// Of any project; its number is always the same one.
        init(email: String) {
            self.email = email
            let digits = email.utf8.reduce(UInt64(0)) { mixed($0 ^ UInt64($1)) } % 1_000_000_000_000_000_000
            number = "11" + String(1_000_000_000_000_000_000 + digits)
        }

        init(email: String, number: String) {
            self.email = email
            self.number = number
        }
    }

    /// Everybody who can be chosen on the consent page; the library's owner comes first.
    let people: [Person]
    /// All clients that are registered.
    let clients: [OAuthClient]
    let webClient: OAuthClient
    /// A second desktop client of the same project, which sees nothing of the library.
    let otherClient: OAuthClient
    /// Owner of the photo library.
    let photos: Login
    /// The same person, who lets an app see what is picked and nothing else.
    let picker: Login
    /// A person who may use the buckets (`gcloud auth application-default login`).
    let storage: Login
    let serviceAccountEmail = "simulator@simulated-project.iam.gserviceaccount.com"
    /// The service account's number, which stands for its client.
    let serviceAccountID = "100000000000000000001"
    let serviceAccountKey: RSAKey
    let serviceAccountKeyID = "5ec0dd0c5ec0dd0c5ec0dd0c5ec0dd0c5ec0dd0c"

    init(_ configuration: SimulatorConfiguration) throws(KeyError) {
        let seed = configuration.seed
        let number = mixed(seed) % 1_000_000_000
        func client(_ word: String, _ kind: OAuthClient.Kind, _ name: String, redirects: [String]) -> OAuthClient {
            OAuthClient(
                id: "\(number)-\(word).apps.googleusercontent.com",
                secret: "GOCSPX-" + randomText(bytes: 21),
                kind: kind,
                name: name,
                redirectURIs: redirects,
                isTesting: configuration.isTestingApp
            )
        }
        func person(_ name: String, _ order: UInt64, isTestUser: Bool) -> Person {
            let digits = mixed(seed &+ order) % 1_000_000_000_000_000_000
            return Person(
                name: name,
                email: name.split(separator: " ")[1].lowercased() + "@example.com",
                subject: "1" + String(1_000_000_000_000_000_000 + digits),
                isTestUser: isTestUser
            )
        }
        let owner = person("Olive Owner", 1, isTestUser: true)
        people = [
            owner, person("Gil Guest", 2, isTestUser: true), person("Sam Stranger", 3, isTestUser: false),
        ]
        let desktop = client("photos", .installed, "Photo Archive", redirects: ["http://localhost"])
        webClient = client("web", .web, "Photo Archive", redirects: configuration.webRedirectURIs)
        otherClient = client("other", .installed, "Another App", redirects: ["http://localhost"])
        let picking = client("picker", .installed, "Photo Archive", redirects: ["http://localhost"])
        var gcloud = client("storage", .installed, "Google Auth Library", redirects: ["http://localhost"])
        gcloud.isTesting = false
        gcloud.isGoogles = true
        clients = [desktop, webClient, otherClient, picking, gcloud]
        let library = configuration.hasRemovedScopes ? Scopes.libraryRemoved : Scopes.libraryRead
        photos = Login(client: desktop, person: owner, scopes: [library, Scopes.openID])
        picker = Login(client: picking, person: owner, scopes: [Scopes.picker, Scopes.openID])
        storage = Login(client: gcloud, person: owner, scopes: [Scopes.storageDefault])
        serviceAccountKey = try RSAKey()
    }

    /// The person whom an address or a number means.
    func person(_ name: String) -> Person? { people.first { $0.email == name || $0.subject == name } }

    /// The service account of an address, the simulated project's own or another's.
    func serviceAccount(_ email: String) -> ServiceAccount {
        email == serviceAccountEmail
            ? ServiceAccount(email: email, number: serviceAccountID) : ServiceAccount(email: email)
    }

    func client(_ id: String) -> OAuthClient? { clients.first { $0.id == id } }

    /// Writes all files; those with a login in them name the token endpoint themselves, and the refresh token of that login.
    func write(
        to directory: String,
        tokenURI: String,
        refreshToken: (Login) -> String
    ) throws -> CredentialFiles {
        func user(_ login: Login) -> JSONValue {
            .members(
                ("type", .string("authorized_user")),
                ("client_id", .string(login.client.id)),
                ("client_secret", .string(login.client.secret)),
                ("refresh_token", .string(refreshToken(login))),
                ("token_uri", .string(tokenURI))
            )
        }
        let files = CredentialFiles(
            photos: directory + "/photos-credentials.json",
            picker: directory + "/picker-credentials.json",
            storage: directory + "/storage-credentials.json",
            storageUser: directory + "/storage-user-credentials.json",
            client: directory + "/client.json",
            webClient: directory + "/web-client.json",
            otherClient: directory + "/other-client.json"
        )
        try writeSecret(user(photos), to: files.photos)
        try writeSecret(user(picker), to: files.picker)
        try writeSecret(user(storage), to: files.storageUser)
        try writeSecret(photos.client.file, to: files.client)
        try writeSecret(webClient.file, to: files.webClient)
        try writeSecret(otherClient.file, to: files.otherClient)
        let account = JSONValue.members(
            ("type", .string("service_account")),
            ("project_id", .string("simulated-project")),
            ("private_key_id", .string(serviceAccountKeyID)),
            ("private_key", .string(serviceAccountKey.privateKeyPEM)),
            ("client_email", .string(serviceAccountEmail)),
            ("client_id", .string(serviceAccountID)),
            ("auth_uri", .string("https://accounts.google.com/o/oauth2/auth")),
            ("token_uri", .string(tokenURI)),
            ("universe_domain", .string("googleapis.com"))
        )
        try writeSecret(account, to: files.storage)
        return files
    }

    private func writeSecret(_ value: JSONValue, to path: String) throws {
        try Data(value.bytes + [0x0A]).write(to: URL(filePath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}

/// Where the credentials and clients' files stand.
struct CredentialFiles: Sendable {
    let photos: String
    let picker: String
    let storage: String
    let storageUser: String
    let client: String
    let webClient: String
    let otherClient: String
}
