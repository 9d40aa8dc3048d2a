import Checksums
import Foundation
import HTTPClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(3))) struct SpliceTests {
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
    }
}
