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
