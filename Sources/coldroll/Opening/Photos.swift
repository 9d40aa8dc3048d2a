import Archiver
import Foundation
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue

/// The opened library: its client, and the OAuth client that the source remembers.
struct PhotosAccess: Sendable {
    let client: PhotosClient
    let clientID: String?
    /// nil where a credentials file is used.
    var login: FleetLogin? = nil
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

    /// Opens the library with the credentials of COLDROLL_PHOTOS_CREDENTIALS, else with the login that the fleet shares.
    ///
    /// Nothing is asked of Google yet.
    /// - Throws: `CommandFailure` or `AuthError` where there are no credentials, or they are not what they should be.
    func openPhotos(_ http: HTTPClient, _ stores: Stores?, _ database: Database?) async throws -> PhotosAccess {
        if let file = settings.photosCredentials { return try openPhotos(http, file: file) }
        guard let stores, let database else {
            throw CommandFailure(
                .credentials,
                "The login to Google Photos cannot be looked up without the database and the state store."
            )
        }
        guard let (login, key, store) = try await keptLogin(stores) else {
            throw CommandFailure(
                .credentials,
                "Account \(harmless(settings.account)) is not logged in to Google Photos: run 'coldroll login'"
            )
        }
        let ledger = database.ledger
        let source = try await ledger.source(kind: "library", account: settings.account, clientID: login.clientID)
        if let shared = try await ledger.login(source: source), shared.id == login.id {
            if let refusal = shared.refusal { throw AuthError(code: .loginRequired, message: refusal) }
        } else {
            // The ledger is younger or older than the login: a restored backup, or one that was begun anew.
            try await ledger.signIn(
                source: source,
                id: login.id,
                subject: login.subject,
                scopes: login.scopes,
                lifetime: login.endsAt.map { .seconds($0.timeIntervalSinceNow) }
            )
        }
        let fleet = FleetLogin(
            ledger: ledger,
            source: source,
            store: store,
            key: key,
            desk: LoginDesk(http: http, tokenEndpoint: settings.oauthEndpoint),
            logger: logger
        )
        return PhotosAccess(
            client: PhotosClient(
                http: http,
                tokens: fleet.tokens(clientID: login.clientID),
                endpoint: settings.photosEndpoint
            ),
            clientID: login.clientID,
            login: fleet
        )
    }

    /// The login in the state store, opened; nil if nobody has logged in.
    /// - Throws: `AuthError` where it cannot be opened with this host's key.
    func keptLogin(_ stores: Stores) async throws -> (Login, FleetKey, LoginStore)? {
        let store = LoginStore(stores.state, account: settings.account)
        let key = try FleetKey.load(settings.keyFile)
        guard let login = try await store.read(key, keyPath: settings.keyFile), let key else { return nil }
        return (login, key, store)
    }

    private func openPhotos(_ http: HTTPClient, file: String) throws -> PhotosAccess {
        let tokens = try TokenSource.file(
            file,
            scope: LoginScope.library.scope,
            tokenEndpoint: settings.oauthEndpoint,
            http: http
        )
        guard tokens.clientID != nil else {
            throw CommandFailure(
                .credentials,
                "\(file) holds the key of a service account; Google Photos knows no service accounts and needs a person's "
                    + "login: run 'coldroll login', or name a JSON file with \"type\": \"authorized_user\""
            )
        }
        return PhotosAccess(
            client: PhotosClient(http: http, tokens: tokens, endpoint: settings.photosEndpoint),
            clientID: tokens.clientID
        )
    }
}
