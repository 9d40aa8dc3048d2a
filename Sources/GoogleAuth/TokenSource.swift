package import HTTPClient
import Synchronization

/// Hands out access tokens for one identity, refreshes them before they expire, one refresh at a time.
package final class TokenSource: Sendable {
    private struct State {
        var token: AccessToken?
        var hadToken = false
        /// The refresh under way, shared by all who wait.
        var refresh: Task<Result<AccessToken, AuthError>, Never>?
        /// After an early refresh failed: not again before this, as long as the old token lives.
        var quietUntil: ContinuousClock.Instant?
        /// Final refusal: nothing but a person can mend it.
        var dead: AuthError?
        /// The last token that Google refused: whoever offers it again offers nothing.
        var refused: String?
    }

    let fetcher: TokenFetcher?
    private let state = Mutex(State())

    /// The OAuth client id, where the credentials have one: a source remembers it.
    package var clientID: String? { fetcher?.clientID }

    init(_ fetcher: TokenFetcher?) {
        self.fetcher = fetcher
    }

    /// `Authorization` (and `x-goog-user-project`) for a request; empty for `anonymous`.
    ///
    /// A token that is near its end serves while the next one is fetched, but for its last moments; if that fails in passing,
    /// until it expires.
    package func headers() async throws(AuthError) -> [HTTPField] {
        guard let fetcher else { return [] }
        let token = try await token(fetcher)
        return [HTTPField("Authorization", "Bearer \(token.value)")] + fetcher.extraHeaders
    }

    /// Says that a 401 came for these headers: the next `headers()` refreshes, once for however many callers saw the same token.
    package func refused(_ headers: [HTTPField]) async {
        let refused = headers.first { $0.name.lowercased() == "authorization" }?.value
        state.withLock { state in
            guard let token = state.token, refused == "Bearer \(token.value)" else { return }
            state.token = nil
            state.refused = token.value
        }
    }

    private enum Step {
        case use(AccessToken)
        case wait(Task<Result<AccessToken, AuthError>, Never>)
        case fail(AuthError)
    }

    private func token(_ fetcher: TokenFetcher) async throws(AuthError) -> AccessToken {
        switch nextStep(fetcher) {
        case .use(let token): return token
        case .fail(let error): throw error
        case .wait(let refresh):
            switch await refresh.value {
            case .success(let token): return token
            case .failure(let error):
                if let old = usable() { return old }
                throw error
            }
        }
    }

    private func nextStep(_ fetcher: TokenFetcher) -> Step {
        let now = ContinuousClock.now
        return state.withLock { state in
            if let dead = state.dead { return .fail(dead) }
            if let token = state.token {
                if now < token.refreshAt { return .use(token) }
                if now < token.expiresAt, let quiet = state.quietUntil, now < quiet { return .use(token) }
            }
            // However slowly Google answers, nobody waits for the next token while this one is good.
            let spare = state.token.flatMap { now < $0.waitAt ? $0 : nil }
            if let refresh = state.refresh { return spare.map { .use($0) } ?? .wait(refresh) }
            let before = state.hadToken
            let replaced = state.token?.value ?? state.refused
            let refresh = Task {
                let result = await fetcher.fetch(before, replaced)
                self.finish(result, isFinal: fetcher.isFinal)
                return result
            }
            state.refresh = refresh
            return spare.map { .use($0) } ?? .wait(refresh)
        }
    }

    private func finish(_ result: Result<AccessToken, AuthError>, isFinal: Bool) {
        state.withLock { state in
            state.refresh = nil
            switch result {
            case .success(let token):
                state.token = token
                state.hadToken = true
                state.quietUntil = nil
            case .failure(let error):
                state.quietUntil = .now + .seconds(30)
                if error.code != .unavailable, error.code != .untrusted, isFinal { state.dead = error }
            }
        }
    }

    private func usable() -> AccessToken? {
        state.withLock { state in
            guard state.dead == nil, let token = state.token, .now < token.expiresAt else { return nil }
            return token
        }
    }
}
