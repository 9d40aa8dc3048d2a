import HTTPClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct SendTests {
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

    /// Reads one request after the other and writes `answer` to each.
    static func fixed(_ answer: String) throws -> ScriptedServer {
        try ScriptedServer { connection in
            while true {
                _ = try connection.readBody(try connection.readHead())
                try connection.write(answer)
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

    @Test("nothing is added that changes what a request means", arguments: ["GET", "DELETE", "POST", "PUT", "PATCH"])
    func nothingIsAdded(method: String) async throws {
        let server = try Self.echo()
        let client = HTTPClient()
        let large = [UInt8](repeating: 65, count: 2 << 20)
        for body in method == "GET" || method == "DELETE" ? [.none] : [HTTPRequestBody.none, .bytes([]), .bytes(large)]
        {
            let head = Self.text(try await client.send(HTTPRequest(method, server.url + "/", body: body))).lowercased()
            #expect(head.hasPrefix(method.lowercased() + " / http/1.1\r\n"))
            #expect(!head.contains("\r\nexpect:"))
            #expect(!head.contains("\r\ncontent-type:"))
            #expect(!head.contains("\r\ntransfer-encoding:"))
            #expect(head.contains("\r\ncontent-length:") == (method != "GET" && method != "DELETE"))
        }
    }

    @Test("answers without a body end with their head", arguments: ["204 No Content", "304 Not Modified", "200 OK"])
    func answersWithoutBody(status: String) async throws {
        // 304 and an answer to HEAD may announce the length that GET would give.
        let length = status.hasPrefix("204") ? "" : "Content-Length: 5000\r\n"
        let server = try Self.fixed("HTTP/1.1 \(status)\r\n\(length)ETag: x\r\n\r\n")
        let client = HTTPClient()
        for _ in 0..<3 {
            let method = status.hasPrefix("200") ? "HEAD" : "GET"
            let answer = try await client.send(HTTPRequest(method, server.url))
            #expect(answer.head.header("etag") == "x")
            #expect(answer.body.isEmpty)
        }
        #expect(client.counters.connections == 1)
    }

    @Test func informationalHeadsAreNotTheAnswer() async throws {
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: early\r\n\r\n"
        let server = try Self.fixed(early + "HTTP/1.1 201 Created\r\nX: late\r\nContent-Length: 2\r\n\r\nok")
        let answer = try await HTTPClient().send(HTTPRequest("PUT", server.url, body: .bytes([1, 2, 3])))
        #expect(answer.status == 201)
        #expect(answer.head.headers == [HTTPField("X", "late"), HTTPField("Content-Length", "2")])
        #expect(Self.text(answer) == "ok")
    }

    @Test func aHeadMayComeByteByByte() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            for byte
                in "HTTP/1.1 200 OK\r\nX-Long:  v  \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n"
                .utf8
            {
                try connection.write([byte])
            }
            connection.waitForClose()
        }
        let answer = try await HTTPClient().send(HTTPRequest("GET", server.url))
        #expect(answer.head.headers == [HTTPField("X-Long", "v"), HTTPField("Transfer-Encoding", "chunked")])
        #expect(answer.head.isChunked)
        #expect(Self.text(answer) == "ok")
    }

    @Test func redirectsComeBackAsAnswers() async throws {
        let server = try Self.fixed(
            "HTTP/1.1 308 Resume Incomplete\r\nLocation: /x\r\nRange: bytes=0-9\r\nContent-Length: 0\r\n\r\n"
        )
        let client = HTTPClient()
        let answer = try await client.send(HTTPRequest("PUT", server.url, body: .bytes([1])))
        #expect(answer.status == 308)
        #expect(answer.head.header("range") == "bytes=0-9")
        #expect(client.counters.requests == 1)
    }

    @Test func oneConnectionServesOneRequestAfterTheOther() async throws {
        let server = try Self.echo()
        let client = HTTPClient()
        for index in 0..<20 { _ = try await client.send(HTTPRequest("POST", server.url, body: .bytes([UInt8(index)]))) }
        #expect(client.counters.connections == 1)
        #expect(client.counters.requests == 20)
        #expect(client.counters.bytesOut == 20)
    }

    @Test func manyRequestsAtOnceKeepTheirAnswersApart() async throws {
        let server = try Self.echo()
        let client = HTTPClient()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let answer = try await client.send(HTTPRequest("GET", server.url + "/\(index)"))
                    #expect(Self.text(answer).hasPrefix("GET /\(index) HTTP"))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func anAnswerLargerThanTheLimitIsRefused() async throws {
        let server = try Self.fixed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
        let client = HTTPClient()
        #expect(try await client.send(HTTPRequest("GET", server.url), limit: 10).body.count == 10)
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("GET", server.url), limit: 9)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test(
        "a URL that cannot be used is refused before anything is sent",
        arguments: [
            "", "photos", "/relative", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://a b/",
            "https://h:99999/",
        ]
    )
    func badURL(url: String) async throws {
        let error = await #expect(throws: HTTPError.self) { try await HTTPClient().send(HTTPRequest("GET", url)) }
        #expect(error?.code == .badURL)
    }

    @Test func aLineBreakInAHeaderIsRefused() async throws {
        let server = try Self.echo()
        let client = HTTPClient()
        for field in [HTTPField("A", "b\r\nC: d"), HTTPField("A\nB", "c"), HTTPField("A", "b\u{0}")] {
            let error = await #expect(throws: HTTPError.self) {
                try await client.send(HTTPRequest("GET", server.url, headers: [field]))
            }
            #expect(error?.code == .badURL)
        }
        #expect(client.counters.requests == 0)
    }

    @Test func cancellingTheTaskEndsTheRequest() async throws {
        let arrived = Event()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            arrived.fire()
            connection.waitForClose()
            arrived.fire()
        }
        let client = HTTPClient()
        let task = Task { try await client.send(HTTPRequest("GET", server.url)) }
        await arrived.wait(for: 1)
        task.cancel()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        // The server sees the connection close.
        await arrived.wait(for: 2)
    }

    @Test func aTaskCancelledBeforeItsRequestSendsNothing() async throws {
        let server = try Self.echo()
        let client = HTTPClient()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(HTTPRequest("GET", server.url))
        }
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(client.counters.requests == 0)
    }

    @Test func shutdownFailsWhatIsInFlightAndWhatComesAfter() async throws {
        let arrived = Event()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            arrived.fire()
            connection.waitForClose()
        }
        let client = HTTPClient()
        let task = Task { try await client.send(HTTPRequest("GET", server.url)) }
        await arrived.wait(for: 1)
        client.shutdown()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        let later = await #expect(throws: HTTPError.self) { try await client.send(HTTPRequest("GET", server.url)) }
        #expect(later?.code == .cancelled)
        client.shutdown()
    }
}
