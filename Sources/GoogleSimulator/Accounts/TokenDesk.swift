import Synchronization

/// What a token may be used for.
struct Grant: Sendable, Equatable {
    var scopes: Set<String>
    var expires: Timestamp
    /// Whose it is, and which client's; nil for a service account's.
    var holder: Holder?
    /// The code that the login began with.
    var code: String?
    /// Whether it came with a refresh token, or from one.
    var isOffline = false
}

/// Issues access tokens, knows which live, and lets them die.
final class TokenDesk: Sendable {
    private let lifetimeSeconds: Double
    private let grants = Mutex<[String: Grant]>([:])

    init(lifetimeSeconds: Double) { self.lifetimeSeconds = lifetimeSeconds }

    /// A new access token and the seconds that it lives.
    func issue(
        scopes: Set<String>,
        holder: Holder? = nil,
        code: String? = nil,
        isOffline: Bool = false
    ) -> (token: String, expiresIn: Int) {
        let token = "ya29." + randomText(bytes: 48)
        let expires = Timestamp.now.adding(seconds: lifetimeSeconds)
        grants.withLock { grants in
            if grants.count > 10_000 { grants = grants.filter { $0.value.expires > Timestamp.now } }
            grants[token] = Grant(scopes: scopes, expires: expires, holder: holder, code: code, isOffline: isOffline)
        }
        // Google says 3599 for 3600.
        return (token, max(1, Int(lifetimeSeconds) - 1))
    }

    /// What an Authorization header grants; nil if it is none, unknown or expired.
    func grant(authorization: String) -> Grant? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return grant(token: String(parts[1]))
    }

    /// What an access token grants; nil if it is unknown or expired.
    func grant(token: String) -> Grant? {
        grants.withLock { grants in
            guard let grant = grants[token], grant.expires > Timestamp.now else { return nil }
            return grant
        }
    }

    /// All access tokens die now.
    func expireAll() { grants.withLock { $0 = [:] } }

    /// One access token dies.
    func revoke(token: String) { grants.withLock { $0[token] = nil } }

    /// Those of one person and client die.
    func revoke(_ holder: Holder) { grants.withLock { $0 = $0.filter { $0.value.holder != holder } } }

    /// Those that began with a code die.
    func revoke(code: String) { grants.withLock { $0 = $0.filter { $0.value.code != code } } }
}
