import Foundation
import GoogleSimulator
import HTTPClient
import HTTPServer
import Testing

@testable import GoogleAuth

private let scope = "https://www.googleapis.com/auth/devstorage.read_write"

private let login = #"""
    {"type":"authorized_user","client_id":"12-ab.apps.googleusercontent.com","client_secret":"GOCSPX-s&cret",
     "refresh_token":"1//0g+refresh","quota_project_id":"my-project"}
    """#

private func source(_ json: String, _ server: TokenServer) throws(AuthError) -> TokenSource {
    try TokenSource.json(
        Array(json.utf8),
        named: "login.json",
        scope: scope,
        tokenEndpoint: server.url,
        http: HTTPClient()
    )
}

@Suite(.timeLimit(.minutes(5))) struct TokenSourceTests {
    @Test func aLoginIsRefreshedWithAFormAndTheTokenServesManyRequests() async throws {
        let server = try TokenServer(.token("t1"))
        let tokens = try source(login, server)
        #expect(tokens.clientID == "12-ab.apps.googleusercontent.com")
        for _ in 0..<3 {
            #expect(
                try await tokens.headers() == [
                    HTTPField("Authorization", "Bearer t1"), HTTPField("x-goog-user-project", "my-project"),
                ]
            )
        }
        #expect(server.asked.count == 1)
        #expect(server.asked[0].path == "/token")
        #expect(
            server.asked[0].form
                == "client_id=12-ab.apps.googleusercontent.com&client_secret=GOCSPX-s%26cret"
                + "&refresh_token=1%2F%2F0g%2Brefresh&grant_type=refresh_token"
        )
    }

    @Test func aLoginAsGooglesOwnToolSavesItIsALogin() async throws {
        // What google-oauthlib-tool --save writes: no type, and more fields than are needed.
        let saved = """
            {"refresh_token": "1//r", "token_uri": "https://oauth2.googleapis.com/token", "client_id": "12-ab",
             "client_secret": "s", "scopes": ["https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata"]}
            """
        let server = try TokenServer(.token("t1"))
        let tokens = try source(saved, server)
        #expect(tokens.clientID == "12-ab")
        #expect(try await tokens.headers() == [HTTPField("Authorization", "Bearer t1")])
    }

    @Test func manyWhoWaitShareOneRefresh() async throws {
        let server = try TokenServer(.token("t1", delay: 0.3), .token("t2", delay: 0.3))
        let tokens = try source(login, server)
        func all() async throws -> Set<String> {
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await tokens.headers()[0].value } }
                return try await group.reduce(into: []) { $0.insert($1) }
            }
        }
        #expect(try await all() == ["Bearer t1"])
        let refused = try await tokens.headers()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { await tokens.refused(refused) } }
        }
        #expect(try await all() == ["Bearer t2"])
        // A late 401 for the old token does not cost the new one.
        await tokens.refused(refused)
        #expect(try await all() == ["Bearer t2"])
        #expect(server.asked.count == 2)
    }

    @Test func aTokenIsReplacedWhenAFifthOfItsShortLifeIsLeft() async throws {
        let server = try TokenServer(.token("t1", lives: 2), .token("t2"))
        let tokens = try source(login, server)
        let start = ContinuousClock.now
        while try await tokens.headers()[0].value == "Bearer t1" { try await Task.sleep(for: .milliseconds(20)) }
        let life = ContinuousClock.now - start
        #expect(life > .seconds(1.5) && life < .seconds(2.5))
    }

    @Test func anHourLongTokenIsReplacedFiveMinutesBeforeItsEnd() {
        let now = ContinuousClock.now
        let token = AccessToken(value: "t", requested: now, lifetime: .seconds(3599))
        #expect(token.expiresAt == now + .seconds(3599))
        #expect(token.refreshAt == now + .seconds(3299))
        // Whoever wants to send something in its last minute waits for the next one.
        #expect(token.waitAt == now + .seconds(3539))
    }

    @Test func theOldTokenServesWhileAnEarlyRefreshFails() async throws {
        let server = try TokenServer(.token("t1", lives: 10), .json(503, "", retryAfter: 600))
        let tokens = try source(login, server)
        while server.asked.count < 2 {
            #expect(try await tokens.headers()[0].value == "Bearer t1")
            try await Task.sleep(for: .milliseconds(20))
        }
        for _ in 0..<5 { #expect(try await tokens.headers()[0].value == "Bearer t1") }
        #expect(server.asked.count == 2)
    }

    @Test func nobodyWaitsForTheNextTokenWhileTheOldOneIsGood() async throws {
        // The second answer takes longer than the test may.
        let server = try TokenServer(.token("t1", lives: 20), .token("t2", delay: 600))
        let tokens = try source(login, server)
        let start = ContinuousClock.now
        while server.asked.count < 2 {
            #expect(try await tokens.headers()[0].value == "Bearer t1")
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await tokens.headers()[0].value == "Bearer t1")
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test(
        "passing faults are tried again",
        arguments: [
            ServerAnswer.json(503, "<html>"), .json(408, ""), .json(429, "{}", retryAfter: 1), .json(500, ""),
            .json(400, #"{"error":"temporarily_unavailable"}"#),
            .json(401, #"{"error":"x","error_description":"internal_failure"}"#),
            .json(200, "<html>Welcome to the hotel</html>"), .json(200, "{}"), .json(200, #"{"access_token":"a\nb"}"#),
            ServerAnswer(200, fault: .reset),
        ]
    )
    func passing(answer: ServerAnswer) async throws {
        let server = try TokenServer(answer, .token("t1"))
        #expect(try await source(login, server).headers()[0].value == "Bearer t1")
        #expect(server.asked.count == 2)
    }

    @Test func retryAfterIsObeyedAndAnOutageGivesUpAfterThreeTries() async throws {
        let server = try TokenServer(.json(429, "", retryAfter: 2), .json(503, ""))
        let start = ContinuousClock.now
        let tokens = try source(login, server)
        await #expect { try await tokens.headers() } throws: { ($0 as? AuthError)?.code == .unavailable }
        #expect(ContinuousClock.now - start >= .seconds(2))
        #expect(server.asked.count == 3)
    }

    @Test func aHostThatIsNotThereIsAnOutage() async throws {
        let server = try TokenServer(ServerAnswer(200, fault: .closeWithoutAnswer))
        let tokens = try source(login, server)
        await #expect { try await tokens.headers() } throws: { error in
            (error as? AuthError)?.code == .unavailable && "\(error)".contains("login.json")
        }
    }

    @Test func aDeadLoginAsksForANewOneAndIsNeverTriedAgain() async throws {
        let server = try TokenServer(
            .json(400, #"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#)
        )
        let tokens = try source(login, server)
        for _ in 0..<3 {
            await #expect { try await tokens.headers() } throws: { error in
                (error as? AuthError)?.code == .loginRequired
                    && "\(error)".contains("Log in again with the same OAuth client")
                    && "\(error)".contains("login.json") && !"\(error)".contains("0g+refresh")
            }
        }
        #expect(server.asked.count == 1)
    }

    @Test(
        "other refusals are final and say what to do",
        arguments: [
            (400, #"{"error":"invalid_scope"}"#, "invalid_scope"),
            (403, "<html>", "403 without a reason"),
        ]
    )
    func final(status: Int, body: String, words: String) async throws {
        let server = try TokenServer(.json(status, body))
        let tokens = try source(login, server)
        await #expect { try await tokens.headers() } throws: { error in
            (error as? AuthError)?.code == .badCredentials && "\(error)".contains(words)
        }
        #expect(server.asked.count == 1)
    }

    @Test("a client that Google refuses needs another login", arguments: ["invalid_client", "unauthorized_client"])
    func refusedClient(word: String) async throws {
        let server = try TokenServer(.json(401, #"{"error":"\#(word)"}"#))
        let tokens = try source(login, server)
        await #expect { try await tokens.headers() } throws: { error in
            (error as? AuthError)?.code == .loginRequired && "\(error)".contains("deleted or its secret has changed")
        }
        #expect(server.asked.count == 1)
    }

    @Test func anonymousSendsNoHeaderAtAll() async throws {
        #expect(try await TokenSource.anonymous.headers() == [])
        await TokenSource.anonymous.refused([])
        #expect(TokenSource.anonymous.clientID == nil)
    }
}

@Suite(.timeLimit(.minutes(5))) struct ServiceAccountTests {
    @Test func theAssertionIsWhatOpenSSLMakesOfTheSameKey() throws {
        guard
            case .serviceAccount(let account) = try CredentialsFile(Array(SampleKey.file().utf8), name: "key.json")
                .grant(scope: scope, tokenEndpoint: nil)
        else { throw AuthError(code: .badCredentials, message: "not a service account") }
        #expect(account.url == "https://oauth2.googleapis.com/token")
        #expect(try account.assertion(at: 1_700_000_000) == SampleKey.assertion)
    }

    @Test func theAssertionIsSentAndTheTokenComesBack() async throws {
        let server = try TokenServer(.token("sa1"))
        let tokens = try source(SampleKey.file(tokenURI: "https://oauth2.googleapis.com/token"), server)
        #expect(try await tokens.headers() == [HTTPField("Authorization", "Bearer sa1")])
        #expect(tokens.clientID == nil)
        let form = server.asked[0].form
        #expect(form.hasPrefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey"))
        #expect(form.split(separator: ".").count == 3)
    }

    @Test func aDeletedKeyIsABadKeyAndNoLogin() async throws {
        let server = try TokenServer(
            .json(400, #"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#)
        )
        let tokens = try source(SampleKey.file(), server)
        await #expect { try await tokens.headers() } throws: { ($0 as? AuthError)?.code == .badCredentials }
    }

    @Test(
        "a key file that leads elsewhere than to Google signs nothing",
        arguments: [
            "https://evil.example/token", "http://oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com@evil.example/token",
            "https://oauth2.googleapis.com:8443/token", "https://oauth2.googleapis.com",
            "https://googleapis.com.evil.example/token",
            "https://evilgoogleapis.com/token", "https://evil.example#.googleapis.com/",
            "https://evil.example?.googleapis.com/",
            "https://OAuth2.googleapis.com/token", "https://oauth2。googleapis.com/token", "https://[::1]/token",
            "https://2130706433/",
            "https://evil.example\\\\.googleapis.com/", "https://oauth2.googleapis.com/token\\r\\nX: y",
            "file:///etc/passwd", "",
        ]
    )
    func foreignKeyFiles(_ uri: String) throws {
        let file = Array(SampleKey.file(tokenURI: uri).utf8)
        #expect {
            try CredentialsFile(file, name: "key.json").grant(scope: scope, tokenEndpoint: nil)
        } throws: {
            let error = $0 as? AuthError
            return error?.code == .badCredentials && "\($0)".contains("key.json")
                && "\($0)".contains("token_uri leads elsewhere")
        }
    }

    @Test(arguments: [
        "https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v4/token",
    ])
    func keyFilesOfAnyAgeLeadToGoogle(_ uri: String) throws {
        let file = Array(SampleKey.file(tokenURI: uri).utf8)
        #expect(
            try CredentialsFile(file, name: "key.json").grant(scope: scope, tokenEndpoint: nil).request().url == uri
        )
    }
}

@Suite(.timeLimit(.minutes(5))) struct MetadataServerTests {
    @Test func theMetadataServerGivesATokenForTheScope() async throws {
        let server = try TokenServer(.token("md1"))
        let tokens = try TokenSource.applicationDefault(
            environment: ["GCE_METADATA_HOST": server.host],
            scope: scope,
            tokenEndpoint: nil,
            http: HTTPClient()
        )
        #expect(try await tokens.headers() == [HTTPField("Authorization", "Bearer md1")])
        let asked = server.asked[0]
        #expect(asked.method == "GET")
        #expect(asked.path == "/computeMetadata/v1/instance/service-accounts/default/token")
        #expect(asked.query == "scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_write")
        #expect(asked.flavor == "Google")
    }

    @Test func whereThereIsNoneTheErrorSaysWhatToSet() async throws {
        let tokens = try TokenSource.applicationDefault(
            environment: ["GCE_METADATA_HOST": "127.0.0.1:1"],
            scope: scope,
            tokenEndpoint: nil,
            http: HTTPClient()
        )
        await #expect { try await tokens.headers() } throws: { error in
            (error as? AuthError)?.code == .badCredentials && "\(error)".contains("GOOGLE_APPLICATION_CREDENTIALS")
        }
    }

    @Test func aSilentOneIsGivenUpAfterSeconds() async throws {
        let server = try TokenServer(.token("late", delay: 60))
        let start = ContinuousClock.now
        let tokens = try TokenSource.applicationDefault(
            environment: ["GCE_METADATA_HOST": server.host],
            scope: scope,
            tokenEndpoint: nil,
            http: HTTPClient()
        )
        await #expect(throws: AuthError.self) { try await tokens.headers() }
        let patience = ContinuousClock.now - start
        #expect(patience >= .seconds(9) && patience < .seconds(20))
        // As google-auth: three times three seconds.
        #expect(server.asked.count == 3)
    }

    @Test func `a silent one is waited for as long as GCE_METADATA_TIMEOUT says`() async throws {
        let server = try TokenServer(.token("late", delay: 60))
        let start = ContinuousClock.now
        let tokens = try TokenSource.applicationDefault(
            environment: ["GCE_METADATA_HOST": server.host, "GCE_METADATA_TIMEOUT": "1"],
            scope: scope,
            tokenEndpoint: nil,
            http: HTTPClient()
        )
        await #expect(throws: AuthError.self) { try await tokens.headers() }
        let patience = ContinuousClock.now - start
        #expect(patience >= .seconds(3) && patience < .seconds(9))
        #expect(server.asked.count == 3)
    }

    @Test(arguments: [("7", 7), ("", 3), ("soon", 3), ("0", 3), ("-1", 3), ("99999999999999999999", 3)])
    func `a timeout that is none is three seconds`(text: String, seconds: Int) {
        #expect(MetadataServer.patience(in: ["GCE_METADATA_TIMEOUT": text]) == .seconds(seconds))
    }

    @Test func `GOOGLE_CLOUD_QUOTA_PROJECT goes with each request, and wins over the file's`() async throws {
        let server = try TokenServer(.token("a"))
        let file = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString).json")
        try Data(login.replacing("{", with: #"{"quota_project_id":"of-the-file","#, maxReplacements: 1).utf8).write(
            to: file
        )
        defer { try? FileManager.default.removeItem(at: file) }
        func project(_ environment: [String: String]) async throws -> String? {
            try await TokenSource.applicationDefault(
                environment: environment,
                scope: scope,
                tokenEndpoint: "http://\(server.host)",
                http: HTTPClient()
            ).headers().first { $0.name == "x-goog-user-project" }?.value
        }
        let named = ["GOOGLE_APPLICATION_CREDENTIALS": file.path]
        #expect(try await project(named) == "of-the-file")
        let set = ["GOOGLE_CLOUD_QUOTA_PROJECT": "of-the-environment"]
        #expect(try await project(named.merging(set) { $1 }) == "of-the-environment")
        #expect(try await project(named.merging(["GOOGLE_CLOUD_QUOTA_PROJECT": ""]) { $1 }) == "of-the-file")
        #expect(try await project(["GCE_METADATA_HOST": server.host].merging(set) { $1 }) == "of-the-environment")
        #expect(try await project(["GCE_METADATA_HOST": server.host]) == nil)
    }

    @Test(arguments: [403, 404])
    func aMachineWithoutAServiceAccountIsToldWhatToDo(status: Int) async throws {
        let server = try TokenServer(.json(status, "<html>"))
        let tokens = try TokenSource.applicationDefault(
            environment: ["GCE_METADATA_HOST": server.host],
            scope: scope,
            tokenEndpoint: nil,
            http: HTTPClient()
        )
        await #expect { try await tokens.headers() } throws: { error in
            (error as? AuthError)?.code == .badCredentials && "\(error)".contains("no service account")
                && "\(error)".contains("GOOGLE_APPLICATION_CREDENTIALS")
        }
        #expect(server.asked.count == 1)
    }
}

@Suite struct CredentialsFileTests {
    @Test(
        "a file that is not what it should be is refused with what is wanted, and without its content",
        arguments: [
            ("", "not complete JSON"), ("SECRET", "not complete JSON"),
            (#"{"type":"authorized_user","client_id":"SECR"#, "not complete JSON"),
            (#"["SECRET"]"#, "not complete JSON"), (#"{"type":7}"#, "not complete JSON"), ("{}", "without a type"),
            (#"{"type":"authorized_user","client_secret":"SECRET"}"#, "lacks client_id, refresh_token"),
            (#"{"refresh_token":"SECRET"}"#, "lacks client_id, client_secret"),
            (#"{"type":"service_account","client_email":"a@b"}"#, "lacks private_key"),
            (#"{"type":"service_account","client_email":"a@b","private_key":"SECRET"}"#, "PEM"),
            (#"{"type":"external_account","x":"SECRET"}"#, "of type external_account"),
            (#"{"installed":{"client_id":"x","client_secret":"SECRET"}}"#, "log in with it"),
            (#"{"web":{"client_id":"x","client_secret":"SECRET"}}"#, "log in with it"),
        ]
    )
    func refused(json: String, words: String) {
        #expect {
            try TokenSource.json(
                Array(json.utf8),
                named: "f.json",
                scope: scope,
                tokenEndpoint: nil,
                http: HTTPClient()
            )
        } throws: { error in
            (error as? AuthError)?.code == .badCredentials && "\(error)".contains(words)
                && "\(error)".contains("f.json")
                && !"\(error)".contains("SECRET")
        }
    }

    @Test func credentialsAreLookedForWhereGooglesToolsLook() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "coldroll-\(UUID().uuidString)")
        let gcloud = folder.appending(path: ".config/gcloud")
        try FileManager.default.createDirectory(at: gcloud, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (http, file) = (HTTPClient(), gcloud.appending(path: "application_default_credentials.json"))
        func found(_ environment: [String: String]) throws -> String? {
            try TokenSource.applicationDefault(environment: environment, scope: scope, tokenEndpoint: nil, http: http)
                .clientID
        }
        #expect(try found(["HOME": folder.path]) == nil)
        try Data(login.utf8).write(to: file)
        #expect(try found(["HOME": folder.path]) == "12-ab.apps.googleusercontent.com")
        #expect(
            try found(["HOME": "/nonexistent", "CLOUDSDK_CONFIG": gcloud.path]) == "12-ab.apps.googleusercontent.com"
        )
        let key = folder.appending(path: "key.json")
        try Data(SampleKey.file().utf8).write(to: key)
        #expect(try found(["HOME": folder.path, "GOOGLE_APPLICATION_CREDENTIALS": key.path]) == nil)
        #expect {
            try found(["HOME": folder.path, "GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent.json"])
        } throws: { "\($0)".contains("GOOGLE_APPLICATION_CREDENTIALS") && "\($0)".contains("/nonexistent.json") }
    }

    @Test(arguments: ["CLOUDSDK_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS"])
    func `a login of gcloud's that is over names gcloud's command, and no test app`(variable: String) async throws {
        let server = try TokenServer(.json(400, #"{"error":"invalid_grant"}"#))
        let folder = FileManager.default.temporaryDirectory.appending(path: "coldroll-gcloud-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "application_default_credentials.json")
        try Data(login.utf8).write(to: file)
        let tokens = try TokenSource.applicationDefault(
            environment: [variable: variable == "CLOUDSDK_CONFIG" ? folder.path : file.path],
            scope: scope,
            tokenEndpoint: server.url,
            http: HTTPClient()
        )
        await #expect { try await tokens.headers() } throws: { error in
            (error as? AuthError)?.code == .loginRequired && !"\(error)".contains("test app")
                && "\(error)".contains("was revoked. Run 'gcloud auth application-default login'")
        }
    }

    @Test(
        "the override is a base URL, with or without its path",
        arguments: ["http://h:1", "http://h:1/", "http://h:1/token", "http://h:1/token/"]
    )
    func override(endpoint: String) {
        #expect(CredentialsFile.tokenURL(endpoint) == "http://h:1/token")
    }
}

/// Google's own answers, as the simulator gives them.
@Suite(.timeLimit(.minutes(5))) struct SimulatedGoogleTests {
    let simulator: Simulator
    let http = HTTPClient()

    init() throws { simulator = try Simulator.start(SimulatorConfiguration()) }

    private func tokens(_ file: String) throws -> TokenSource {
        try TokenSource.file(file, scope: scope, tokenEndpoint: simulator.url, http: http)
    }

    @Test
    func `a certificate that is not trusted is no outage, and the error says what to do`()
        async throws
    {
        var configuration = SimulatorConfiguration()
        configuration.hasTLS = true
        let impostor = try Simulator.start(configuration)
        defer {
            simulator.stop()
            impostor.stop()
        }
        let tokens = try TokenSource.file(
            impostor.photosCredentialsFile,
            scope: scope,
            tokenEndpoint: impostor.url,
            http: http
        )
        await #expect { try await tokens.headers() } throws: { error in
            let words = ["The certificate of localhost:", "is not trusted", "name its CA bundle in SSL_CERT_FILE."]
            return (error as? AuthError)?.code == .untrusted && words.allSatisfy("\(error)".contains)
        }
    }

    private func status(_ tokens: TokenSource) async throws -> Int {
        let list = HTTPRequest("GET", simulator.url + "/storage/v1/b/archive/o", headers: try await tokens.headers())
        return try await http.send(list).status
    }

    @Test func theKeyOfAServiceAccountOpensTheBucket() async throws {
        defer { simulator.stop() }
        #expect(try await status(tokens(simulator.storageCredentialsFile)) == 200)
    }

    @Test func aLoginOpensTheBucketAndATokenThatDiedIsReplaced() async throws {
        defer { simulator.stop() }
        let tokens = try tokens(simulator.storageUserCredentialsFile)
        #expect(try await status(tokens) == 200)
        let old = try await tokens.headers()
        simulator.expireTokens()
        #expect(try await status(tokens) == 401)
        await tokens.refused(old)
        #expect(try await status(tokens) == 200)
        #expect(simulator.counters.requests("token") == 2)
    }

    @Test func aRevokedLoginHasToBeRenewed() async throws {
        defer { simulator.stop() }
        struct Login: Decodable { let refresh_token: String }
        let bytes = try Data(contentsOf: URL(filePath: simulator.photosCredentialsFile))
        let secret = try JSONDecoder().decode(Login.self, from: bytes).refresh_token
        let revoke = HTTPRequest(
            "POST",
            simulator.url + "/revoke",
            body: .bytes(Array("token=\(formEncoded(secret))".utf8))
        )
        #expect(try await http.send(revoke).status == 200)
        let tokens = try tokens(simulator.photosCredentialsFile)
        await #expect { try await tokens.headers() } throws: { ($0 as? AuthError)?.code == .loginRequired }
    }
}
