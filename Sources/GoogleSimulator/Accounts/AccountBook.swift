/// All that Google remembers of people, clients, consents and tokens.
struct AccountBook: Sendable {
    let identities: Identities
    let desk: TokenDesk
    let refreshTokens: RefreshTokens
    let consents = Consents()
    let authorizations: AuthorizationDesk
    let keys = IdentityKeys()
    let board: CounterBoard
    /// Of the logins that are there from the start.
    private let firstRefreshTokens: [Holder: String]

    init(_ configuration: SimulatorConfiguration, identities: Identities, board: CounterBoard) {
        self.identities = identities
        self.board = board
        desk = TokenDesk(lifetimeSeconds: configuration.tokenLifetime)
        authorizations = AuthorizationDesk(codeLifetimeSeconds: configuration.codeLifetime)
        // A week, while an app is in Testing (Google Identity: refresh token expiration).
        let lifetime = configuration.refreshLifetime ?? (configuration.isTestingApp ? 604_800 : nil)
        let refreshTokens = RefreshTokens(lifetimeSeconds: lifetime)
        self.refreshTokens = refreshTokens
        var first: [Holder: String] = [:]
        for login in [identities.photos, identities.picker, identities.storage] {
            _ = consents.record(login.holder, scopes: login.scopes, isOffline: true)
            let issued = refreshTokens.issue(login.holder, client: login.client, scopes: login.scopes, code: nil)
            first[login.holder] = issued.text
        }
        firstRefreshTokens = first
    }

    /// The refresh token of a login that was there from the start.
    func refreshToken(of login: Identities.Login) -> String { firstRefreshTokens[login.holder] ?? "" }

    /// A person takes back what a client was allowed: consent and all tokens go, whichever of them was named.
    func revoke(_ holder: Holder) {
        consents.forget(holder)
        refreshTokens.revoke(holder)
        desk.revoke(holder)
    }

    /// All that was given for a code dies.
    func revoke(code: String) {
        refreshTokens.revoke(code: code)
        desk.revoke(code: code)
    }
}
