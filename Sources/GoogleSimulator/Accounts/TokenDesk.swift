import Synchronization

/// What a token may be used for.
struct Grant: Sendable, Equatable {
    var scopes: Set<String>
    var expires: Timestamp
}

/// Issues access tokens, knows which live, and lets them die.
final class TokenDesk: Sendable {
    private struct State {
        var access: [String: Grant] = [:]
        var revoked: Set<String> = []
    }

    private let lifetimeSeconds: Double
    private let state = Mutex(State())

    init(lifetimeSeconds: Double) { self.lifetimeSeconds = lifetimeSeconds }

    /// A new access token and the seconds that it lives.
    func issue(scopes: Set<String>) -> (token: String, expiresIn: Int) {
        let token = "ya29." + randomText(bytes: 48)
        let expires = Timestamp.now.adding(seconds: lifetimeSeconds)
        state.withLock { state in
            if state.access.count > 10_000 { state.access = state.access.filter { $0.value.expires > Timestamp.now } }
            state.access[token] = Grant(scopes: scopes, expires: expires)
        }
        // Google says 3599 for 3600.
        return (token, max(1, Int(lifetimeSeconds) - 1))
    }

    /// What an Authorization header grants; nil if it is none, unknown or expired.
    func grant(authorization: String) -> Grant? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return state.withLock { state in
            guard let grant = state.access[String(parts[1])], grant.expires > Timestamp.now else { return nil }
            return grant
        }
    }

    /// All access tokens die now.
    func expireAll() { state.withLock { $0.access = [:] } }

    /// A refresh token never works again, nor does any access token.
    func revoke(_ token: String) {
        state.withLock { state in
            if state.access.removeValue(forKey: token) == nil {
                state.revoked.insert(token)
                state.access = [:]
            }
        }
    }

    func isRevoked(_ refreshToken: String) -> Bool { state.withLock { $0.revoked.contains(refreshToken) } }
}
