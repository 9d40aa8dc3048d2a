import Checksums
import Testing

@Suite struct CRC32CTests {
    /// The definition, bit by bit (RFC 3720, section 12.1).
    static func byDefinition(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
        return ~sum
    }

    static func sum(_ pieces: some Sequence<[UInt8]>) -> UInt32 {
        var sum = CRC32C()
        for piece in pieces { sum.consume(piece.span.bytes) }
        return sum.value
    }

    /// RFC 3720, B.4, and the check value of the CRC catalogue.
    static let vectors: [([UInt8], UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
        ([UInt8](repeating: 255, count: 32), 0x62a8_ab43),
        ([UInt8](0..<32), 0x46dd_794e),
        ([UInt8]("123456789".utf8), 0xe306_9283),
        ([], 0),
    ]

    @Test("the published test vectors come out", arguments: vectors)
    func publishedVectors(bytes: [UInt8], expected: UInt32) {
        #expect(Self.sum([bytes]) == expected)
    }

    @Test func everyLengthAndAlignmentAgreesWithTheDefinition() {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for offset in 0..<8 {
            for length in [0, 1, 7, 8, 9, 63, 767, 768, 769, 6143, 6144, 6145, 6911, 6912, 6920, 19_992] {
                let expected = Self.byDefinition(bytes[offset..<offset + length])
                let got = bytes.withUnsafeBytes { all in
                    var sum = CRC32C()
                    sum.consume(UnsafeRawBufferPointer(rebasing: all[offset..<offset + length]))
                    return sum.value
                }
                #expect(got == expected, "\(length) bytes from \(offset)")
            }
        }
    }

    @Test func piecesAddUpToTheWhole() {
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 5) }
        let pieces = stride(from: 0, to: bytes.count, by: 7001).map { Array(bytes[$0..<min($0 + 7001, bytes.count)]) }
        #expect(Self.sum(pieces) == Self.sum([bytes]))
        #expect(Self.sum(pieces) == Self.byDefinition(bytes))
    }

    /// The catalogue check value, written as Cloud Storage writes it: most significant byte first.
    @Test func base64IsBigEndianAndReadsBack() {
        var sum = CRC32C()
        sum.consume(Array("123456789".utf8).span.bytes)
        #expect(sum.base64 == "4waSgw==")
        #expect(CRC32C.value(base64: "4waSgw==") == 0xe306_9283)
        #expect(CRC32C().base64 == "AAAAAA==")
        #expect(CRC32C.value(base64: "AAAAAA==") == 0)
    }

    @Test(
        "what is not four bytes of base64 is refused",
        arguments: [
            "", "4waSgw=", "4waSgw", "4waSgw==\n", " 4waSgw==", "4waSgx==", "4waSgwAA", "4waSg===", "!waSgw==",
            "4waS\u{0}w==",
        ]
    )
    func badBase64(text: String) {
        #expect(CRC32C.value(base64: text) == nil)
    }
}
