import Foundation
import HTTPClient
import HTTPServer
import Synchronization
import TestSupport
import Testing

@testable import GoogleAuth

private let client = OAuthClient(id: "12-ab.apps.googleusercontent.com", secret: "GOCSPX-SECRET")
private let secrets = ["SECRET", "ya29.", "1//0", "PRIVATE KEY", "4/0A"]

private func identity(_ claims: String) -> String { "e30." + base64URL(Array(claims.utf8)) + ".c2ln" }

/// Errors say what to do, and nothing of what came or of what a file holds.
private func check(_ error: AuthError, _ comment: Comment) {
    for secret in secrets { #expect(!error.message.contains(secret), comment) }
    #expect(error.message.count < 1000, comment)
    #expect(error.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, comment)
}

/// Answers of token endpoints, credential files and pasted addresses that are almost right, or hardly.
@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
    private static let refusals = [
        #"{"error":"invalid_grant","error_description":"Token SECRET has been expired or revoked."}"#,
        #"{"error":"invalid_client","error_description":"ya29.SECRET"}"#, #"{"error":"internal_failure"}"#,
        "<html>SECRET</html>",
    ]
    private static let words = [
        "access_token", "refresh_token", "id_token", "expires_in", "scope", "error", "invalid_grant", "ya29.SECRET",
        "1//0SECRET",
        "a\\u0000b", "a\\nb", "a b", "é",
    ]

    @Test func `a damaged answer gives a token that can stand in a header, or none`() async throws {
        let user = AuthorizedUser(
            login: "the login in f",
            remedy: "Log in again.",
            clientRemedy: "Change it.",
            mayBeInTesting: true,
            url: "https://oauth2.googleapis.com/token",
            clientID: client.id,
            clientSecret: client.secret,
            refreshToken: "1//0SECRET",
            quotaProject: nil
        )
        let account = ServiceAccount(
            file: "f",
            url: "https://oauth2.googleapis.com/token",
            audience: "a",
            scope: "s",
            email: "e",
            keyID: nil,
            key: try SigningKey(pem: SampleKey.pem, file: "f"),
            quotaProject: nil
        )
        let grants = [
            Grant.authorizedUser(user), .serviceAccount(account),
            .metadataServer(MetadataServer(host: nil, scope: "s")),
        ]
        let good = [
            #"{"access_token":"ya29.SECRET","expires_in":3599,"scope":"s","token_type":"Bearer"}"#,
            #"{"access_token":"SECRET.two","expires_in":0.5}"#, #"{"access_token":"SECRETthree"}"#,
        ]
        var round = 0
        try await Fuzz(good + Self.refusals, words: Self.words, isJSON: true).run("token answers", rounds: 4000) {
            input,
            comment in
            let status = [200, 200, 200, 400, 401, 403, 429, 500][round % 8]
            round += 1
            let response = HTTPResponse(head: HTTPHead(status: status, headers: []), body: input)
            switch TokenAnswer(response, grant: grants[round % 3]) {
            case .token(let value, let lifetime):
                #expect(status == 200, comment)
                #expect(!value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 < 127 }, comment)
                #expect((.seconds(1)...Duration.seconds(86_400)).contains(lifetime), comment)
                return .accepted
            case .passing(let error):
                #expect(error.code == .unavailable, comment)
                check(error, comment)
            case .refusal(let error):
                // Nothing but Google's own word ends a login.
                let text = String(decoding: input, as: UTF8.self)
                let words = ["invalid_grant", "invalid_client", "unauthorized_client"]
                #expect(error.code == .badCredentials || words.contains(where: text.contains), comment)
                #expect(error.code != .unavailable && status != 200, comment)
                check(error, comment)
            }
            return .refused
        }
    }

    @Test func `a damaged answer to a login gives one that can be kept whole, or an error`() async throws {
        let claims =
            #"{"sub":"104","email":"ada@example.org","aud":"12-ab.apps.googleusercontent.com","exp":1700003600}"#
        let answer = Mutex<(Int, [UInt8])>((200, []))
        let server = try HTTPServer { _ in
            let (status, body) = answer.withLock { $0 }
            return .answer(ServerAnswer(status, body: .bytes(body)))
        }
        let http = HTTPClient()
        defer { http.shutdown() }
        let desk = LoginDesk(http: http, tokenEndpoint: "http://127.0.0.1:\(server.port)")
        let consent = Consent(client: client, redirect: "http://127.0.0.1:5/", scopes: ["openid"])
        let good = """
            {"access_token":"ya29.SECRET","expires_in":3599,"refresh_token":"1//0SECRET","scope":"openid https://s/a",
            "refresh_token_expires_in":604799,"id_token":"\(identity(claims))"}
            """
        let odd = [
            #"{"sub":"a\u0000b","aud":"12-ab.apps.googleusercontent.com"}"#,
            #"{"sub":"","aud":"12-ab.apps.googleusercontent.com"}"#,
            #"{"sub":"104","email":"a\u001b[2J\u202e","aud":"12-ab.apps.googleusercontent.com"}"#,
            #"{"sub":"104","aud":"other"}"#,
            #"{"sub":"104","aud":["12-ab.apps.googleusercontent.com"]}"#,
        ].map(identity)
        var round = 0
        try await Fuzz(
            [good, good.replacing("604799", with: "1e308")] + Self.refusals,
            words: Self.words + odd,
            isJSON: true
        )
        .run("logins", rounds: 1500) { input, comment in
            round += 1
            answer.withLock { $0 = (round % 5 == 0 ? 400 : 200, input) }
            do throws(AuthError) {
                let login = try await desk.login(code: "4/0ASECRET", consent)
                #expect(round % 5 != 0, comment)
                for text in [login.refreshToken, login.subject] + login.scopes {
                    #expect(!text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 }, comment)
                }
                #expect(
                    login.email?.unicodeScalars.contains { $0.properties.generalCategory == .control } != true,
                    comment
                )
                let life = login.endsAt.map { $0.timeIntervalSince(login.signedInAt) }
                #expect((0...4e8).contains(life ?? 0), comment)
                // As kept, to the second.
                let kept = Login(decoding: login.encoded())
                #expect(kept?.refreshToken == login.refreshToken && kept?.subject == login.subject, comment)
                #expect((kept?.endsAt == nil) == (login.endsAt == nil), comment)
                return .accepted
            } catch {
                check(error, comment)
                return .refused
            }
        }
    }

    @Test func `a damaged id token says whose login it is, or nothing`() async throws {
        let answer = Mutex<[UInt8]>([])
        let server = try HTTPServer { _ in .answer(ServerAnswer(200, body: .bytes(answer.withLock { $0 }))) }
        let http = HTTPClient()
        defer { http.shutdown() }
        let desk = LoginDesk(http: http, tokenEndpoint: "http://127.0.0.1:\(server.port)")
        let consent = Consent(client: client, redirect: "http://127.0.0.1:5/", scopes: ["openid"])
        let corpus = [
            #"{"sub":"104","email":"ada@example.org","aud":"12-ab.apps.googleusercontent.com","exp":1700003600}"#,
            #"{"aud":"12-ab.apps.googleusercontent.com","sub":"1"}"#, #"{"sub":"104","aud":"other"}"#,
        ]
        let words = ["sub", "aud", "email", client.id, "a\\u0000b", "é", "a b"]
        try await Fuzz(corpus, words: words, isJSON: true).run("id tokens", rounds: 1500) { input, comment in
            let token = "e30." + base64URL(input) + ".c2ln"
            let json = #"{"refresh_token":"1//0SECRET","scope":"openid","id_token":"\#(token)"}"#
            answer.withLock { $0 = Array(json.utf8) }
            do throws(AuthError) {
                let login = try await desk.login(code: "4/0ASECRET", consent)
                let text = String(decoding: input, as: UTF8.self)
                #expect(text.contains(client.id) && text.contains(login.subject), comment)
                #expect(login.subject.utf8.allSatisfy { $0 > 32 && $0 < 127 }, comment)
                return .accepted
            } catch {
                #expect(error.code == .badCredentials, comment)
                check(error, comment)
                return .refused
            }
        }
    }

    @Test func `a damaged credentials file leads to Google or is refused without what it holds`() async throws {
        let corpus = [
            SampleKey.file(), SampleKey.file(tokenURI: "https://oauth2.googleapis.com/token"),
            #"{"type":"authorized_user","client_id":"c","client_secret":"GOCSPX-SECRET","refresh_token":"1//0SECRET"}"#,
            #"{"refresh_token":"1//0SECRET","token_uri":"https://evil.example/","client_id":"c","client_secret":"GOCSPX-SECRET"}"#,
        ]
        let words = [
            "authorized_user", "service_account", "external_account", "https://evil.example/token",
            "http://oauth2.googleapis.com/",
            "https://oauth2.googleapis.com@evil.example/", "token_uri", "type",
        ]
        try await Fuzz(corpus, words: words, isJSON: true).run("credentials", rounds: 3000) { input, comment in
            do {
                let grant = try CredentialsFile(input, name: "f.json").grant(scope: "s", tokenEndpoint: nil)
                let url = try grant.request().url
                let host = try #require(URLComponents(string: url)?.host, comment)
                #expect(
                    url.hasPrefix("https://") && (host == "accounts.google.com" || host.hasSuffix(".googleapis.com")),
                    comment
                )
                return .accepted
            } catch let error as AuthError {
                #expect(error.code == .badCredentials, comment)
                check(error, comment)
                return .refused
            }
        }
    }

    @Test func `a damaged OAuth client is a client of Google's, or is refused without its secret`() async throws {
        let corpus = [
            """
            {"installed":{"client_id":"123-abc.apps.googleusercontent.com","project_id":"p","auth_uri":
            "https://accounts.google.com/o/oauth2/auth","token_uri":"https://oauth2.googleapis.com/token",
            "client_secret":"GOCSPX-SECRET","redirect_uris":["http://localhost"]}}
            """,
            #"{"web":{"client_id":"1","client_secret":"GOCSPX-SECRET","redirect_uris":["http://127.0.0.1:8085/"]}}"#,
            #"{"type":"service_account"}"#,
        ]
        let words = [
            "installed", "web", "redirect_uris", "https://accounts.google.com@evil.example/",
            "http://127.0.0.1:8085@evil.example/",
            "http://localhost:99999/", "http://127.0.0.1:80/a b", "https://evil.example/",
        ]
        try await Fuzz(corpus, words: words, isJSON: true).run("OAuth clients", rounds: 3000) { input, comment in
            do {
                let client = try OAuthClient(input, name: "f.json")
                #expect(!client.id.isEmpty && !client.secret.isEmpty, comment)
                if let (redirect, port) = client.loopback {
                    let there = try #require(URLComponents(string: redirect), comment)
                    #expect(["127.0.0.1", "localhost"].contains(there.host) && there.user == nil, comment)
                    #expect(there.port == Int(port) && there.scheme == "http", comment)
                }
                return .accepted
            } catch let error as AuthError {
                #expect(error.code == .badCredentials, comment)
                check(error, comment)
                return .refused
            }
        }
    }

    @Test func `a damaged address that is pasted gives a code only with the state, and nothing that steers a terminal`()
        async throws
    {
        let consent = Consent(client: client, redirect: "http://127.0.0.1:54321/", scopes: ["openid"])
        let state = consent.state
        let corpus = [
            "http://127.0.0.1:54321/?state=\(state)&code=4%2F0AbCd&scope=openid%20email&authuser=0",
            "http://127.0.0.1:54321/?error=access_denied&state=\(state)",
            "http://127.0.0.1:54321/?state=guessed&code=4%2F0Aevil", "what is this?",
        ]
        let words = [
            "&state=\(state)", "state=", "&code=", "&error=", "+", "%00", "%1B%5B2J", "%E2%80%AE", "%", "&", "=", ";",
            "?", "#",
        ]
        try await Fuzz(corpus, words: words).run("pasted addresses", rounds: 5000) { input, comment in
            let address = String(decoding: input, as: UTF8.self)
            switch consent.answer(address: address) {
            case .code(let code):
                #expect(address.contains(state), comment)
                #expect(!code.isEmpty && code.utf8.allSatisfy { $0 > 32 && $0 < 127 }, comment)
                return .accepted
            case .refused(let sentence):
                #expect(address.contains(state), comment)
                #expect(sentence.count < 400 && sentence.utf8.allSatisfy { (32..<127).contains($0) }, comment)
                return .accepted
            case .foreign: return .refused
            }
        }
    }

    @Test func `a damaged key file or sealed login is no key and no login`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "coldroll-fuzz-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/key"
        let key = try FleetKey.loadOrMake(path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let sealed = key.seal(Array(#"{"refresh_token":"1//0SECRET"}"#.utf8), context: "c")
        try await Fuzz([sealed]).run("sealed logins", rounds: 2000, least: 0) { input, comment in
            // Base64 has one form only that the same bytes are written in, so another text is another sealed login.
            let open = key.unseal(String(decoding: input, as: UTF8.self), context: "c")
            if let open { #expect(open == Array(#"{"refresh_token":"1//0SECRET"}"#.utf8), comment) }
            #expect(
                open == nil || String(decoding: input, as: UTF8.self).prefix(sealed.count - 1) == sealed.dropLast(),
                comment
            )
            return open == nil ? .refused : .accepted
        }
        try await Fuzz([text]).run("key files", rounds: 1500) { input, comment in
            let descriptor = open(path, O_WRONLY | O_TRUNC)
            _ = input.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            close(descriptor)
            do {
                let read = try #require(try FleetKey.load(path), comment)
                #expect(read.id.utf8.count == 16, comment)
                return .accepted
            } catch let error as AuthError {
                #expect(error.code == .badCredentials, comment)
                #expect(!error.message.contains(text.dropFirst(20).prefix(12)), comment)
                return .refused
            }
        }
    }
}
