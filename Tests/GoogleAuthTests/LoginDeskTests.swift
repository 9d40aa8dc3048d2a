import Foundation
import HTTPClient
import HTTPServer
import Testing

@testable import GoogleAuth

private let client = OAuthClient(id: "12-ab.apps.googleusercontent.com", secret: "GOCSPX-s&cret")

/// An id_token as the endpoint gives it; nobody checks its signature where it came from Google itself.
private func identity(_ claims: String) -> String { "e30." + base64URL(Array(claims.utf8)) + ".c2ln" }

private let good = """
    {"access_token":"ya29.a","expires_in":3599,"refresh_token":"1//0g","scope":"openid https://s/a","token_type":"Bearer",
     "id_token":"\(identity(#"{"sub":"104","email":"ada@example.org","aud":"12-ab.apps.googleusercontent.com"}"#))"
    """

@Suite(.timeLimit(.minutes(5))) struct LoginDeskTests {
    private let consent = Consent(client: client, redirect: "http://127.0.0.1:5/", scopes: ["openid"])

    private func login(_ answers: ServerAnswer) async throws -> (Login, TokenServer) {
        let server = try TokenServer(answers)
        let desk = LoginDesk(http: HTTPClient(), tokenEndpoint: server.url)
        return (try await desk.login(code: "4/0A b", consent), server)
    }

    @Test func `a code is exchanged once, with the proof that it was asked for here`() async throws {
        let (login, server) = try await login(.json(200, good + #","refresh_token_expires_in":604799}"#))
        #expect(server.asked.count == 1 && server.asked[0].path == "/token" && server.asked[0].method == "POST")
        #expect(
            server.asked[0].form
                == "grant_type=authorization_code&code=4%2F0A%20b&client_id=12-ab.apps.googleusercontent.com"
                + "&client_secret=GOCSPX-s%26cret&redirect_uri=http%3A%2F%2F127.0.0.1%3A5%2F&code_verifier=\(consent.verifier)"
        )
        #expect(login.refreshToken == "1//0g" && login.subject == "104" && login.email == "ada@example.org")
        #expect(login.scopes == ["openid", "https://s/a"] && login.clientID == client.id)
        let life = try #require(login.endsAt).timeIntervalSince(login.signedInAt)
        #expect(life == 604_799)
        // What is kept is what Google's own tools read too.
        let kept = try #require(Login(decoding: login.encoded()))
        #expect(kept.refreshToken == login.refreshToken && kept.id == login.id && kept.client == client)
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(login.encoded())) as? [String: Any])
        #expect(fields["type"] as? String == "authorized_user" && fields["client_secret"] as? String == client.secret)
    }

    @Test func `an app that is published gives a login without an end`() async throws {
        #expect(try await login(.json(200, good + "}")).0.endsAt == nil)
    }

    @Test(arguments: [
        (
            400, #"{"error":"invalid_grant","error_description":"Malformed auth code."}"#,
            AuthError.Code.badCredentials, "the code"
        ),
        (401, #"{"error":"invalid_client"}"#, .badCredentials, "--client"),
        (503, "", .unavailable, "503"), (200, "{", .unavailable, "cannot be read"),
        (200, #"{"access_token":"ya29.a","scope":"openid"}"#, .badCredentials, "myaccount.google.com/connections"),
        (200, #"{"refresh_token":"1//secret","access_token":"ya29.a"}"#, .badCredentials, "whose login"),
        (
            200, #"{"refresh_token":"1//secret","id_token":"\#(identity(#"{"sub":"104","aud":"other"}"#))"}"#,
            .badCredentials,
            "whose login"
        ),
    ])
    func `less than a login is an error that says what to do`(
        _ status: Int,
        _ body: String,
        _ code: AuthError.Code,
        _ words: String
    ) async throws {
        let server = try TokenServer(.json(status, body))
        let desk = LoginDesk(http: HTTPClient(), tokenEndpoint: server.url)
        await #expect {
            try await desk.login(code: "4/0A", consent)
        } throws: {
            ($0 as? AuthError)?.code == code && "\($0)".contains(words) && !"\($0)".contains("1//secret")
                && !"\($0)".contains("4/0A")
        }
        #expect(server.asked.count == 1)
    }

    @Test func `a logout revokes the refresh token, and one that is dead already is no error`() async throws {
        let (login, _) = try await login(.json(200, good + "}"))
        for (status, body, throwing) in [
            (200, "{}", false), (400, #"{"error":"invalid_token"}"#, false), (400, #"{"error":"other"}"#, true),
            (503, "", true),
        ] {
            let server = try TokenServer(.json(status, body))
            let desk = LoginDesk(http: HTTPClient(), tokenEndpoint: server.url)
            do {
                try await desk.revoke(login)
                #expect(!throwing)
            } catch { #expect(throwing, "\(error)") }
            #expect(server.asked.map(\.path) == ["/revoke"] && server.asked[0].form == "token=1%2F%2F0g")
        }
    }

    @Test func `a login that Google refuses for good asks for another`() async throws {
        let (login, _) = try await login(.json(200, good + "}"))
        let server = try TokenServer(
            .json(400, #"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#)
        )
        let result = await LoginDesk(http: HTTPClient(), tokenEndpoint: server.url).refresh(login)
        guard case .failure(let error) = result else {
            Issue.record("a refused login gave a token")
            return
        }
        #expect(error.code == .loginRequired)
        #expect(
            error.message.contains("the login of ada@example.org") && error.message.contains("Run 'coldroll login'.")
        )
    }
}
