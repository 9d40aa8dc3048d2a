/// Why nobody is asked: an error page, never a redirect, since its address could be anybody's.
struct AuthorizationRefusal: Error, Sendable {
    let status: Int
    let error: String
    let message: String

    static func invalid(_ message: String) -> Self { Self(status: 400, error: "invalid_request", message: message) }
}

/// What a client asks a person for (Google Identity: OAuth 2.0 for desktop apps, web server apps; RFC 6749, section 4.1.1).
struct AuthorizationRequest: Sendable {
    let client: OAuthClient
    let redirectURI: String
    /// As the client named them, in its order, each once.
    let scopes: [String]
    let state: String?
    let nonce: String?
    let challenge: CodeChallenge?
    /// Whether a refresh token is wanted.
    let isOffline: Bool
    /// Some of `none`, `consent`, `select_account`.
    let prompts: Set<String>
    /// Whether scopes that were allowed before are to be in the new tokens as well.
    let includesGranted: Bool
    let loginHint: String?

    init(_ query: QueryFields, clients: [OAuthClient]) throws(AuthorizationRefusal) {
        for name in Self.parameters where query.all(name).count > 1 {
            throw .invalid("OAuth 2 parameters can only have a single value: \(name)")
        }
        func need(_ name: String) throws(AuthorizationRefusal) -> String {
            guard let value = query[name], !value.isEmpty else {
                throw .invalid("Missing required parameter: \(name)")
            }
            return value
        }
        let id = try need("client_id")
        guard let client = clients.first(where: { $0.id == id }) else {
            throw AuthorizationRefusal(status: 401, error: "invalid_client", message: "The OAuth client was not found.")
        }
        self.client = client
        redirectURI = try Self.redirect(try need("redirect_uri"), client)
        let type = try need("response_type")
        guard type == "code" else {
            throw AuthorizationRefusal(
                status: 400,
                error: "unsupported_response_type",
                message: "Invalid response_type: \(type)"
            )
        }
        scopes = try Self.scopes(try need("scope"))
        challenge = try Self.challenge(query)
        isOffline = try Self.choice(query, "access_type", ["online", "offline"]) == "offline"
        includesGranted = try Self.choice(query, "include_granted_scopes", ["false", "true"]) == "true"
        prompts = try Self.prompts(query["prompt"] ?? "")
        state = query["state"]
        nonce = query["nonce"]
        loginHint = query["login_hint"]
    }

    /// The scopes in the form in which they are granted.
    var wanted: Set<String> { Scopes.granted(scopes) }

    private static let parameters = [
        "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method", "access_type", "prompt", "include_granted_scopes", "login_hint",
    ]

    private static func redirect(_ address: String, _ client: OAuthClient) throws(AuthorizationRefusal) -> String {
        if address.hasPrefix("urn:ietf:wg:oauth:2.0:oob") {
            throw .invalid(
                "You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy for keeping "
                    + "apps secure."
            )
        }
        guard client.mayRedirect(to: address) else {
            throw AuthorizationRefusal(
                status: 400,
                error: "redirect_uri_mismatch",
                message:
                    "The redirect URI in the request, \(address), does not match the ones authorized for the OAuth "
                    + "client."
            )
        }
        return address
    }

    private static func scopes(_ text: String) throws(AuthorizationRefusal) -> [String] {
        var scopes: [String] = []
        for scope in text.split(separator: " ").map(String.init) where !scopes.contains(scope) { scopes.append(scope) }
        if scopes.isEmpty { throw .invalid("Missing required parameter: scope") }
        let unknown = scopes.filter { Scopes.description($0) == nil }
        guard unknown.isEmpty else {
            let known = scopes.filter { Scopes.description($0) != nil }
            let valid = known.isEmpty ? "" : "valid=[\(known.joined(separator: ", "))], "
            throw AuthorizationRefusal(
                status: 400,
                error: "invalid_scope",
                message: "Some requested scopes were invalid. {\(valid)invalid=[\(unknown.joined(separator: ", "))]}"
            )
        }
        return scopes
    }

    /// PKCE: without a method the challenge is the verifier itself (RFC 7636, section 4.3).
    private static func challenge(_ query: QueryFields) throws(AuthorizationRefusal) -> CodeChallenge? {
        guard let value = query["code_challenge"] else {
            if query["code_challenge_method"] == nil { return nil }
            throw .invalid("code_challenge_method needs a code_challenge.")
        }
        let name = query["code_challenge_method"] ?? CodeChallenge.Method.plain.rawValue
        guard let method = CodeChallenge.Method(rawValue: name) else {
            throw .invalid("Invalid code_challenge_method: \(name)")
        }
        guard CodeChallenge.isWellFormed(value) else {
            throw .invalid("Invalid code_challenge: it has 43 to 128 characters of A-Z a-z 0-9 - . _ ~")
        }
        return CodeChallenge(value: value, method: method)
    }

    /// One of several words, of which the first is meant where none is given.
    private static func choice(
        _ query: QueryFields,
        _ name: String,
        _ words: [String]
    ) throws(AuthorizationRefusal) -> String {
        let word = query[name] ?? words[0]
        guard words.contains(word) else { throw .invalid("Invalid parameter value for \(name): \(word)") }
        return word
    }

    private static func prompts(_ text: String) throws(AuthorizationRefusal) -> Set<String> {
        let prompts = Set(text.split(separator: " ").map(String.init))
        guard prompts.isSubset(of: ["none", "consent", "select_account"]) else {
            throw .invalid("Invalid parameter value for prompt: \(text)")
        }
        guard !prompts.contains("none") || prompts.count == 1 else {
            throw .invalid("Invalid parameter value for prompt: none excludes all others")
        }
        return prompts
    }
}
