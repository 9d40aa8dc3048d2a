import FoundationEssentials
package import HTTPClient

extension TokenSource {
    /// Emulators: no Authorization header at all.
    package static let anonymous = TokenSource(nil)

    /// `authorized_user` or `service_account` JSON, chosen by its `type`.
    /// - Parameters:
    ///   - file: path named in errors; contents never are.
    ///   - scope: for service accounts.
    ///   - tokenEndpoint: base URL that replaces Google's (`COLDROLL_OAUTH_ENDPOINT`; `/token` is added), nil for Google's or
    ///     the file's own.
    ///   - quotaProject: wins over the one that the file names.
    ///   - gcloudRemedy: what a person does where Google refuses a login that gcloud has written; nil where a login is of a
    ///     client of the person's own.
    ///   - http: sends the token requests.
    /// - Returns: a source that has not asked for a token yet.
    /// - Throws: `.badCredentials` with what kind of file is wanted.
    package static func file(
        _ file: String,
        scope: String,
        tokenEndpoint: String?,
        quotaProject: String? = nil,
        gcloudRemedy: String? = nil,
        http: HTTPClient
    ) throws(AuthError) -> TokenSource {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        } catch {
            let exists = FileManager.default.fileExists(atPath: file)
            throw AuthError(
                code: .badCredentials,
                message: exists
                    ? "The credentials file \(file) cannot be read: check that it is a file and that this user may read it."
                    : "There is no credentials file at \(file)."
            )
        }
        return try json(
            bytes,
            named: file,
            scope: scope,
            tokenEndpoint: tokenEndpoint,
            quotaProject: quotaProject,
            gcloudRemedy: gcloudRemedy,
            http: http
        )
    }

    /// Like `file`, for credentials that are already in memory.
    /// - Parameters:
    ///   - bytes: the JSON; never shown.
    ///   - name: path or name that errors mention.
    ///   - scope: for service accounts.
    ///   - tokenEndpoint: as in `file`.
    ///   - quotaProject: as in `file`.
    ///   - gcloudRemedy: what a person does where Google refuses a login that gcloud has written; nil where a login is of a
    ///     client of the person's own.
    ///   - http: sends the token requests.
    /// - Returns: a source that has not asked for a token yet.
    /// - Throws: `.badCredentials` with what kind of file is wanted.
    package static func json(
        _ bytes: [UInt8],
        named name: String,
        scope: String,
        tokenEndpoint: String?,
        quotaProject: String? = nil,
        gcloudRemedy: String? = nil,
        http: HTTPClient
    ) throws(AuthError) -> TokenSource {
        let grant = try CredentialsFile(bytes, name: name).grant(
            scope: scope,
            tokenEndpoint: tokenEndpoint,
            gcloudRemedy: gcloudRemedy
        )
        return TokenSource(TokenFetcher(TokenEndpoint(grant: grant, http: http), quotaProject: quotaProject))
    }

    /// ADC search order: GOOGLE_APPLICATION_CREDENTIALS, gcloud's default file, metadata server.
    ///
    /// The order is that of google-auth (`google/auth/_default.py`). Whether there is a metadata server shows at the first
    /// `headers()`, which then throws `.badCredentials` with what to set. As there, `GOOGLE_CLOUD_QUOTA_PROJECT` wins over the
    /// project that a file names for its quota.
    /// - Parameters:
    ///   - environment: the process's; also `CLOUDSDK_CONFIG`, `HOME`, `GCE_METADATA_HOST`, `GCE_METADATA_TIMEOUT`.
    ///   - scope: for service accounts and the metadata server.
    ///   - tokenEndpoint: as in `file`; the metadata server keeps its own.
    ///   - http: sends the token requests.
    /// - Returns: a source that has not asked for a token yet.
    /// - Throws: `.badCredentials` if a file that should decide cannot be used.
    package static func applicationDefault(
        environment: [String: String],
        scope: String,
        tokenEndpoint: String?,
        http: HTTPClient
    ) throws(AuthError) -> TokenSource {
        let project = environment["GOOGLE_CLOUD_QUOTA_PROJECT"].flatMap { $0.isEmpty ? nil : $0 }
        if let named = environment["GOOGLE_APPLICATION_CREDENTIALS"], !named.isEmpty {
            do throws(AuthError) {
                return try file(
                    named,
                    scope: scope,
                    tokenEndpoint: tokenEndpoint,
                    quotaProject: project,
                    gcloudRemedy:
                        "Run 'gcloud auth application-default login', and let GOOGLE_APPLICATION_CREDENTIALS name the "
                        + "file that it writes.",
                    http: http
                )
            } catch {
                throw AuthError(
                    code: error.code,
                    message: "GOOGLE_APPLICATION_CREDENTIALS cannot be used. \(error.message)"
                )
            }
        }
        let gcloud =
            environment["CLOUDSDK_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
            ?? environment["HOME"].map { $0 + "/.config/gcloud" }
        if let gcloud {
            let path = gcloud + "/application_default_credentials.json"
            if FileManager.default.fileExists(atPath: path) {
                return try file(
                    path,
                    scope: scope,
                    tokenEndpoint: tokenEndpoint,
                    quotaProject: project,
                    gcloudRemedy: "Run 'gcloud auth application-default login'.",
                    http: http
                )
            }
        }
        let server = MetadataServer(
            host: environment["GCE_METADATA_HOST"],
            scope: scope,
            patience: MetadataServer.patience(in: environment)
        )
        return TokenSource(
            TokenFetcher(TokenEndpoint(grant: .metadataServer(server), http: http), quotaProject: project)
        )
    }
}
