import Checksums
import CloudStorage
import HTTPServer
import Testing

/// What the bucket's answers mean for the state store's objects.
@Suite(.timeLimit(.minutes(5))) struct StateAnswerTests {
    private let bytes = Array(#"{"run":7}"#.utf8)

    private func media(_ headers: [(name: String, value: String)]) -> ServerAnswer {
        ServerAnswer(200, headers: headers, body: .bytes(bytes))
    }

    private var sum: String {
        var sum = CRC32C()
        sum.consume(bytes.span.bytes)
        return sum.base64
    }

    @Test(arguments: [["crc32c=SUM", "md5=1B2M2Y8AsgTpgAmY7PhCfg=="], ["md5=1B2M2Y8AsgTpgAmY7PhCfg==, crc32c=SUM"]])
    func `what is read in one request is of the generation that its answer names`(_ hashes: [String]) async throws {
        let fields = hashes.map { (name: "x-goog-hash", value: $0.replacing("SUM", with: sum)) }
        let bucket = try ScriptedBucket([media(fields + [(name: "X-Goog-Generation", value: "12")])])
        let seen = try #require(try await bucket.bench().store.read("marker.json"))
        #expect(seen.bytes == bytes)
        #expect(seen.generation == 12)
        #expect(bucket.seen.map(\.request.query) == ["alt=media"])
    }

    @Test(
        arguments: [
            [], ["X-Goog-Generation: 12"], ["X-Goog-Generation: 12", "X-Goog-Hash: crc32c=AAAAAA=="],
            ["X-Goog-Generation: 12", "X-Goog-Hash: md5=1B2M2Y8AsgTpgAmY7PhCfg=="], ["X-Goog-Hash: crc32c=SUM"],
        ]
    )
    func `an answer that does not say what it is of is not believed`(_ lines: [String]) async throws {
        let fields = lines.map { line in
            let parts = line.replacing("SUM", with: sum).split(separator: ": ")
            return (name: String(parts[0]), value: String(parts[1]))
        }
        let bucket = try ScriptedBucket([
            media(fields),
            .json(200, #"{"name":"marker.json","generation":"13","size":"\#(bytes.count)","crc32c":"\#(sum)"}"#),
            media([]),
        ])
        let seen = try #require(try await bucket.bench().store.read("marker.json"))
        #expect(seen.generation == 13)
        #expect(bucket.isUsedUp)
        #expect(bucket.seen.last?.request.query == "alt=media&generation=13")
    }
}
