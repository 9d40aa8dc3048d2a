package import GoogleAuth
package import JobQueue
package import Logging
package import Postgres

/// A source's login on one host of a fleet: one process fetches the next access token, all others use it too.
///
/// Where the database does not answer, a process fetches for itself: Google lets many tokens live.
package struct FleetLogin: Sendable {
    let ledger: Ledger
    let source: Int64
    let store: LoginStore
    let key: FleetKey
    let desk: LoginDesk
    let logger: Logger

    /// How long the one that fetches has before another tries too, which costs Google a request and nobody anything.
    static let patience = Duration.seconds(45)
    /// How long the others wait.
    static let longest = Duration.seconds(120)
    /// How soon after a failure somebody tries again.
    static let pause = Duration.seconds(5)

    package init(
        ledger: Ledger,
        source: Int64,
        store: LoginStore,
        key: FleetKey,
        desk: LoginDesk,
        logger: Logger
    ) {
        self.ledger = ledger
        self.source = source
        self.store = store
        self.key = key
        self.desk = desk
        self.logger = logger
    }

    /// Tokens for a client of this source.
    package func tokens(clientID: String) -> TokenSource {
        .shared(clientID: clientID) { replaced in await token(replacing: replaced) }
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
                guard let found = try await ledger.login(source: source) else { return .failure(.noLogin) }
                state = found
            } catch {
                return await own()
            }
            if let refusal = state.refusal {
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
                if isOurs { return try await refresh(state, lease) }
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

    private func refresh(_ state: SharedLogin, _ lease: Int64) async throws(PostgresError) -> Result<
        AccessToken, AuthError
    > {
        let asked = ContinuousClock.now
        let login: Login
        switch await kept() {
        case .success(let kept): login = kept
        case .failure(let error):
            try await ledger.endRefresh(source: source, lease: lease, pause: Self.pause)
            return .failure(error)
        }
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
        case .failure(let error):
            if error.code == .unavailable || login.id != state.id {
                try await ledger.endRefresh(source: source, lease: lease, pause: Self.pause)
            } else {
                try await ledger.refuseLogin(source: source, login: state.id, reason: error.message)
            }
            return .failure(error)
        }
    }

    private func own() async -> Result<AccessToken, AuthError> {
        switch await kept() {
        case .success(let login): await desk.refresh(login)
        case .failure(let error): .failure(error)
        }
    }

    private func kept() async -> Result<Login, AuthError> {
        do {
            guard let login = try await store.read(key, keyPath: key.path) else { return .failure(.noLogin) }
            return .success(login)
        } catch let error as AuthError {
            return .failure(error)
        } catch {
            return .failure(AuthError(code: .unavailable, message: "The login cannot be read now: \(error)"))
        }
    }

    private func context(_ login: String) -> String { "coldroll-token-1 \(login)" }
}

extension AuthError {
    /// There is nothing to get a token with.
    package static let noLogin = AuthError(
        code: .loginRequired,
        message: "Nobody has logged in to Google Photos yet. Run 'coldroll login'."
    )
}
