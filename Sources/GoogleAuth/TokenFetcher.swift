import HTTPClient

/// Where a `TokenSource` gets its tokens from.
struct TokenFetcher: Sendable {
    /// Public part of an OAuth client; only people's logins have one.
    let clientID: String?
    /// What goes with every request beside `Authorization`.
    let extraHeaders: [HTTPField]
    /// Whether a refusal is for ever: a file's is, a login that the owner can renew is not.
    let isFinal: Bool
    /// What is asked, where that is Google itself and not what others keep.
    let endpoint: TokenEndpoint?
    /// `before` is whether a token came from here before, `replaced` the one that is too old or was refused.
    let fetch: @Sendable (_ before: Bool, _ replaced: String?) async -> Result<AccessToken, AuthError>

    /// `quotaProject` wins over the one that the credentials name.
    init(_ endpoint: TokenEndpoint, quotaProject: String? = nil) {
        clientID = endpoint.grant.clientID
        extraHeaders =
            quotaProject.map { [HTTPField("x-goog-user-project", $0)] } ?? endpoint.grant.extraHeaders
        isFinal = true
        self.endpoint = endpoint
        fetch = { before, _ in await endpoint.fetch(before: before) }
    }

    init(clientID: String, fetch: @escaping @Sendable (String?) async -> Result<AccessToken, AuthError>) {
        self.clientID = clientID
        extraHeaders = []
        isFinal = false
        endpoint = nil
        self.fetch = { _, replaced in await fetch(replaced) }
    }
}

extension TokenSource {
    /// Tokens of a login that others share: what they fetched serves here too.
    ///
    /// - Parameters:
    ///   - clientID: of the OAuth client.
    ///   - fetch: gets the token that is too old or was refused (nil: none yet), and answers with another; one call at a time.
    /// - Returns: a source that has not asked for a token yet. A refusal is not remembered: the owner may log in again.
    package static func shared(
        clientID: String,
        fetch: @escaping @Sendable (_ replaced: String?) async -> Result<AccessToken, AuthError>
    ) -> TokenSource {
        TokenSource(TokenFetcher(clientID: clientID, fetch: fetch))
    }
}
