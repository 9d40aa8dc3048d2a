import Checksums
import Foundation
import HTTPClient
import HTTPServer

/// Serves bodies of any size, as the place that photos are downloaded from.
struct Origin: Sendable {
    /// How a body is served.
    struct Body: Sendable {
        var count: Int64
        /// Other seeds, other bytes.
        var seed: UInt8 = 0
        var isChunked = false
        /// The connection breaks after so many bytes.
        var cut: Int64?
        /// After half of the bytes nothing moves for so long.
        var stallSeconds: Double?

        var path: String {
            "/\(count)/\(seed)/\(isChunked ? 1 : 0)/\(cut ?? -1)/\(stallSeconds ?? -1)"
        }

        var bytes: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: Int(count))
            bytes.withUnsafeMutableBytes { Pattern(count: count, seed: seed).fill($0, from: 0) }
            return bytes
        }

        var checksum: UInt32 {
            var sum = CRC32C()
            sum.consume(bytes.span.bytes)
            return sum.value
        }
    }

    let server: HTTPServer

    init() throws {
        server = try HTTPServer { request in
            let parts = request.path.split(separator: "/").map { Double($0) ?? 0 }
            var answer = ServerAnswer(200, body: .generated(Pattern(count: Int64(parts[0]), seed: UInt8(parts[1]))))
            if parts[2] == 1 { answer.framing = .chunked }
            if parts[3] >= 0 { answer.fault = .cut(after: Int64(parts[3])) }
            if parts[4] >= 0 { answer.fault = .stall(after: Int64(parts[0] / 2), seconds: parts[4]) }
            return .answer(answer)
        }
    }

    /// Starts a download; the head has arrived when this returns.
    func download(_ body: Body, with http: HTTPClient, into buffer: BodyBuffer) async throws {
        _ = try await http.download(HTTPRequest("GET", "http://127.0.0.1:\(server.port)\(body.path)"), into: buffer)
    }
}

/// Bytes whose period divides no block size, so that two blocks that changed places show.
struct Pattern: BodyGenerator {
    private static let period = 65_521
    private static let tables: [[UInt8]] = (0..<2).map { seed in
        (0..<period).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13 &+ seed) }
    }

    let count: Int64
    let seed: UInt8

    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int64) {
        Self.tables[Int(seed)].withUnsafeBytes { table in
            var done = 0
            while done < buffer.count {
                let start = Int((offset + Int64(done)) % Int64(Self.period))
                let count = min(buffer.count - done, Self.period - start)
                (buffer.baseAddress! + done).copyMemory(from: table.baseAddress! + start, byteCount: count)
                done += count
            }
        }
    }
}
