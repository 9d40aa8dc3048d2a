import FoundationEssentials
package import GoogleAuth
package import JobQueue

/// The two places that say which login a source has: the state store, which is right, and the ledger, which the fleet asks.
///
/// A login is written to the state store first. Where the two differ, something ended between the writes, two logins came at
/// once, or one of the two is an older copy: whoever notices brings the ledger to what the state store has.
package struct LoginRecords: Sendable {
    let ledger: Ledger
    let store: LoginStore
    let key: FleetKey?
    let keyPath: String

    package init(ledger: Ledger, store: LoginStore, key: FleetKey?, keyPath: String) {
        self.ledger = ledger
        self.store = store
        self.key = key
        self.keyPath = keyPath
    }

    /// What both say.
    package enum Agreement: Sendable, Equatable {
        /// The state store has no login, and says of no logout either.
        case nothing
        case loggedOut
        /// How the ledger knows it tells whether Google refuses it.
        case login(Login, SharedLogin)
    }

    /// Makes the ledger name the login that the state store has, or that the owner has logged out.
    ///
    /// - Parameters:
    ///   - source: whose login it is.
    ///   - client: id of the OAuth client that lists the source, where the caller knows it.
    /// - Returns: what both say from now on.
    /// - Throws: `AuthError` `.badCredentials` if that login is another client's, `LedgerError` `.foreignAccount` if it is somebody
    ///   else's: the ledger stays as it is; what the ledger and `LoginStore.look` throw.
    package func agree(source: Int64, client: String? = nil) async throws -> Agreement {
        for _ in 0..<20 {
            // The ledger first: what it names was in the state store before, so what is there now is no older.
            let named = try await ledger.login(source: source)
            switch try await store.look(key, keyPath: keyPath) {
            case .login(let login, _):
                if let named, named.id == login.id { return .login(login, named) }
                guard client == nil || login.clientID == client else {
                    throw AuthError(
                        code: .badCredentials,
                        message:
                            "The login in \(store.place) is of another OAuth client than before. Run 'coldroll login "
                            + "--client FILE' with the first one."
                    )
                }
                // And look again: a login or logout in between has the last word.
                try await ledger.signIn(
                    source: source,
                    id: login.id,
                    subject: login.subject,
                    email: login.email,
                    scopes: login.scopes,
                    lifetime: Self.lifetime(login),
                    replacing: named?.id
                )
            case .loggedOut:
                if let named { try await refuse(named.id, of: source) }
                return .loggedOut
            case .nothing: return .nothing
            }
        }
        throw AuthError(
            code: .unavailable,
            message: "The login of account \(store.account) changes faster than it can be read. Try again."
        )
    }

    /// How a logout ended.
    package enum Logout: Sendable, Equatable {
        case done
        /// There was no login to end.
        case wasNone
        /// Another login came meanwhile, and stays.
        case overtaken
    }

    /// Ends the login: at Google's, in the ledger, in the state store.
    ///
    /// Broken off anywhere, the fleet believes in no login that is gone, and the next call does the rest.
    /// - Parameters:
    ///   - sources: all of the account.
    ///   - revoke: ends it at Google's; one that is ended already is no error.
    /// - Returns: which login is there now.
    /// - Throws: what `revoke`, the ledger and `LoginStore.look` throw.
    package func end(sources: [Int64], revoke: (Login) async throws -> Void) async throws -> Logout {
        // The ledger first, as in `agree`.
        var named: [(source: Int64, id: String)] = []
        for source in sources {
            if let login = try await ledger.login(source: source) { named.append((source, login.id)) }
        }
        guard case .login(let login, let generation) = try await store.look(key, keyPath: keyPath) else {
            for (source, id) in named { try await refuse(id, of: source) }
            return .wasNone
        }
        try await revoke(login)
        named += sources.map { ($0, login.id) }
        for (source, id) in named { try await refuse(id, of: source) }
        let isForgotten = try await store.forget(generation: generation)
        // Once more: who was between its look at the state store and its word to the ledger has spoken now, or looks again.
        for (source, id) in named { try await refuse(id, of: source) }
        return isForgotten ? .done : .overtaken
    }

    private func refuse(_ login: String, of source: Int64) async throws {
        try await ledger.refuseLogin(
            source: source,
            login: login,
            reason: "The owner of account \(store.account) has logged out. To go on, run "
                + "\(LoginStore.firstLogin(account: store.account))."
        )
    }

    /// How long Google will honour it; never longer than when it was new, whatever this host's clock shows.
    private static func lifetime(_ login: Login) -> Duration? {
        login.endsAt.map { .seconds(min($0.timeIntervalSinceNow, $0.timeIntervalSince(login.signedInAt))) }
    }
}
