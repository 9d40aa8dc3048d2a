import FoundationEssentials
import HTTPClient

/// What a token endpoint's answer means.
enum TokenAnswer {
    case token(String, lifetime: Duration)
    /// Asking again may help.
    case passing(AuthError)
    /// Asking again cannot help.
    case refusal(AuthError)

    private struct Token: Decodable {
        let access_token: String
        let expires_in: Double?
    }
    private struct Refusal: Decodable {
        let error: String?
        let error_description: String?
    }
    /// Words in `error` or `error_description` that ask for another try (google-auth, `oauth2/_client.py`).
    private static let passingWords: Set<String> = ["internal_failure", "server_error", "temporarily_unavailable"]

    init(_ response: HTTPResponse, grant: Grant) {
        let body = Data(response.body)
        let subject = grant.subject
        if response.status == 200 {
            guard let token = try? JSONDecoder().decode(Token.self, from: body), !token.access_token.isEmpty,
                token.access_token.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
            else {
                self = .passing(
                    AuthError(code: .unavailable, message: "The answer to \(subject) holds no access token.")
                )
                return
            }
            // RFC 6749 lets expires_in be absent; Google's tokens live an hour.
            let lifetime = min(max(token.expires_in ?? 3599, 1), 86_400)
            self = .token(token.access_token, lifetime: .seconds(lifetime))
            return
        }
        let refusal = try? JSONDecoder().decode(Refusal.self, from: body)
        let words = [refusal?.error, refusal?.error_description].compactMap(\.self)
        if [408, 429].contains(response.status) || response.status >= 500
            || words.contains(where: Self.passingWords.contains)
        {
            self = .passing(
                AuthError(
                    code: .unavailable,
                    message: "No access token for \(subject): the endpoint answered \(response.status)."
                )
            )
            return
        }
        self = .refusal(Self.refusal(of: grant, status: response.status, error: refusal?.error))
    }

    private static func refusal(of grant: Grant, status: Int, error: String?) -> AuthError {
        switch (grant, error) {
        case (.authorizedUser(let user), "invalid_grant"):
            return AuthError(
                code: .loginRequired,
                message: """
                    Google refuses \(user.login): it has expired or was revoked\
                    \(user.mayBeInTesting ? " (a test app's login lasts 7 days)" : ""). \(user.remedy)
                    """
            )
        case (.authorizedUser(let user), "invalid_client"), (.authorizedUser(let user), "unauthorized_client"):
            return AuthError(
                code: .loginRequired,
                message: """
                    Google refuses the OAuth client of \(user.login): it was deleted or its secret has changed. \
                    \(user.clientRemedy)
                    """
            )
        case (.serviceAccount(let account), "invalid_grant"):
            return AuthError(
                code: .badCredentials,
                message: """
                    Google refuses the service account key in \(account.file): the key or the account was deleted, or this \
                    machine's clock is wrong.
                    """
            )
        case (.metadataServer(let server), _):
            return AuthError(
                code: .badCredentials,
                message: """
                    The metadata server \(server.host) answered \(status): this machine has no service account with the \
                    Cloud Storage scope. Give it one, or set GOOGLE_APPLICATION_CREDENTIALS.
                    """
            )
        default:
            return AuthError(
                code: .badCredentials,
                message:
                    "No access token for \(grant.subject): Google answered \(status) \(oauthWord(error) ?? "without a reason")."
            )
        }
    }
}
