import Foundation
import HTTPClient
import Synchronization
import TestSupport
import Testing

/// Answers of a server that writes what it likes.
@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
    private static let corpus = [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"a\":\"SECRET\"}",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
            + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://lh3.googleusercontent.com/SECRET\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 308 Resume Incomplete\r\nRange: bytes=0-262143\r\nX-Range-MD5: SECRET\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT\r\nConnection: close\r\n\r\nslow",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Wed, 21 Oct 2026 07:28:30 GMT\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\n folded\r\nX-A: 1\r\n\tand on\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nto the end",
    ]
    private static let words = [
        "Content-Length: 7\r\n", "Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n", "Content-Encoding: gzip\r\n", "HTTP/1.1 ", "HTTP/2 200\r\n", "HTTP/0.9", "\r\n ",
        "\r\n\t",
        "Retry-After: 9223372036854775807\r\n", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
        "ffffffffffffffff\r\n",
        "Set-Cookie: SECRET=1\r\n", "Upgrade: h2c\r\n", "Connection: close\r\n", "Alt-Svc: h2=\":443\"\r\n", ": \r\n",
        "X-A\r\n", "X-B: a\rb\r\n", "X-C: a\0b\r\n",
    ]
    private static let limit = 2000

    private final class Answer: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    /// A server that reads a request, writes the answer, and is gone.
    private func server(_ answer: Answer) throws -> ScriptedServer {
        try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write(answer.bytes.withLock { $0 })
        }
    }

    @Test func `whatever a server writes, an answer is whole and within its limit, or there is an error of ours`()
        async throws
    {
        let answer = Answer()
        let server = try server(answer)
        let http = HTTPClient()
        defer { http.shutdown() }
        try await Fuzz(Self.corpus, words: Self.words).run("answers", rounds: 2500) { input, comment in
            answer.bytes.withLock { $0 = input }
            var request = HTTPRequest(
                "GET",
                server.url + "/SECRETPATH?SECRETQUERY",
                headers: [HTTPField("A", "SECRET")]
            )
            request.stallTimeout = .seconds(10)
            do throws(HTTPError) {
                let response = try await http.send(request, limit: Self.limit)
                Self.check(response.head, comment)
                #expect(response.body.count <= Self.limit, comment)
                if let length = response.head.contentLength, !response.head.isChunked,
                    ![204, 304].contains(response.status),
                    response.head.headers.filter({ $0.name.lowercased() == "content-length" }).count == 1,
                    response.head.header("Transfer-Encoding") == nil
                {
                    #expect(response.body.count == length, comment)
                }
                return .accepted
            } catch {
                Self.check(error, server, comment)
                return .refused
            }
        }
        await server.stop()
    }

    @Test func `whatever a server writes, a download ends whole or fails`() async throws {
        let answer = Answer()
        let server = try server(answer)
        let http = HTTPClient()
        defer { http.shutdown() }
        let budget = ByteBudget(bytes: 4 << 20)
        try await Fuzz(Self.corpus, words: Self.words).run("downloads", rounds: 1500) { input, comment in
            answer.bytes.withLock { $0 = input }
            let buffer = try await BodyBuffer(budget: budget, allowance: 128 << 10)
            var request = HTTPRequest("GET", server.url + "/SECRETPATH")
            request.stallTimeout = .seconds(10)
            do throws(HTTPError) {
                let response = try await http.download(request, into: buffer)
                Self.check(response.head, comment)
                guard (200...299).contains(response.status) else {
                    #expect(response.body.count <= 64 << 10, comment)
                    return .refused
                }
                try await buffer.waitForEnd()
                if let length = response.head.contentLength, !response.head.isChunked, response.status != 204,
                    response.head.headers.filter({ $0.name.lowercased() == "content-length" }).count == 1,
                    response.head.header("Transfer-Encoding") == nil
                {
                    #expect(buffer.received == length, comment)
                }
                #expect(buffer.received <= input.count, comment)
                return .accepted
            } catch {
                Self.check(error, server, comment)
                buffer.abandon()
                return .refused
            }
        }
        await server.stop()
    }

    private static func check(_ head: HTTPHead, _ comment: Comment) {
        #expect((200...999).contains(head.status), comment)
        for field in head.headers {
            #expect(![field.name, field.value].contains { $0.utf8.contains { [0, 10, 13].contains($0) } }, comment)
        }
        #expect(head.contentLength ?? 0 >= 0, comment)
        #expect((.zero...Duration.seconds(365 * 86_400)).contains(head.retryAfter ?? .zero), comment)
        _ = head.clockError
    }

    private static func check(_ error: HTTPError, _ server: ScriptedServer, _ comment: Comment) {
        #expect([.cut, .tooLarge, .cannotConnect, .bodyFailed].contains(error.code), "\(error) \(comment)")
        #expect(!error.message.contains("SECRET") && error.message.utf8.allSatisfy { $0 >= 32 }, comment)
    }
}
