import Foundation
import GoogleSimulator
import HTTPClient
import Testing

/// What a person does at Google's pages, with the hands of a test.
struct Decision {
    var account: String?
    var ticks = true
    var cancels = false
}

extension Stage {
    /// Without a credentials file: the login in the state store counts.
    static let byLogin = ["COLDROLL_PHOTOS_CREDENTIALS": ""]

    /// Starts `coldroll login` with words and settings; its link is where `link` looks for it.
    func startLogin(_ words: [String], changing changes: [String: String] = [:]) throws -> Program {
        try Program(
            Self.programs + "/coldroll",
            ["login"] + words,
            environment.merging(Self.byLogin) { $1 }.merging(changes) { $1 },
            output: directory + "/" + UUID().uuidString,
            reads: true
        )
    }

    /// The link that the program shows.
    func link(of program: Program) async throws -> String {
        let start = simulator.url + "/o/oauth2/v2/auth?"
        func found() throws -> String? {
            try program.output.split(separator: "\n").first { $0.hasPrefix(start) }.map(String.init)
        }
        try await until("the program shows its link: \(try program.output)") { try found() != nil }
        return try #require(try found())
    }

    /// Goes through Google's pages from the link; returns the address that the browser is sent to at the end.
    func decide(_ link: String, _ decision: Decision = Decision()) async throws -> String {
        var page = try await send(HTTPRequest("GET", link))
        if text(page).contains("id=\"warning\"") {
            page = try await post("/signin/oauth/warning", [("ticket", try ticket(page))])
        }
        let person = try decision.account ?? #require(simulator.people.first).email
        var fields = [("ticket", try ticket(page)), ("account", person)]
        for box in text(page).matches(of: #/name="scope" id="scope-\d+" value="([^"]+)"/#) where decision.ticks {
            fields.append(("scope", String(box.1)))
        }
        fields.append(("action", decision.cancels ? "cancel" : "continue"))
        let answer = try await post("/signin/oauth/consent", fields)
        try #require(answer.status == 302, "\(text(answer))")
        return try #require(answer.head.header("Location"))
    }

    /// Opens an address as a browser would.
    func open(_ address: String) async throws -> Int { try await send(HTTPRequest("GET", address)).status }

    /// What a browser shows at an address.
    func page(_ address: String) async throws -> String { text(try await send(HTTPRequest("GET", address))) }

    /// A whole login, ended well.
    func logIn(_ words: [String] = [], changing changes: [String: String] = [:]) async throws {
        let program = try startLogin(["--no-browser"] + words, changing: changes)
        try program.enter(try await decide(try await link(of: program)))
        let end = try await program.end()
        try #require(end.status == 0, "\(end.output)")
    }

    private func ticket(_ page: HTTPResponse) throws -> String {
        String(try #require(text(page).firstMatch(of: #/name="ticket" value="([^"]+)"/#), "\(text(page))").1)
    }

    private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    private func post(_ path: String, _ fields: [(String, String)]) async throws -> HTTPResponse {
        var form = URLComponents()
        form.queryItems = fields.map { URLQueryItem(name: $0, value: $1) }
        let body = (form.percentEncodedQuery ?? "").replacing("+", with: "%2B")
        return try await send(
            HTTPRequest(
                "POST",
                simulator.url + path,
                headers: [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
                body: .bytes(Array(body.utf8))
            )
        )
    }

    private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthorities = simulator.certificateAuthorityFile
        let http = HTTPClient(configuration)
        defer { http.shutdown() }
        return try await http.send(request, limit: 1 << 20)
    }
}
