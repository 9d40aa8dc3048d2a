import Foundation
import Testing

@testable import GoogleAuth

private let client = OAuthClient(id: "12-ab.apps.googleusercontent.com", secret: "GOCSPX-secret")

private func consent() -> Consent {
    Consent(client: client, redirect: "http://127.0.0.1:54321/", scopes: ["openid", "https://example.org/a b"])
}

@Suite struct ConsentTests {
    @Test func `the link asks for a code that only this process can exchange, and for a login that lasts`() throws {
        let consent = consent()
        let link = try #require(URLComponents(string: consent.link()))
        #expect(link.host == "accounts.google.com" && link.path == "/o/oauth2/v2/auth" && link.scheme == "https")
        let items = try #require(link.queryItems)
        let values = Dictionary(uniqueKeysWithValues: items.map { ($0.name, $0.value ?? "") })
        #expect(values["response_type"] == "code")
        #expect(values["client_id"] == client.id)
        #expect(values["redirect_uri"] == "http://127.0.0.1:54321/")
        #expect(values["scope"] == "openid https://example.org/a b")
        #expect(values["access_type"] == "offline" && values["prompt"] == "consent")
        #expect(values["code_challenge_method"] == "S256")
        #expect(values["state"] == consent.state)
        #expect(values["code_challenge"]?.count == 43)
        #expect(!consent.link().contains(consent.verifier))
        #expect(!consent.link().contains(client.secret))
        #expect(items.count == 9)
    }

    @Test func `the challenge is that of RFC 7636's own example`() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        #expect(base64URL(sha256(Array(verifier.utf8))) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test func `verifier and state differ each time and have the length that the standard asks for`() {
        let all = (0..<50).map { _ in consent() }
        #expect(Set(all.map(\.verifier)).count == 50 && Set(all.map(\.state)).count == 50)
        #expect(all.allSatisfy { $0.verifier.count == 43 && $0.state.count == 22 })
    }

    @Test func `only an answer that names the state is one`() {
        let consent = consent()
        let state = consent.state
        #expect(consent.answer(query: "state=\(state)&code=4%2F0Ab&scope=openid") == .code("4/0Ab"))
        for query in [
            "", "code=4%2F0Ab", "state=&code=4%2F0Ab", "state=\(state)x&code=4%2F0Ab",
            "state=\(state.dropLast())&code=4",
            "state=\(state)", "state=\(state)&code=", "state=\(state)&state=\(state)&code=4", "state=%zz&code=4",
            "state=\(state)&code=4&code=5", "state=\(state)&code=a%0Ab", "error=access_denied", "state=%FF&code=4",
            "state=wrong&error=access_denied",
        ] {
            #expect(consent.answer(query: query) == .foreign, "\(query)")
        }
    }

    @Test func `a refusal says what to do, and shows nothing that the address could have smuggled in`() throws {
        let consent = consent()
        guard case .refused(let sentence) = consent.answer(query: "state=\(consent.state)&error=access_denied") else {
            Issue.record("a refusal was not taken for one")
            return
        }
        #expect(sentence.contains("test user"))
        guard case .refused(let other) = consent.answer(query: "error=%1B%5B2Jx%3Cb%3E&state=\(consent.state)") else {
            Issue.record("a refusal was not taken for one")
            return
        }
        #expect(other == "Google's page answered without a reason.")
    }
}

@Suite struct OAuthClientTests {
    @Test func `a desktop client is read as the console hands it out`() throws {
        let json = """
            {"installed":{"client_id":"123-abc.apps.googleusercontent.com","project_id":"p",
             "auth_uri":"https://accounts.google.com/o/oauth2/auth","token_uri":"https://oauth2.googleapis.com/token",
             "auth_provider_x509_cert_url":"https://www.googleapis.com/oauth2/v1/certs","client_secret":"GOCSPX-x",
             "redirect_uris":["http://localhost"]}}
            """
        let client = try OAuthClient(Array(json.utf8), name: "c.json")
        #expect(client == OAuthClient(id: "123-abc.apps.googleusercontent.com", secret: "GOCSPX-x"))
        #expect(client.loopback == nil)
    }

    @Test func `a web client brings its port`() throws {
        let json = """
            {"web":{"client_id":"1","client_secret":"s","redirect_uris":["https://example.org/","http://localhost:8085/back"]}}
            """
        let loopback = try #require(try OAuthClient(Array(json.utf8), name: "c.json").loopback)
        #expect(loopback == ("http://localhost:8085/back", 8085))
    }

    @Test(arguments: [
        ("", "not complete JSON"), ("{", "not complete JSON"), ("[1]", "not complete JSON"), ("{}", "no OAuth client"),
        (#"{"installed":{"client_id":"1"}}"#, "lacks client_secret"),
        (#"{"installed":{"client_id":"","client_secret":"s"}}"#, "lacks client_id"),
        (#"{"type":"service_account"}"#, "service account"), (#"{"type":"authorized_user"}"#, "a login already"),
        (
            #"{"installed":{"client_id":"1","client_secret":"s3cr3t","auth_uri":"https://evil.example/auth"}}"#,
            "not a client of Google's"
        ),
        (
            #"{"web":{"client_id":"1","client_secret":"s3cr3t","redirect_uris":["https://example.org/"]}}"#,
            "http://127.0.0.1:8085/"
        ),
        (#"{"web":{"client_id":"1","client_secret":"s3cr3t"}}"#, "http://127.0.0.1:8085/"),
        (
            #"{"web":{"client_id":"1","client_secret":"s3cr3t","redirect_uris":["http://127.0.0.1:8085@evil.example/"]}}"#,
            "http://127.0.0.1:8085/"
        ),
        (
            #"{"installed":{"client_id":"1","client_secret":"s3cr3t","auth_uri":"https://accounts.google.com@evil.example/"}}"#,
            "not a client of Google's"
        ),
    ])
    func `another file is refused with what it is, and without what it holds`(_ json: String, _ words: String) {
        #expect {
            try OAuthClient(Array(json.utf8), name: "c.json")
        } throws: {
            let error = $0 as? AuthError
            return error?.code == .badCredentials && "\($0)".contains(words) && "\($0)".contains("c.json")
                && "\($0)".contains("(Google Auth Platform, Clients, type Desktop app)") && !"\($0)".contains("s3cr3t")
        }
    }
}
