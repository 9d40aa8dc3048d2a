import CloudStorage
import GoogleAuth
import HTTPClient

/// The opened archive and state store.
struct Stores: Sendable {
    let archive: any ObjectStore
    let state: any ObjectStore
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
            state: try openStore(settings.state, http: http, tokens: tokens, endpoint: endpoint)
        )
    }

    /// No credentials for directories, nor for an emulator unless they are given.
    private func storageTokens(_ http: HTTPClient) throws(AuthError) -> TokenSource {
        let hasFile = settings.environment["GOOGLE_APPLICATION_CREDENTIALS"] != nil
        if !settings.usesBuckets || (settings.storageEmulator != nil && !hasFile) { return .anonymous }
        // Cloud Storage docs, "Cloud Storage OAuth 2.0 scopes": read and write of objects, no bucket policies.
        return try .applicationDefault(
            environment: settings.environment,
            scope: "https://www.googleapis.com/auth/devstorage.read_write",
            tokenEndpoint: settings.oauthEndpoint,
            http: http
        )
    }
}
