import Media
import TestSupport
import Testing

@Suite("Hostile bytes")
struct HostileBytesTests {
    @Test("Damaged files neither crash nor depend on how they are cut", arguments: [UInt64(1), 2, 3, 4, Fuzz.seed])
    func mutations(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        // Small files first in line: the walk through headers is what mutations should reach.
        let files = try Fixture.all().map(\.bytes)
        for round in 0..<2500 {
            var bytes = files[round % files.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, &generator) }
            let whole = inspect(bytes)
            #expect(inspectCut(bytes, &generator) == whole, "seed \(seed), round \(round)")
            #expect((whole.width == nil) == (whole.height == nil))
            #expect(whole.width ?? 1 > 0 && whole.height ?? 1 > 0)
            // No format has more pixels a side than 32 bits can say.
            #expect(max(whole.width ?? 1, whole.height ?? 1) <= Int(UInt32.max))
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        // Half of all blows fall on the first 700 bytes, where most headers are.
        let reach = Bool.random(using: &generator) ? min(bytes.count, 700) : bytes.count
        let place = Int.random(in: 0..<reach, using: &generator)
        let extremes: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[place] = extremes.randomElement(using: &generator) ?? 0
        case 2:
            for offset in 0..<min(8, bytes.count - place) {
                bytes[place + offset] = extremes.randomElement(using: &generator) ?? 0
            }
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &generator)))
        case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 60)], at: place)
        default: bytes.removeLast(bytes.count - place)
        }
    }

    private func inspectCut(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> MediaReport {
        var inspector = MediaInspector()
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 0...3000, using: &generator))
            bytes[start..<end].withUnsafeBytes { inspector.consume($0) }
            start = end
        }
        return inspector.report()
    }

    @Test func noiseBehindEverySignatureIsSafe() {
        var generator = SeededGenerator(seed: 99)
        let signatures: [[UInt8]] = [
            [0xFF, 0xD8, 0xFF, 0xE1], Array("\u{89}PNG".unicodeScalars.map { UInt8($0.value) }) + [13, 10, 26, 10],
            Array("GIF89a".utf8), Array("RIFF\0\u{10}\0\0WEBPVP8X".utf8), Array("RIFF\0\u{10}\0\0AVI LIST".utf8),
            [0, 0, 0, 16] + Array("ftypheic\0\0\0\0\0\0\u{7F}\u{7F}meta".utf8),
            [0, 0, 0, 16] + Array("ftypmp42\0\0\0\0\0\0\u{7F}\u{7F}moov".utf8),
            Array("BM".utf8), [0, 0, 1, 0] + Array("moov".utf8), [],
        ]
        for round in 0..<3000 {
            let noise = (0..<Int.random(in: 0...600, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let bytes = signatures[round % signatures.count] + noise
            #expect(inspectCut(bytes, &generator) == inspect(bytes))
        }
    }
}
