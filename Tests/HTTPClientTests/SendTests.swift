import HTTPClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct SendTests {
    /// Answers each request with its own head and body.
    static func echo() throws -> ScriptedServer {
        try ScriptedServer { connection in
            while true {
                let head = try connection.readHead()
                let body = try connection.readBody(head)
                try connection.answer("200 OK", head + String(decoding: body, as: UTF8.self))
            }
        }
    }

    static func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func methodHeadersAndBodyArriveAsGiven() async throws {
        let server = try Self.echo()
        let client = HTTPClient()
        let fields = [HTTPField("X-One", "a b"), HTTPField("X-Empty", ""), HTTPField("Accept", "text/plain")]
        let request = HTTPRequest("PATCH", server.url + "/p/a?q=1", headers: fields, body: .bytes(Array("hello".utf8)))
        let text = Self.text(try await client.send(request))
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.first == "PATCH /p/a?q=1 HTTP/1.1")
        #expect(lines.last == "hello")
        for line in ["X-One: a b", "X-Empty:", "Accept: text/plain", "Content-Length: 5", "User-Agent: coldroll"] {
            #expect(lines.contains(Substring(line)), "\(text)")
        }
    }
}
