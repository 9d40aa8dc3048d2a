import GoogleAuth
import GooglePhotos
import HTTPClient

/// The opened library: its client, and the OAuth client that the source remembers.
struct PhotosAccess: Sendable {
    /// What the library takes (Photos APIs, "Authorization scopes").
    static let scope = "https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata"

    let client: PhotosClient
    let tokens: TokenSource
    let clientID: String?
}

extension Session {
    /// Checks that a source was chosen which this version archives.
    /// - Throws: `CommandFault` that explains the sources.
    func requireLibrary() throws {
        switch settings.source {
        case .library: return
        case nil: throw CommandFault(Source.explanation)
        case let other?:
            throw CommandFault(
                "COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet; it archives library only"
            )
        }
    }

    /// Opens the library with the credentials of COLDROLL_PHOTOS_CREDENTIALS; nothing is asked of Google yet.
    /// - Throws: `CommandFailure` where the setting is missing, `AuthError` where the file is not what it should be.
    func openPhotos(_ http: HTTPClient) throws -> PhotosAccess {
        guard let file = settings.photosCredentials else {
            throw CommandFailure(
                .credentials,
                """
                COLDROLL_PHOTOS_CREDENTIALS is not set; it names a JSON file with "type": "authorized_user", client_id, \
                client_secret and refresh_token of a Google login with the scope photoslibrary.readonly.appcreateddata
                """
            )
        }
        let tokens = try TokenSource.file(
            file,
            scope: PhotosAccess.scope,
            tokenEndpoint: settings.oauthEndpoint,
            http: http
        )
        guard tokens.clientID != nil else {
            throw CommandFailure(
                .credentials,
                "\(file) holds the key of a service account; Google Photos knows no service accounts and needs a person's "
                    + "login: a JSON file with \"type\": \"authorized_user\""
            )
        }
        return PhotosAccess(
            client: PhotosClient(http: http, tokens: tokens, endpoint: settings.photosEndpoint),
            tokens: tokens,
            clientID: tokens.clientID
        )
    }
}
