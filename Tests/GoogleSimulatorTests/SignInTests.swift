import Foundation
import Testing

@testable import GoogleSimulator

@Suite(.timeLimit(.minutes(5))) struct SignInTests {
    @Test func theExampleOfTheStandardFitsItsChallenge() {
        // RFC 7636, appendix B
        let challenge = CodeChallenge(value: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", method: .s256)
        #expect(challenge.admits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
        #expect(!challenge.admits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"))
        #expect(!challenge.admits(challenge.value))
    }

    @Test(arguments: [
        "http://127.0.0.1", "http://localhost:1/a?b=c", "http://[::1]:65535", "http://127.0.0.1?query",
    ])
    func loopbackAddressesAreRecognised(address: String) { #expect(isLoopbackRedirect(address)) }

    @Test(arguments: [
        "http://127.0.0.1:", "http://127.0.0.1:+5/", "http://127.0.0.10/", "http://localhost.:80/", "HTTP://localhost/",
        "http://user@localhost/", "http://localhost:80\r\nX: y", "http://lo\u{441}alhost/", "", "http://",
    ])
    func otherAddressesAreNot(address: String) { #expect(!isLoopbackRedirect(address)) }

    @Test func aKeySignsWhatItsPublicPartVerifies() throws {
        let key = try RSAKey()
        let text = Array("header.claims".utf8)
        let signature = try key.sign(text)
        #expect(key.verifies(signature, of: text) && !key.verifies(signature, of: text + [0]))
        #expect(key.modulus.count == 256 && key.modulus[0] >= 128 && key.exponent == [1, 0, 1])
        #expect(try !RSAKey().verifies(signature, of: text))
    }

    @Test func aCodeIsTakenOnceWhateverIsTriedAtTheSameTime() async throws {
        let request = try AuthorizationRequest(QueryFields(query), clients: [client])
        let person = Person(name: "A B", email: "b@example.com", subject: "1", isTestUser: true)
        let desk = AuthorizationDesk(codeLifetimeSeconds: 600)
        let code = desk.issue(
            AuthorizationCode(request: request, person: person, scopes: [], givesRefreshToken: false)
        )
        #expect(AuthorizationDesk.isWellFormed(code))
        let taken = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    if case .granted = desk.redeem(code, objection: { _ in nil }) { true } else { false }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 1)
    }

    @Test func whatAnAppSaysIsShownAsText() throws {
        // A quote with an accent on it is one character, and still ends an attribute.
        let hostile = percentEncoded("http://evil.example/\"\u{301}<script>&'")
        try withSimulator { simulator, client in
            let app = try registered(simulator.clientFile)
            let page = client.send("GET", "/o/oauth2/auth?client_id=\(app.id)&redirect_uri=\(hostile)")
            #expect(page.status == 400)
            #expect(page.text.utf8Contains("http://evil.example/&quot;\u{301}&lt;script&gt;&amp;&#39;"))
        }
    }

    @Test func eachServiceAnswersUnderItsOwnNameOnly() throws {
        try withSimulator {
            $0.usesGoogleNames = true
        } _: { simulator, client in
            let places = [
                ("GET", "/o/oauth2/v2/auth", "accounts.google.com", 400),
                ("GET", "/tokeninfo", "oauth2.googleapis.com", 400),
                ("POST", "/token", "oauth2.googleapis.com", 400), ("POST", "/revoke", "oauth2.googleapis.com", 400),
                ("GET", "/oauth2/v3/certs", "www.googleapis.com", 200),
            ]
            for (method, path, host, status) in places {
                #expect(client.send(method, path, ["Host": host]).status == status, "\(path)")
                #expect(client.send(method, path, ["Host": host + ":443"]).status == status, "\(path)")
                for (_, _, other, _) in places where other != host {
                    #expect(client.send(method, path, ["Host": other]).status == 404, "\(path) at \(other)")
                }
            }
        }
    }

    @Test func aPersonIsSentBackWithACodeThatGivesTokensAndTheStepsAreCounted() throws {
        try withSimulator { simulator, client in
            #expect(
                simulator.people.map(\.email) == ["owner@example.com", "guest@example.com", "stranger@example.com"]
            )
            simulator.setRefreshLifetime(seconds: 60)
            let app = try registered(simulator.clientFile)
            let redirect = "http://127.0.0.1:4321"
            let page = client.send(
                "GET",
                "/o/oauth2/v2/auth?response_type=code&access_type=offline&prompt=consent&scope=openid&state=s"
                    + "&client_id=\(app.id)&redirect_uri=\(percentEncoded(redirect))"
            )
            let ticket = try #require(
                page.text.split(separator: "name=\"ticket\" value=\"").last?.prefix { $0 != "\"" }
            )
            let form = "ticket=\(ticket)&account=owner@example.com&scope=openid&action=continue"
            let answer = client.send("POST", "/signin/oauth/consent", body: Array(form.utf8))
            let location = try #require(answer.headers["location"])
            #expect(answer.status == 302 && location.hasPrefix(redirect + "?state=s&code=4%2F0A"))
            let code = try #require(location.split(separator: "code=").last?.prefix { $0 != "&" })
            let exchange =
                "grant_type=authorization_code&code=\(code)&redirect_uri=\(percentEncoded(redirect))"
                + "&client_id=\(app.id)&client_secret=\(app.secret)"
            let tokens = client.send("POST", "/token", body: Array(exchange.utf8))
            // A login that only tells who somebody is does not end.
            #expect(tokens.status == 200 && tokens.json["refresh_token_expires_in"] == nil)
            #expect(tokens.json["refresh_token"] != nil && tokens.json["id_token"] != nil)
            let counters = simulator.counters
            #expect(counters.oauth("codes") == 1 && counters.oauth("exchange.ok") == 1)
            #expect(counters.oauth("requests_without_pkce") == 1 && counters.oauth("exchange.invalid_grant") == 0)
            #expect(counters.requests("authorize") == 1 && counters.requests("consent") == 1)
        }
    }

    private let client = OAuthClient(
        id: "id",
        secret: "secret",
        kind: .installed,
        name: "App",
        redirectURIs: ["http://localhost"]
    )
    private let query = "client_id=id&redirect_uri=http%3A%2F%2Flocalhost&response_type=code&scope=openid"

    private func registered(_ file: String) throws -> (id: String, secret: String) {
        let value = try #require(JSONValue.parse(Array(Data(contentsOf: URL(filePath: file)))))
        let content = try #require(value["installed"])
        return (try #require(content["client_id"]?.text), try #require(content["client_secret"]?.text))
    }
}
