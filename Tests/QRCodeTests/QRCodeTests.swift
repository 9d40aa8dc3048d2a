import Foundation
import QRCode
import Testing

@Suite(.timeLimit(.minutes(5))) struct QRCodeTests {
    private static let link =
        "https://photos.google.com/picker/aVeryLongOpaqueSessionId_0123456789-abcdefghijklmnopqrstuvwxyz"

    /// What a reader of barcodes sees in the half blocks, drawn as a picture: light blocks on black.
    private func scan(_ lines: [String]) throws -> String {
        let scale = 4
        let rows = lines.flatMap { line -> [[Bool]] in
            [line.map { $0 == "█" || $0 == "▀" }, line.map { $0 == "█" || $0 == "▄" }]
        }
        let width = (rows.first?.count ?? 0) * scale
        var picture = "P5\n\(width) \(rows.count * scale)\n255\n".utf8.map { $0 }
        for row in rows {
            let pixels = row.flatMap { Array(repeating: $0 ? UInt8(255) : 0, count: scale) }
            for _ in 0..<scale { picture += pixels }
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pgm")
        try Data(picture).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["zbarimg", "--quiet", "--raw", file.path]
        process.standardOutput = output
        try process.run()
        let read = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: read, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    @Test(arguments: ["a", "https://photos.google.com/picker/x", link, "Kär 🌲 ümlaut"])
    func `a reader of barcodes reads what the terminal shows`(_ text: String) throws {
        let code = try #require(QRCode(text))
        #expect(code.lines.allSatisfy { $0.count == code.columns })
        #expect(code.lines.count == (code.columns + 1) / 2)
        #expect(try scan(code.lines) == text)
    }

    @Test func `a link fits into a terminal of 80 columns and 40 lines`() throws {
        let code = try #require(QRCode(Self.link))
        #expect(code.columns <= 80 && code.lines.count <= 40)
    }

    @Test func `what no code can hold has none`() {
        #expect(QRCode("") == nil)
        #expect(QRCode("a\0b") == nil)
        #expect(QRCode(String(repeating: "x", count: 3000)) == nil)
    }
}
