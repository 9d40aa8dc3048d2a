package import GoogleAuth
import JobQueue
package import Logging
package import Postgres
import Synchronization

/// A source's login on one host of a fleet: one process fetches the next access token, all others use it too.
///
/// Where the database does not answer, a process fetches for itself: Google lets many tokens live. Where the state store does
/// not, the login that was read last serves, as long as it is the one that the ledger names.
package struct FleetLogin: Sendable {
    let source: Int64
    let records: LoginRecords
    let key: FleetKey
    let desk: LoginDesk
    let logger: Logger
    private let last: Last

    /// The login that was read last, by all copies of this value.
    private final class Last: Sendable {
        private let value: Mutex<Login>
        init(_ login: Login) { value = Mutex(login) }
        var login: Login { value.withLock { $0 } }
        func set(_ login: Login) { value.withLock { $0 = login } }
    }

    /// How long the one that fetches has before another tries too, which costs Google a request and nobody anything.
    static let patience = Duration.seconds(45)
    /// How long the others wait.
    static let longest = Duration.seconds(120)
    /// How soon after a failure somebody tries again.
    static let pause = Duration.seconds(5)

    /// - Parameters:
    ///   - source: whose login it is.
    ///   - login: as it was read when the source was opened.
    ///   - records: where it is.
    ///   - key: opens what others shared.
    ///   - desk: Google's token endpoint.
    ///   - logger: is told of each token that was fetched, and of each odd answer.
    package init(
        source: Int64,
        login: Login,
        records: LoginRecords,
        key: FleetKey,
        desk: LoginDesk,
        logger: Logger
    ) {
        self.source = source
        self.records = records
        self.key = key
        self.desk = desk
        self.logger = logger
        last = Last(login)
    }

    private var ledger: Ledger { records.ledger }

    /// Tokens for the OAuth client of this source, which it keeps.
    package var tokens: TokenSource {
        .shared(clientID: last.login.clientID) { replaced in await token(replacing: replaced) }
    }

    /// Why the source's login cannot be used, as a sentence; nil if it can.
    package func refusal() async throws(PostgresError) -> String? {
        try await ledger.login(source: source)?.refusal
    }

    /// Another token than `replaced`: one that somebody shared, or a new one that is shared then.
    private func token(replacing replaced: String?) async -> Result<AccessToken, AuthError> {
        let began = ContinuousClock.now
        while true {
            let asked = ContinuousClock.now
            let state: SharedLogin
            do throws(PostgresError) {
                guard let found = try await ledger.login(source: source) else {
                    return .failure(.noLogin(account: records.store.account))
                }
                state = found
            } catch {
                return await own()
            }
            if let refusal = state.refusal {
                // As below, where the refusal comes from Google.
                if case .success(let kept) = await look(), kept.id != state.id { continue }
                return .failure(AuthError(code: .loginRequired, message: refusal))
            }
            if let token = shared(state, asked), token.value != replaced { return .success(token) }
            let lease = Int64.random(in: 1...Int64.max)
            do throws(PostgresError) {
                let isOurs = try await ledger.beginRefresh(
                    source: source,
                    of: state,
                    lease: lease,
                    patience: Self.patience
                )
                if isOurs, let result = try await refresh(state, lease) { return result }
            } catch {
                return await own()
            }
            if began.duration(to: .now) > Self.longest {
                return .failure(
                    AuthError(
                        code: .unavailable,
                        message: "No access token: other processes have tried to fetch one for two minutes."
                    )
                )
            }
            // Somebody else fetches: half a second is less than anybody notices.
            do { try await Task.sleep(for: .milliseconds(Int.random(in: 300...600))) } catch {
                return .failure(AuthError(code: .unavailable, message: "Stopped while waiting for an access token."))
            }
        }
    }

    /// The token that is shared, if it lives long enough to be worth using.
    private func shared(_ state: SharedLogin, _ asked: ContinuousClock.Instant) -> AccessToken? {
        guard let sealed = state.sealedToken, let seconds = state.tokenSeconds, seconds > 1,
            let bytes = key.unseal(sealed, context: context(state.id)),
            let value = String(validating: bytes, as: UTF8.self)
        else { return nil }
        return AccessToken(value: value, requested: asked, lifetime: .seconds(seconds))
    }

    /// Fetches a token under a right to do so; nil where the ledger names another login by now.
    private func refresh(_ state: SharedLogin, _ lease: Int64) async throws(PostgresError) -> Result<
        AccessToken, AuthError
    >? {
        let asked = ContinuousClock.now
        let login: Login
        switch last.login.id == state.id ? .success(last.login) : await look() {
        case .success(let kept): login = kept
        case .failure(let error):
            try await ledger.endRefresh(source: source, lease: lease, pause: Self.pause)
            return .failure(error)
        }
        guard login.id == state.id else { return nil }
        switch await desk.refresh(login) {
        case .success(let token):
            try await ledger.shareToken(
                source: source,
                lease: lease,
                sealed: key.seal(Array(token.value.utf8), context: context(state.id)),
                lifetime: token.expiresAt - .now
            )
            logger.log(.info, "fetched an access token for all", ["seconds": .double((.now - asked) / .seconds(1))])
            return .success(token)
        case .failure(let error) where error.code == .loginRequired:
            // It may have been replaced, and whoever did so was killed before the ledger knew.
            if case .success(let kept) = await look(), kept.id != login.id { return nil }
            try await ledger.refuseLogin(source: source, login: login.id, reason: error.message)
            return .failure(error)
        case .failure(let error):
            try await ledger.endRefresh(source: source, lease: lease, pause: Self.pause)
            return .failure(passing(error))
        }
    }

    /// Without the ledger: a token for this process alone.
    private func own() async -> Result<AccessToken, AuthError> {
        let result = await desk.refresh(last.login)
        guard case .failure(let error) = result else { return result }
        guard error.code == .loginRequired else { return .failure(passing(error)) }
        // The owner may have logged in again.
        do {
            let kept = try await records.store.read(key, keyPath: key.path)
            guard let kept, kept.id != last.login.id, kept.clientID == last.login.clientID,
                kept.subject == last.login.subject
            else { return result }
            return await desk.refresh(kept).mapError(passing)
        } catch { return result }
    }

    /// What no word of OAuth ends is no end of the login: something stands between this host and Google, or Google stumbles.
    ///
    /// All other hosts go on; this one tries again, as after an outage.
    private func passing(_ error: AuthError) -> AuthError {
        if [.loginRequired, .unavailable, .untrusted].contains(error.code) { return error }
        logger.log(.warning, "no access token; it is tried again", ["error": .string(error.message)])
        return AuthError(
            code: .unavailable,
            message: error.message + " It is tried again; if that goes on, look at this machine's way to Google."
        )
    }

    /// The login that the state store has, which the ledger names from then on.
    private func look() async -> Result<Login, AuthError> {
        do {
            switch try await records.agree(source: source, client: last.login.clientID) {
            case .login(let login, _):
                last.set(login)
                return .success(login)
            case .loggedOut: return .failure(.noLogin(account: records.store.account))
            case .nothing:
                return .failure(
                    AuthError(
                        code: .loginRequired,
                        message:
                            "There is no login of account \(records.store.account) in \(records.store.place): check "
                            + "COLDROLL_STATE, or run \(LoginStore.firstLogin(account: records.store.account))."
                    )
                )
            }
        } catch let error as AuthError {
            return .failure(error)
        } catch let error as LedgerError {
            return .failure(AuthError(code: .badCredentials, message: error.message))
        } catch {
            return .failure(AuthError(code: .unavailable, message: "The login cannot be read now: \(error)"))
        }
    }

    private func context(_ login: String) -> String { "coldroll-token-1 \(login)" }
}

extension AuthError {
    /// There is nothing to get a token with.
    package static func noLogin(account: String) -> AuthError {
        AuthError(
            code: .loginRequired,
            message: "Nobody is logged in to Google Photos. Run \(LoginStore.firstLogin(account: account))."
        )
    }
}
