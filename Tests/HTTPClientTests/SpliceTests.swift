import Checksums
import Foundation
import HTTPClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct SpliceTests {
    /// Bytes that differ from block to block, so that a swap shows.
    static func piece(_ index: Int) -> [UInt8] {
        let seed = UInt8(truncatingIfNeeded: index &* 37 &+ index >> 8)
        return [UInt8](unsafeUninitializedCapacity: 1 << 20) { bytes, count in
            for i in 0..<1 << 20 { bytes[i] = seed &+ UInt8(truncatingIfNeeded: i ^ i >> 8) }
            count = 1 << 20
        }
    }

    /// Serves `pieces` MiB.
    static func source(_ pieces: Int, slow: Bool = false) throws -> ScriptedServer {
        try ScriptedServer { connection in
            while true {
                _ = try connection.readHead()
                try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(pieces << 20)\r\n\r\n")
                for index in 0..<pieces {
                    try connection.write(piece(index))
                    if slow { usleep(2000) }
                }
            }
        }
    }

    /// Takes uploads and answers with the checksum of what came.
    static func sink(slow: Bool = false) throws -> ScriptedServer {
        try ScriptedServer { connection in
            while true {
                let head = try connection.readHead()
                var left = Int(ScriptedServer.Connection.field("Content-Length", in: head) ?? "0") ?? 0
                var sum = CRC32C()
                while left > 0 {
                    let bytes = try connection.readSome()
                    sum.consume(bytes.span.bytes)
                    left -= bytes.count
                    if slow { usleep(500) }
                }
                try connection.answer("200 OK", sum.base64)
            }
        }
    }

    static func expected(_ pieces: Int) -> CRC32C {
        var sum = CRC32C()
        for index in 0..<pieces { sum.consume(piece(index).span.bytes) }
        return sum
    }

    @Test("a large body passes whole through a small budget, whichever side is slow", arguments: [true, false])
    func largeBody(slowUpload: Bool) async throws {
        let pieces = 256
        let (source, sink) = (try Self.source(pieces, slow: !slowUpload), try Self.sink(slow: slowUpload))
        let client = HTTPClient()
        let budget = ByteBudget(bytes: 256 << 10)
        let observed = Mutex(CRC32C())
        let buffer = try await BodyBuffer(budget: budget, allowance: 256 << 10) { bytes in
            observed.withLock { $0.consume(bytes) }
        }
        let head = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        #expect(head.head.contentLength == Int64(pieces << 20))
        let upload = HTTPRequest("PUT", sink.url, body: .drain(buffer, count: Int64(pieces << 20)))
        let answer = try await client.send(upload)
        let expected = Self.expected(pieces)
        #expect(String(decoding: answer.body, as: UTF8.self) == expected.base64)
        try await buffer.waitForEnd()
        #expect(buffer.crc32c == expected)
        #expect(observed.withLock { $0 } == expected)
        #expect(buffer.received == Int64(pieces << 20))
        #expect(budget.peak <= 256 << 10)
        #expect(budget.peak >= 128 << 10)
    }

    @Test func manySplicesShareABudgetOfTwoBlocksEach() async throws {
        let (pieces, splices) = (6, 64)
        let (source, sink) = (try Self.source(pieces), try Self.sink())
        let client = HTTPClient()
        let budget = ByteBudget(bytes: splices * 2 * ByteBudget.block)
        let expected = Self.expected(pieces)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<splices {
                group.addTask {
                    let buffer = try await BodyBuffer(budget: budget, allowance: 2 * ByteBudget.block)
                    _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
                    let upload = HTTPRequest("PUT", sink.url, body: .drain(buffer, count: Int64(pieces << 20)))
                    let answer = try await client.send(upload)
                    #expect(String(decoding: answer.body, as: UTF8.self) == expected.base64)
                }
            }
            try await group.waitForAll()
        }
        #expect(budget.peak <= splices * 2 * ByteBudget.block)
        #expect(client.counters.bytesOut == Int64(splices * pieces << 20))
        #expect(client.pace.moved == Int64(2 * splices * pieces << 20))
    }

    @Test func oneDownloadFeedsSeveralUploadsInTurn() async throws {
        let pieces = 5
        let (source, sink) = (try Self.source(pieces), try Self.sink())
        let client = HTTPClient()
        let budget = ByteBudget(bytes: 4 * ByteBudget.block)
        let buffer = try await BodyBuffer(budget: budget, allowance: 4 * ByteBudget.block)
        _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        let whole = (0..<pieces).flatMap(Self.piece)
        // What the bucket has already is skipped; the chunks after it end anywhere.
        try await buffer.skip(256 << 10)
        var start = 256 << 10
        for length in [1 << 20, 1, 300_001, 65_536, 2 << 20] {
            let answer = try await client.send(HTTPRequest("PUT", sink.url, body: .drain(buffer, count: Int64(length))))
            var sum = CRC32C()
            sum.consume(Array(whole[start..<start + length]).span.bytes)
            #expect(String(decoding: answer.body, as: UTF8.self) == sum.base64, "\(length) bytes from \(start)")
            start += length
        }
        var rest = 0
        while !buffer.hasEnded || buffer.available > 0 {
            try await buffer.wait(for: 1)
            rest += buffer.take(.max).count
        }
        #expect(rest == whole.count - start)
        #expect(buffer.crc32c == Self.expected(pieces))
    }

    @Test func aFailedDownloadFailsItsUpload() async throws {
        let source = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
            try connection.write([UInt8](repeating: 7, count: 1_000_000))
        }
        let sink = try Self.sink()
        let client = HTTPClient()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("PUT", sink.url + "/secret", body: .drain(buffer, count: 10_000_000)))
        }
        #expect(error?.code == .bodyFailed)
        #expect(error?.message.contains("secret") == false)
        #expect(try #require(error).bytesSent <= 1_000_000)
        let cause = await #expect(throws: HTTPError.self) { try await buffer.waitForEnd() }
        #expect(cause?.code == .cut)
    }

    @Test func aBodyShorterThanPromisedFailsItsUpload() async throws {
        let sink = try Self.sink()
        let client = HTTPClient()
        let buffer = BodyBuffer(ended: [1, 2, 3])
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("PUT", sink.url, body: .drain(buffer, count: 4)))
        }
        #expect(error?.code == .bodyFailed)
    }

    @Test func aFailedUploadLeavesTheDownloadPausedForAnother() async throws {
        let pieces = 3
        let source = try Self.source(pieces)
        let broken = try ScriptedServer { connection in
            _ = try connection.readHead()
            connection.reset()
        }
        let client = HTTPClient()
        let budget = ByteBudget(bytes: 2 * ByteBudget.block)
        let buffer = try await BodyBuffer(budget: budget, allowance: 2 * ByteBudget.block)
        _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("PUT", broken.url, body: .drain(buffer, count: Int64(pieces << 20))))
        }
        #expect(error?.code == .cut)
        let sent = try #require(error).bytesSent
        // What is gone is counted; what is left comes in order.
        #expect(buffer.received - Int64(buffer.available) == sent)
        let sink = try Self.sink()
        let rest = Int64(pieces << 20) - sent
        let answer = try await client.send(HTTPRequest("PUT", sink.url, body: .drain(buffer, count: rest)))
        var sum = CRC32C()
        sum.consume(Array((0..<pieces).flatMap(Self.piece)[Int(sent)...]).span.bytes)
        #expect(String(decoding: answer.body, as: UTF8.self) == sum.base64)
        buffer.abandon()
        _ = try await BodyBuffer(budget: budget, allowance: 2 * ByteBudget.block)
    }

    @Test func abandoningABufferFailsItsUpload() async throws {
        let arrived = Event()
        let source = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
            connection.waitForClose()
        }
        let sink = try ScriptedServer { connection in
            _ = try connection.readHead()
            arrived.fire()
            connection.waitForClose()
        }
        let client = HTTPClient()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        let upload = Task { try await client.send(HTTPRequest("PUT", sink.url, body: .drain(buffer, count: 10))) }
        await arrived.wait(for: 1)
        buffer.abandon()
        let error = await #expect(throws: HTTPError.self) { try await upload.value }
        #expect(error?.code == .bodyFailed)
    }

    @Test func aFramedBodyIsSentWholeAndCanBeRepeated() async throws {
        let pieces = 2
        let (source, sink) = (try Self.source(pieces), try Self.sink())
        let client = HTTPClient()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 4 << 20), allowance: 2 << 20)
        _ = try await client.download(HTTPRequest("GET", source.url), into: buffer)
        let (head, tail) = (Array("--frame\r\n".utf8), Array("\r\n--frame--".utf8))
        let request = HTTPRequest("POST", sink.url, body: .framed(head: head, buffer, tail: tail))
        try await buffer.waitForEnd()
        var sum = CRC32C()
        sum.consume((head + (0..<pieces).flatMap(Self.piece) + tail).span.bytes)
        for _ in 0..<3 {
            let answer = try await client.send(request)
            #expect(String(decoding: answer.body, as: UTF8.self) == sum.base64)
        }
        #expect(buffer.available == pieces << 20)
    }

    @Test func aFramedBodyIsRepeatedByItselfOnlyOnADeadConnection() async throws {
        let server = try ScriptedServer { connection in
            let head = try connection.readHead()
            try connection.answer("200 OK", String(decoding: try connection.readBody(head), as: UTF8.self))
            guard connection.number == 0 else { return connection.waitForClose() }
            _ = try connection.readBody(try connection.readHead())
            connection.reset()
        }
        let client = HTTPClient()
        let body = HTTPRequestBody.framed(head: [65], BodyBuffer(ended: [66, 67]), tail: [68])
        for _ in 0..<2 {
            let answer = try await client.send(HTTPRequest("POST", server.url, body: body))
            #expect(answer.body == [65, 66, 67, 68])
        }
        #expect(client.counters.connections == 2)
    }
}
