import Synchronization

/// A login that needs no person any more.
struct RefreshToken: Sendable {
    let holder: Holder
    let scopes: Set<String>
    /// The code that it was given for; nil for one that was there from the start.
    let code: String?
    let expires: Timestamp?

    /// Whole seconds until its end, as answers tell it (604799 of a new week); nil if it has none.
    var expiresIn: Int? { expires.map { max(1, Int(($0.microseconds - Timestamp.now.microseconds - 1) / 1_000_000)) } }
}

/// The refresh tokens that live.
final class RefreshTokens: Sendable {
    /// Live ones of one person and client; with one more the oldest dies (Google Identity: refresh token expiration).
    static let limit = 100

    private struct State {
        var tokens: [String: RefreshToken] = [:]
        // Oldest first.
        var order: [Holder: [String]] = [:]
        var lifetimeSeconds: Double?
    }

    private let state: Mutex<State>

    init(lifetimeSeconds: Double?) { state = Mutex(State(lifetimeSeconds: lifetimeSeconds)) }

    /// How long those live that are given from now on; nil: until they are revoked.
    func setLifetime(seconds: Double?) { state.withLock { $0.lifetimeSeconds = seconds } }

    /// A new one; an older one may have died for it.
    ///
    /// Logins to Google's own client do not end, nor do those that only tell who somebody is (Google Identity: refresh
    /// token expiration).
    func issue(
        _ holder: Holder,
        client: OAuthClient,
        scopes: Set<String>,
        code: String?
    ) -> (text: String, token: RefreshToken, hasEvicted: Bool) {
        let text = "1//0" + randomText(bytes: 48)
        return state.withLock { state in
            let isEndless = client.isGoogles || scopes.allSatisfy(Scopes.isSignIn)
            let lifetime = isEndless ? nil : state.lifetimeSeconds
            let token = RefreshToken(
                holder: holder,
                scopes: scopes,
                code: code,
                expires: lifetime.map { Timestamp.now.adding(seconds: $0) }
            )
            state.tokens[text] = token
            var order = (state.order[holder] ?? []).filter { isAlive(state.tokens[$0]) }
            order.append(text)
            let hasEvicted = order.count > Self.limit
            if hasEvicted { state.tokens[order.removeFirst()] = nil }
            state.order[holder] = order
            return (text, token, hasEvicted)
        }
    }

    /// One that lives; nil if it is unknown, revoked or over.
    func alive(_ text: String) -> RefreshToken? {
        state.withLock { state in isAlive(state.tokens[text]) ? state.tokens[text] : nil }
    }

    func revoke(_ holder: Holder) {
        state.withLock { state in
            for text in state.order.removeValue(forKey: holder) ?? [] { state.tokens[text] = nil }
        }
    }

    /// What was given for a code dies.
    func revoke(code: String) {
        state.withLock { state in state.tokens = state.tokens.filter { $0.value.code != code } }
    }
}

private func isAlive(_ token: RefreshToken?) -> Bool {
    guard let token else { return false }
    return token.expires.map { $0 > .now } ?? true
}
