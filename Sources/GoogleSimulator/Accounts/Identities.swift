import FoundationEssentials

/// The simulated accounts and the credentials files that stand for them.
struct Identities: Sendable {
    /// One OAuth client with a refresh token.
    struct User: Sendable {
        let clientID: String
        let clientSecret: String
        let refreshToken: String
        let scopes: Set<String>
    }

    /// Owner of the photo library.
    let photos: User
    /// The same person, who lets an app see what is picked and nothing else.
    let picker: User
    /// A person who may use the buckets (`gcloud auth application-default login`).
    let storage: User
    let serviceAccountEmail = "simulator@simulated-project.iam.gserviceaccount.com"
    let serviceAccountKey: ServiceAccountKey
    let serviceAccountKeyID = "5ec0dd0c5ec0dd0c5ec0dd0c5ec0dd0c5ec0dd0c"
    /// Google's `sub` of the library's owner.
    let subject: String

    init(hasRemovedScopes: Bool, seed: UInt64) throws {
        let library = hasRemovedScopes ? Scopes.libraryRemoved : Scopes.libraryRead
        let number = mixed(seed) % 1_000_000_000
        photos = User(
            clientID: "\(number)-photos.apps.googleusercontent.com",
            clientSecret: "GOCSPX-" + randomText(bytes: 21),
            refreshToken: "1//0" + randomText(bytes: 48),
            scopes: [library, Scopes.openID]
        )
        picker = User(
            clientID: "\(number)-picker.apps.googleusercontent.com",
            clientSecret: "GOCSPX-" + randomText(bytes: 21),
            refreshToken: "1//0" + randomText(bytes: 48),
            scopes: [Scopes.picker, Scopes.openID]
        )
        storage = User(
            clientID: "\(number)-storage.apps.googleusercontent.com",
            clientSecret: "GOCSPX-" + randomText(bytes: 21),
            refreshToken: "1//0" + randomText(bytes: 48),
            scopes: [Scopes.storageDefault]
        )
        serviceAccountKey = try ServiceAccountKey()
        subject = "1" + String(1_000_000_000_000_000_000 + mixed(seed &+ 1) % 1_000_000_000_000_000_000)
    }

    /// Writes the files; they name the token endpoint themselves.
    func write(to directory: String, tokenURI: String) throws -> CredentialFiles {
        let files = CredentialFiles(
            photos: directory + "/photos-credentials.json",
            picker: directory + "/picker-credentials.json",
            storage: directory + "/storage-credentials.json",
            storageUser: directory + "/storage-user-credentials.json"
        )
        try writeSecret(authorizedUser(photos, tokenURI: tokenURI), to: files.photos)
        try writeSecret(authorizedUser(picker, tokenURI: tokenURI), to: files.picker)
        try writeSecret(authorizedUser(storage, tokenURI: tokenURI), to: files.storageUser)
        let account = JSONValue.members(
            ("type", .string("service_account")),
            ("project_id", .string("simulated-project")),
            ("private_key_id", .string(serviceAccountKeyID)),
            ("private_key", .string(serviceAccountKey.privateKeyPEM)),
            ("client_email", .string(serviceAccountEmail)),
            ("client_id", .string("100000000000000000001")),
            ("auth_uri", .string("https://accounts.google.com/o/oauth2/auth")),
            ("token_uri", .string(tokenURI)),
            ("universe_domain", .string("googleapis.com"))
        )
        try writeSecret(account, to: files.storage)
        return files
    }

    private func authorizedUser(_ user: User, tokenURI: String) -> JSONValue {
        .members(
            ("type", .string("authorized_user")),
            ("client_id", .string(user.clientID)),
            ("client_secret", .string(user.clientSecret)),
            ("refresh_token", .string(user.refreshToken)),
            ("token_uri", .string(tokenURI))
        )
    }

    private func writeSecret(_ value: JSONValue, to path: String) throws {
        try Data(value.bytes + [0x0A]).write(to: URL(filePath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}

/// Where the credentials files stand.
struct CredentialFiles: Sendable {
    let photos: String
    let picker: String
    let storage: String
    let storageUser: String
}
