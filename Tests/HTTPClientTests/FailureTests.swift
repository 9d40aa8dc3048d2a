import Foundation
import HTTPClient
import Testing

/// Peers that break off, lie about lengths, or fall silent.
@Suite(.timeLimit(.minutes(5))) struct FailureTests {
    static func code(_ client: HTTPClient, _ request: HTTPRequest) async -> HTTPError.Code? {
        do {
            let answer = try await client.send(request)
            Issue.record("an answer came: \(answer.status)")
            return nil
        } catch {
            #expect(!error.message.contains("secret"), "\(error)")
            #expect(error.message.contains("127.0.0.1"), "\(error)")
            return error.code
        }
    }

    @Test(
        "a broken answer is never taken for a whole one",
        arguments: [
            "",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012345678",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n0123456789",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeX0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n0\r\n\r\n",
            "this is not HTTP\r\n\r\n",
        ]
    )
    func brokenAnswer(bytes: String) async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write(bytes)
        }
        let client = HTTPClient()
        #expect(await Self.code(client, HTTPRequest("GET", server.url + "/secret?secret=1")) == .cut)
        // The same through a buffer.
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        let error = await #expect(throws: HTTPError.self) {
            _ = try await client.download(HTTPRequest("GET", server.url), into: buffer)
            try await buffer.waitForEnd()
        }
        #expect(error?.code == .cut)
        #expect(!buffer.hasEnded)
    }

    @Test func bytesBeyondTheLengthDoNotReachTheNextAnswer() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )
            _ = try connection.readHead()
            try connection.answer("200 OK", "fine")
        }
        let client = HTTPClient()
        #expect(SendTests.text(try await client.send(HTTPRequest("GET", server.url))) == "ok")
        #expect(SendTests.text(try await client.send(HTTPRequest("GET", server.url))) == "ok")
    }

    /// What libcurl frees with one answer's head must not be written to by the next one's (curl#11103).
    @Test func aHeadThatBeginsWithAFoldedLineTouchesNothingOfTheOneBefore() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            let first = connection.number % 2 == 0 ? "Retry-After: 30\r\nDate: x" : " Oct 2026 07:28:00 GMT"
            try connection.write("HTTP/1.1 429 Slow\r\n\(first)\r\nConnection: close\r\n\r\nslow")
        }
        let client = HTTPClient()
        for round in 0..<200 {
            do {
                let answer = try await client.send(HTTPRequest("GET", server.url))
                #expect(answer.status == 429 && answer.body == Array("slow".utf8), "round \(round)")
                #expect(answer.head.header("Retry-After") == (round % 2 == 0 ? "30" : nil), "round \(round)")
            } catch {
                // To continue nothing is a fault; what it must not be is the continuation of another answer.
                #expect(round % 2 == 1 && error.code == .cut, "round \(round)")
            }
        }
    }

    /// In the middle of a head, what looks like the beginning of another one is a field, and no other status.
    @Test func aStatusInTheMiddleOfAHeadIsNone() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write(
                "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nHTTP/1.1 200 OK: 1\r\nX-B: a\rb\r\nContent-Length: 0\r\n\r\n"
            )
        }
        let client = HTTPClient()
        let answer = try await client.send(HTTPRequest("GET", server.url))
        #expect(answer.status == 404)
        #expect(answer.head.header("X-A") == "1")
        // And a bare carriage return, which ends a line for some, is blank.
        #expect(answer.head.header("X-B") == "a b")
    }

    @Test func aResetIsACut() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012")
            connection.reset()
        }
        #expect(await Self.code(HTTPClient(), HTTPRequest("GET", server.url + "/?secret")) == .cut)
    }

    @Test func nobodyListeningAndNoSuchHostAreNoConnection() async throws {
        let server = try ScriptedServer { _ in }
        let url = server.url
        await server.stop()
        #expect(await Self.code(HTTPClient(), HTTPRequest("GET", url + "/?secret")) == .cannotConnect)
        let error = await #expect(throws: HTTPError.self) {
            try await HTTPClient().send(HTTPRequest("GET", "http://no-such-host.invalid/secret"))
        }
        #expect(error?.code == .cannotConnect)
        #expect(error?.message.contains("no-such-host.invalid") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func aPeerThatSpeaksNoTLSIsNoConnection() async throws {
        let plain = try ScriptedServer { connection in
            _ = try connection.readSome()
            try connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        #expect(
            await Self.code(HTTPClient(), HTTPRequest("GET", "https://127.0.0.1:\(plain.port)/secret"))
                == .cannotConnect
        )
    }

    @Test func aDeadReusedConnectionIsReplacedWithoutAWord() async throws {
        let server = try ScriptedServer { connection in
            let head = try connection.readHead()
            try connection.answer("200 OK", String(decoding: try connection.readBody(head), as: UTF8.self))
            guard connection.number == 0 else { return connection.waitForClose() }
            // The second request on the first connection meets a reset; while it is still being sent, it would be a cut.
            _ = try connection.readBody(try connection.readHead())
            connection.reset()
        }
        let client = HTTPClient()
        for text in ["one", "two"] {
            let answer = try await client.send(HTTPRequest("PUT", server.url, body: .bytes(Array(text.utf8))))
            #expect(SendTests.text(answer) == text)
        }
        #expect(client.counters.connections == 2)
    }

    @Test func aDrainedBodyIsNeverSentTwice() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            if connection.number == 0 {
                try connection.answer("200 OK")
                let head = try connection.readHead()
                _ = try connection.readBody(head)
                connection.reset()
            } else {
                try connection.answer("200 OK")
            }
        }
        let client = HTTPClient()
        _ = try await client.send(HTTPRequest("GET", server.url))
        let buffer = BodyBuffer(ended: Array("0123456789".utf8))
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("PUT", server.url, body: .drain(buffer, count: 10)))
        }
        #expect(error?.code == .cut)
        #expect(error?.bytesSent == 10)
        #expect(buffer.available == 0)
    }

    @Test func silenceBeforeTheHeadIsAStall() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            connection.waitForClose()
        }
        var request = HTTPRequest("GET", server.url + "/?secret")
        request.stallTimeout = .milliseconds(200)
        let start = ContinuousClock.now
        #expect(await Self.code(HTTPClient(), request) == .stalled)
        #expect(ContinuousClock.now - start >= .milliseconds(200))
    }

    @Test func silenceWithinTheBodyIsAStall() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012")
            connection.waitForClose()
        }
        var request = HTTPRequest("GET", server.url)
        request.stallTimeout = .milliseconds(200)
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        let client = HTTPClient()
        _ = try await client.download(request, into: buffer)
        let error = await #expect(throws: HTTPError.self) { try await buffer.waitForEnd() }
        withExtendedLifetime(client) {}
        #expect(error?.code == .stalled)
    }

    @Test func anUploadThatIsNotReadIsAStall() async throws {
        let release = Event()
        let server = try ScriptedServer(receiveBuffer: 16 << 10) { connection in
            _ = try connection.readHead()
            release.block(for: 1)
        }
        defer { release.fire() }
        var request = HTTPRequest("PUT", server.url + "/secret", body: .bytes([UInt8](repeating: 1, count: 64 << 20)))
        request.stallTimeout = .milliseconds(300)
        #expect(await Self.code(HTTPClient(), request) == .stalled)
    }

    @Test func slowButSteadyIsNoStall() async throws {
        let server = try ScriptedServer { connection in
            let head = try connection.readHead()
            _ = try connection.readBody(head)
            for piece in ["HTTP/1.1 200 OK\r\n", "Content-Length: 8\r\n\r\n"] + "01234567".map(String.init) {
                try connection.write(piece)
                usleep(300_000)
            }
        }
        var request = HTTPRequest("GET", server.url)
        request.stallTimeout = .seconds(2)
        #expect(SendTests.text(try await HTTPClient().send(request)) == "01234567")
    }

    /// All of the body is in the kernel's buffers long before the peer has read it: their shrinking counts.
    @Test func anUploadThatThePeerReadsSlowlyIsNoStall() async throws {
        let server = try ScriptedServer(receiveBuffer: 256 << 10) { connection in
            let head = try connection.readHead()
            var left = Int(ScriptedServer.Connection.field("Content-Length", in: head) ?? "") ?? 0
            while left > 0 {
                left -= try connection.readSome().count
                usleep(160_000)
            }
            try connection.answer("200 OK")
        }
        var request = HTTPRequest("PUT", server.url, body: .bytes([UInt8](repeating: 1, count: 4 << 20)))
        request.stallTimeout = .seconds(4)
        let start = ContinuousClock.now
        #expect(try await HTTPClient().send(request).status == 200)
        #expect(ContinuousClock.now - start > .seconds(6))
    }

    @Test func anEarlyRefusalEndsAnUploadThatStillWaitsForItsBytes() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.answer("403 Forbidden", "no", fields: "Connection: close\r\n")
            connection.waitForClose()
        }
        let source = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")
            connection.waitForClose()
        }
        let client = HTTPClient()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        let answer = try await client.send(HTTPRequest("PUT", server.url, body: .drain(buffer, count: 1_000_000)))
        #expect(answer.status == 403)
        #expect(SendTests.text(answer) == "no")
    }
}
