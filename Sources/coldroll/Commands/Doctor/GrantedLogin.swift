import Foundation
import HTTPClient

/// What Google says of a login when it gives an access token for it.
struct GrantedLogin: Sendable, Equatable {
    /// OAuth scopes, as URLs.
    let scopes: Set<String>
    /// How long the login itself lives; nil where Google does not say, as for an app that is published.
    let life: Duration?

    /// The scope that the library takes (Photos APIs, "Authorization scopes").
    static let libraryScope = "https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata"
}

extension Session {
    /// Asks Google's token endpoint for a token, and keeps nothing but what it says of the login.
    ///
    /// - Parameter http: the process's event loop.
    /// - Returns: nil where there is no answer, or one that says nothing: whoever asks for a token is told why.
    func grantedLogin(_ http: HTTPClient) async -> GrantedLogin? {
        struct File: Decodable { let client_id, client_secret, refresh_token: String? }
        struct Answer: Decodable {
            let scope: String?
            let refresh_token_expires_in: Int64?
        }
        guard let path = settings.photosCredentials, let bytes = FileManager.default.contents(atPath: path),
            let file = try? JSONDecoder().decode(File.self, from: bytes)
        else { return nil }
        let fields = [
            ("grant_type", "refresh_token"), ("client_id", file.client_id), ("client_secret", file.client_secret),
            ("refresh_token", file.refresh_token),
        ]
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        let form = fields.map { name, value in
            "\(name)=\((value ?? "").addingPercentEncoding(withAllowedCharacters: plain) ?? "")"
        }
        var request = HTTPRequest(
            "POST",
            tokenAddress,
            headers: [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
            body: .bytes(Array(form.joined(separator: "&").utf8))
        )
        request.stallTimeout = .seconds(20)
        guard let response = try? await http.send(request, limit: 1 << 20), response.status == 200,
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)), let scope = answer.scope
        else { return nil }
        return GrantedLogin(
            scopes: Set(scope.split(separator: " ").map(String.init)),
            life: answer.refresh_token_expires_in.map { .seconds($0) }
        )
    }

    /// Where a person's login is turned into tokens; an `authorized_user` file names no endpoint of its own.
    private var tokenAddress: String {
        guard let base = settings.oauthEndpoint else { return "https://oauth2.googleapis.com/token" }
        return base.hasSuffix("/token") ? base : base + "/token"
    }
}
