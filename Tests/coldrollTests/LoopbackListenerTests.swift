import Foundation
import GoogleAuth
import HTTPClient
import Testing

@testable import coldroll

@Suite(.timeLimit(.minutes(5))) struct LoopbackListenerTests {
    private let http = HTTPClient()

    private func get(_ listener: LoopbackListener, _ target: String, method: String = "GET") async throws -> (
        Int, String
    ) {
        let response = try await http.send(
            HTTPRequest(method, "http://127.0.0.1:\(listener.port)\(target)"),
            limit: 1 << 20
        )
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    @Test func `each answer of the browser gets a page that says what to do, and none repeats what came`() async throws
    {
        let consent = Consent(
            client: OAuthClient(id: "1", secret: "s"),
            redirect: "http://127.0.0.1/",
            scopes: ["openid"]
        )
        let link = try #require(URLComponents(string: consent.link()))
        let state = try #require(link.queryItems?.first { $0.name == "state" }?.value)
        let listener = try LoopbackListener(port: 0) { consent.answer(query: $0) }
        let good = try await get(listener, "/?state=\(state)&code=4%2Fsecret&scope=openid")
        #expect(good.0 == 200 && good.1.contains("Go back to the terminal") && !good.1.contains("secret"))
        let denied = try await get(listener, "/?state=\(state)&error=access_denied")
        #expect(denied.0 == 200 && denied.1.contains("not granted"))
        let wrong = try await get(listener, "/?state=other&code=%3Cscript%3E")
        #expect(wrong.0 == 400 && wrong.1.contains("not the answer to the login") && !wrong.1.contains("script>"))
        #expect(try await get(listener, "/favicon.ico").0 == 404)
        #expect(try await get(listener, "/?state=\(state)&code=4", method: "POST").0 == 405)
        await listener.stop()
    }

    @Test(arguments: [Consent.Answer.refused("no"), .code("4/0"), .foreign])
    func `a login that ends as soon as the answer came sends the browser its page first`(answer: Consent.Answer)
        async throws
    {
        let (judged, judge) = AsyncStream.makeStream(of: Void.self)
        let listener = try LoopbackListener(port: 0) { _ in
            judge.finish()
            // Whoever waits for the answer is far ahead of the page.
            Thread.sleep(forTimeInterval: 0.3)
            return answer
        }
        async let page = get(listener, "/?state=1")
        for await _ in judged {}
        await listener.stop()
        #expect(try await page.1.contains("<h1>coldroll</h1>"))
        await #expect(throws: (any Error).self) { try await get(listener, "/") }
    }

    @Test func `a port that is taken is an error that names it`() async throws {
        let first = try LoopbackListener(port: 0) { _ in .foreign }
        #expect {
            try LoopbackListener(port: first.port) { _ in .foreign }
        } throws: { "\(($0 as? CommandFailure)?.message ?? "")".contains("127.0.0.1:\(first.port)") }
        await first.stop()
    }
}

@Suite struct BrowserTests {
    @Test func `without a desktop there is no browser to open, whatever is installed`() {
        #expect(Browser(environment: ["PATH": "/usr/bin:/bin"]) == nil)
        #expect(Browser(environment: ["PATH": "/nonexistent", "DISPLAY": ":0"]) == nil)
    }

    @Test func `BROWSER names the program, with its arguments`() throws {
        let browser = try #require(Browser(environment: ["PATH": "/usr/bin:/bin", "BROWSER": "env A=1 %s:other"]))
        #expect(browser.program.hasSuffix("/env") && browser.arguments == ["A=1", "%s"])
        #expect(Browser(environment: ["PATH": "/usr/bin", "BROWSER": "no-such-program"]) == nil)
        #expect(Browser(environment: ["BROWSER": "/opt/browser"])?.program == "/opt/browser")
    }

    @Test func `only what has something to say about a scope is told when it was not granted`() {
        for source in [.library, .picker, nil] as [Source?] {
            #expect(
                LoginScope.missing(from: LoginScope.needed(by: source).map(\.scope), of: LoginScope.needed(by: source))
                    == []
            )
        }
        let missing = LoginScope.missing(from: ["openid"], of: LoginScope.needed(by: .library))
        #expect(missing.count == 1 && missing[0].contains("appcreateddata") && missing[0].contains("coldroll scan"))
    }

    @Test func `one login is for all sources of an account: what each needs is asked for, once`() {
        for (chosen, others) in [(.library, [.picker]), (.picker, [.library, .picker]), (nil, [.library])]
            as [(Source?, [Source])]
        {
            let names = LoginScope.needed(by: chosen, and: others).map(\.name).sorted()
            #expect(
                names == [
                    "email", "openid", "photoslibrary.readonly.appcreateddata", "photospicker.mediaitems.readonly",
                ]
            )
        }
        #expect(LoginScope.needed(by: .library, and: []).count == 3)
    }
}
