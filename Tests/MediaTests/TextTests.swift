import Media
import TestSupport
import Testing

@Suite("Pages and text in place of a photo")
struct TextTests {
    @Test(
        "Error bodies are never media",
        arguments: [
            ("<!DOCTYPE html><html><body>403</body></html>", MediaKind.html),
            ("<html lang=en><meta charset=utf-8><title>Error 403 (Forbidden)!!1</title>", .html),
            ("\n\n \t<HTML><HEAD></HEAD></HTML>", .html),
            ("<!-- generated --><p>sorry</p>", .html),
            ("Moved: <html><body>over there</body></html>", .html),
            ("<?xml version=\"1.0\"?><!DOCTYPE html><html/>", .html),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", .xml),
            ("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\"/>", .xml),
            ("<Error><Code>NoSuchKey</Code></Error>", .xml),
            ("{\"error\":{\"code\":403}}", .json),
            ("  [{\"error\":1}]", .json),
            ("{}", .json),
            ("upstream connect error or disconnect/reset before headers", .text),
            ("Gateway timeout", .text),
            ("GIF87 is an old format", .text),
            ("BM is how a bitmap begins, and so does this sentence of plain text.", .text),
            ("Für Größe: früher „schön“", .text),
            ("x", .text),
            (" \n", .text),
        ]
    )
    func isText(_ body: String, _ kind: MediaKind) {
        #expect(inspect(body).kind == kind)
        #expect(kind.isRefused && !kind.isStill && !kind.isVideo)
        let marked = [0xEF, 0xBB, 0xBF] + Array(body.utf8)
        #expect(inspect(marked).kind == kind, "with a byte order mark")
        let utf16 = body.utf16.flatMap { bigEndian(UInt64($0), 2) }
        #expect(inspect([0xFE, 0xFF] + utf16).kind == kind, "UTF-16BE with a mark")
        let swapped = body.utf16.flatMap { bigEndian(UInt64($0), 2).reversed() }
        #expect(inspect([0xFF, 0xFE] + swapped).kind == kind, "UTF-16LE with a mark")
        let utf32 = body.unicodeScalars.flatMap { bigEndian(UInt64($0.value), 4) }
        #expect(inspect([0, 0, 0xFE, 0xFF] + utf32).kind == kind, "UTF-32BE with a mark")
    }

    @Test func `a page that was packed on its way is no picture of an unknown kind`() {
        let report = inspect([0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0x55, count: 57))
        #expect(report.kind == .gzip && report.kind.isRefused)
    }

    @Test func markupInUTF16NeedsNoMark() {
        let page = "\n<html><body>nein</body></html>"
        #expect(inspect(page.utf16.flatMap { bigEndian(UInt64($0), 2) }).kind == .html)
        #expect(inspect(page.utf16.flatMap { bigEndian(UInt64($0), 2).reversed() }).kind == .html)
    }

    @Test func longTextIsToldByItsStart() {
        let page = "<html>" + String(repeating: "né ", count: 2000)
        let words = String(repeating: "plain words — ", count: 500)
        // Cuts the thousandth byte or so in mid-character, at every offset.
        for shift in 0..<4 {
            let padding = String(repeating: " ", count: shift)
            #expect(inspect(padding + page).kind == .html)
            #expect(inspect(padding + words).kind == .text)
        }
    }

    @Test func oldEncodingsAreTextToo() {
        let latin = Array("Zugriff verweigert: Gr".utf8) + [0xF6, 0xDF] + Array("e nicht erlaubt".utf8)
        #expect(inspect(latin).kind == .text)
        // A page in Shift-JIS, with a stray control byte.
        #expect(inspect(Array("<html><title>".utf8) + [0x83, 0x47, 0x83, 0x89, 0x01, 0x5B]).kind == .html)
    }

    @Test func nothingIsEmpty() {
        let report = MediaInspector().report()
        #expect(report == MediaReport(kind: .empty, width: nil, height: nil, isComplete: nil, isMotionPhoto: false))
        #expect(report.kind.isRefused)
    }

    @Test func dataIsUnrecognisedRatherThanText() {
        var generator = SeededGenerator(seed: 5)
        for length in [64, 300, 1024, 5000] {
            for _ in 0..<50 {
                // Not one of the signatures: the first byte is 0xA0.
                let noise = [0xA0] + (1..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
                #expect(inspect(noise).kind == .unrecognised)
            }
        }
        // FUJIFILM's raw format begins like text.
        let raf = Array("FUJIFILMCCD-RAW 0201FF383501FinePix S5000".utf8) + [UInt8](repeating: 0, count: 60)
        #expect(inspect(raf).kind == .unrecognised)
        #expect(inspect([0x0A, 0xFF, 0xFF, 0xFF, 0x80, 0x81, 0x82, 0x90]).kind == .unrecognised)
        #expect(!MediaKind.unrecognised.isRefused)
    }

    @Test func everyKindButTwoHasAMediaType() {
        for kind in MediaKind.allCases {
            #expect((kind.contentType == nil) == (kind == .empty || kind == .unrecognised))
            #expect(
                [kind.isRefused, kind.isStill, kind.isVideo].filter { $0 }.count == (kind == .unrecognised ? 0 : 1)
            )
        }
    }
}
