import Synchronization

/// What people have allowed clients to do, until they take it back.
final class Consents: Sendable {
    private struct Consent {
        var scopes: Set<String> = []
        var isOffline = false
    }

    private let state = Mutex<[Holder: Consent]>([:])

    /// All that has been allowed so far.
    func scopes(_ holder: Holder) -> Set<String> { state.withLock { $0[holder]?.scopes ?? [] } }

    /// Whether nothing is left to ask.
    func cover(_ holder: Holder, scopes: Set<String>, isOffline: Bool) -> Bool {
        state.withLock { state in
            guard let consent = state[holder] else { return false }
            return scopes.isSubset(of: consent.scopes) && (consent.isOffline || !isOffline)
        }
    }

    /// Adds to what is allowed; true if access without the person was not allowed before and is now.
    func record(_ holder: Holder, scopes: Set<String>, isOffline: Bool) -> Bool {
        state.withLock { state in
            var consent = state[holder] ?? Consent()
            let isFirst = isOffline && !consent.isOffline
            consent.scopes.formUnion(scopes)
            if isOffline { consent.isOffline = true }
            state[holder] = consent
            return isFirst
        }
    }

    func forget(_ holder: Holder) { state.withLock { $0[holder] = nil } }
}
