import FoundationEssentials
import HTTPClient

/// What Google says of a person's login when it gives an access token for it.
package struct GrantedLogin: Sendable, Equatable {
    /// OAuth scopes, as URLs.
    package let scopes: Set<String>
    /// How long the login itself lives; nil where Google does not say, as for an app that is published.
    package let life: Duration?

    /// Both parts as they are.
    package init(scopes: Set<String>, life: Duration?) {
        self.scopes = scopes
        self.life = life
    }
}

extension TokenSource {
    /// Asks for an access token, once, and keeps nothing but what Google says of the login; for `coldroll doctor`.
    ///
    /// - Returns: nil where there is no answer, one that says nothing, or no person's login: `headers()` tells why.
    package func granted() async -> GrantedLogin? {
        struct Answer: Decodable {
            let scope: String?
            let refresh_token_expires_in: Double?
        }
        guard let endpoint = fetcher?.endpoint, case .authorizedUser(let user) = endpoint.grant,
            let response = try? await endpoint.http.send(user.request(), limit: 1 << 20), response.status == 200,
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)), let scope = answer.scope
        else { return nil }
        return GrantedLogin(
            scopes: Set(scope.split(separator: " ").map(String.init)),
            life: answer.refresh_token_expires_in.map { .seconds(min(max($0, 0), Login.longestLife)) }
        )
    }
}
