import Foundation
import Media

/// The real files of `Tests/Fixtures/formats`, made by `scripts/make-format-fixtures`.
enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/formats")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    static func all() throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { ($0, try bytes($0)) }
    }
}

/// Inspects bytes cut after every `piece`, or in one go.
func inspect(_ bytes: [UInt8], piece: Int = .max) -> MediaReport {
    var inspector = MediaInspector()
    bytes.withUnsafeBytes { whole in
        var start = 0
        while start < whole.count {
            let end = start + min(piece, whole.count - start)
            inspector.consume(UnsafeRawBufferPointer(rebasing: whole[start..<end]))
            start = end
        }
    }
    return inspector.report()
}

func inspect(_ text: String) -> MediaReport {
    inspect(Array(text.utf8))
}

/// An ISO box with a 32-bit size.
func box(_ type: String, _ payload: [UInt8]) -> [UInt8] {
    bigEndian(UInt64(payload.count + 8), 4) + Array(type.utf8) + payload
}

func bigEndian(_ number: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
}

/// Pseudo-random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
