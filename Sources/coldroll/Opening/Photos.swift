import Archiver
import CloudStorage
import Foundation
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue

/// The login to Google Photos could not be read, because of the state store or its credentials, not because of Google Photos.
struct UnreadableLogin: Error, CustomStringConvertible {
    let cause: any Error
    var description: String { sentence(of: cause) }
}

/// The opened source: its client, and the OAuth client that the source remembers.
struct PhotosAccess: Sendable {
    let client: PhotosClient
    let tokens: TokenSource
    let clientID: String?
    /// nil where a credentials file is used.
    var login: FleetLogin? = nil
    /// What was granted at the login that the fleet shares; nil where a credentials file is used.
    var kept: GrantedLogin? = nil
    /// That login's id and whose it is; nil where a credentials file is used.
    var keptFor: (id: String, subject: String, email: String?)? = nil

    /// What Google says of the login, or said when it was made; nil where nobody knows.
    func granted() async -> GrantedLogin? {
        if let kept { return kept }
        return await tokens.granted()
    }
}

extension Session {
    /// The source that was chosen.
    /// - Throws: `CommandFault` that explains the sources, if there is none or this version does not archive it.
    func requireSource() throws -> Source {
        switch settings.source {
        case .library: return .library
        case .picker: return .picker
        case nil: throw CommandFault(Source.explanation)
        case let other?:
            throw CommandFault(
                "COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet; it archives library and picker"
            )
        }
    }

    /// Where a source's items are asked for.
    private func endpoint(of source: Source) -> String {
        source == .picker ? settings.pickerEndpoint : settings.photosEndpoint
    }

    /// Opens a source of Google's with the credentials of COLDROLL_PHOTOS_CREDENTIALS, else with the login that the fleet shares.
    ///
    /// Nothing is asked of Google yet.
    /// - Throws: `CommandFailure` or `AuthError` where there are no credentials, or they are not what they should be.
    func openPhotos(
        _ kind: Source,
        _ http: HTTPClient,
        _ stores: Stores?,
        _ database: Database?
    ) async throws -> PhotosAccess {
        if let file = settings.photosCredentials { return try openPhotos(kind, http, file: file) }
        guard let stores, let database else {
            throw CommandFailure(
                .credentials,
                "The login to Google Photos cannot be looked up without the database and the state store."
            )
        }
        let ledger = database.ledger
        guard let (login, key, store) = try await keptLogin(stores) else {
            try await noteLogout(stores, ledger)
            throw notLoggedIn
        }
        let source = try await ledger.source(kind: kind.kind, account: settings.account, clientID: login.clientID)
        let records = LoginRecords(ledger: ledger, store: store, key: key, keyPath: settings.keyFile)
        guard case .login(let kept, let shared) = try await records.agree(source: source, client: login.clientID)
        else { throw notLoggedIn }
        if let refusal = shared.refusal { throw AuthError(code: .loginRequired, message: refusal) }
        let fleet = FleetLogin(
            source: source,
            login: kept,
            records: records,
            key: key,
            desk: LoginDesk(http: http, tokenEndpoint: settings.oauthEndpoint),
            logger: logger
        )
        return access(kind, http, kept, fleet.tokens, fleet)
    }

    /// Where a logout was broken off before the ledger knew of it: the fleet stops believing in the login.
    private func noteLogout(_ stores: Stores, _ ledger: Ledger) async throws {
        let records = LoginRecords(
            ledger: ledger,
            store: LoginStore(stores.state, account: settings.account),
            key: nil,
            keyPath: settings.keyFile
        )
        for source in try await ledger.sources() where source.account == settings.account {
            _ = try await records.agree(source: source.id)
        }
    }

    /// Opens a source of Google's for one look at it: with the same credentials, past the ledger, in which nothing is recorded.
    ///
    /// - Throws: as `openPhotos(_:_:_:_:)`; `UnreadableLogin`.
    func openPhotosAlone(_ kind: Source, _ http: HTTPClient) async throws -> PhotosAccess {
        if let file = settings.photosCredentials { return try openPhotos(kind, http, file: file) }
        let stores: Stores
        do { stores = try openStores(http) } catch { throw UnreadableLogin(cause: error) }
        let kept: (Login, FleetKey, LoginStore)?
        do {
            kept = try await keptLogin(stores)
        } catch let error as StorageError {
            throw UnreadableLogin(cause: error)
        }
        guard let (login, _, _) = kept else { throw notLoggedIn }
        let desk = LoginDesk(http: http, tokenEndpoint: settings.oauthEndpoint)
        let tokens = TokenSource.shared(clientID: login.clientID) { _ in await desk.refresh(login) }
        return access(kind, http, login, tokens, nil)
    }

    private var notLoggedIn: CommandFailure {
        CommandFailure(
            .credentials,
            "Account \(harmless(settings.account)) is not logged in to Google Photos: run "
                + LoginStore.firstLogin(account: harmless(settings.account))
        )
    }

    private func access(
        _ kind: Source,
        _ http: HTTPClient,
        _ login: Login,
        _ tokens: TokenSource,
        _ fleet: FleetLogin?
    ) -> PhotosAccess {
        PhotosAccess(
            client: PhotosClient(http: http, tokens: tokens, endpoint: endpoint(of: kind)),
            tokens: tokens,
            clientID: login.clientID,
            login: fleet,
            kept: GrantedLogin(
                scopes: Set(login.scopes),
                life: login.endsAt.map { .seconds($0.timeIntervalSinceNow) }
            ),
            keptFor: (login.id, login.subject, login.email)
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

    private func openPhotos(_ kind: Source, _ http: HTTPClient, file: String) throws -> PhotosAccess {
        let tokens = try TokenSource.file(
            file,
            scope: LoginScope(of: kind).scope,
            tokenEndpoint: settings.oauthEndpoint,
            http: http
        )
        guard tokens.clientID != nil else {
            throw CommandFailure(
                .credentials,
                "\(file) holds the key of a service account; Google Photos knows no service accounts and needs a person's "
                    + "login: leave COLDROLL_PHOTOS_CREDENTIALS out and run "
                    + "\(LoginStore.firstLogin(account: harmless(settings.account))), or name a JSON file with \"type\": \"authorized_user\""
            )
        }
        return PhotosAccess(
            client: PhotosClient(http: http, tokens: tokens, endpoint: endpoint(of: kind)),
            tokens: tokens,
            clientID: tokens.clientID
        )
    }
}
