import CloudStorage
import GoogleAuth
import HTTPClient

/// The opened archive and state store.
struct Stores: Sendable {
    let archive: any ObjectStore
    let state: any ObjectStore
    /// The archive's bucket itself, with the rights that reading objects takes; nil for a directory.
    let archiveBucket: Bucket?
}

extension Session {
    /// Starts the process's one event loop.
    func openHTTP() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthorities = settings.certificateAuthorities
        configuration.userAgent = "coldroll/\(coldrollVersion)"
        let http = HTTPClient(configuration)
        resources.add { http.shutdown() }
        return http
    }

    /// Opens both stores; nothing is asked of them yet.
    /// - Throws: `AuthError` where a bucket's credentials cannot be read, `StorageError`.
    func openStores(_ http: HTTPClient) throws -> Stores {
        let tokens = try storageTokens(http)
        let endpoint = settings.storageEmulator ?? Settings.storageEndpoint
        return Stores(
            archive: try openStore(settings.archive, http: http, tokens: tokens, endpoint: endpoint),
            state: try openStore(settings.state, http: http, tokens: tokens, endpoint: endpoint),
            archiveBucket: try Bucket(settings.archive, http: http, tokens: tokens, endpoint: endpoint)
        )
    }

    /// What a token for Cloud Storage is for; a person's login has what it was given, whatever is asked for here.
    enum StorageScope: String {
        /// Reads and writes objects (Cloud Storage docs, "Cloud Storage OAuth 2.0 scopes": "not metadata like IAM policies").
        case objects = "https://www.googleapis.com/auth/devstorage.read_write"
        /// Reads who may use a bucket, and changes it: `buckets.getIamPolicy` and `buckets.patch` take no less (JSON API
        /// discovery document, `scopes`). setup and doctor ask for it, and whatever stores where public access is not prevented.
        case administration = "https://www.googleapis.com/auth/devstorage.full_control"
    }

    /// The buckets of both stores, with the rights to look at who may use them; a directory is none.
    /// - Parameters:
    ///   - http: the process's event loop.
    ///   - tries: how often a request is sent that has no answer.
    /// - Returns: the archive's first; empty for two directories.
    /// - Throws: as `openStores`.
    func openBuckets(_ http: HTTPClient, tries: Int = 6) throws -> [(use: BucketUse, bucket: Bucket)] {
        let tokens = try storageTokens(http, .administration)
        let endpoint = settings.storageEmulator ?? Settings.storageEndpoint
        return try [(BucketUse.archive, settings.archive), (.state, settings.state)].compactMap { use, url in
            try Bucket(url, http: http, tokens: tokens, endpoint: endpoint, tries: tries).map { (use, $0) }
        }
    }

    /// No credentials for directories, nor for an emulator unless they are given.
    private func storageTokens(
        _ http: HTTPClient,
        _ scope: StorageScope = .objects
    ) throws(AuthError) -> TokenSource {
        let hasFile = settings.environment["GOOGLE_APPLICATION_CREDENTIALS"] != nil
        if !settings.usesBuckets || (settings.storageEmulator != nil && !hasFile) { return .anonymous }
        return try .applicationDefault(
            environment: settings.environment,
            scope: scope.rawValue,
            tokenEndpoint: settings.oauthEndpoint,
            http: http
        )
    }
}
