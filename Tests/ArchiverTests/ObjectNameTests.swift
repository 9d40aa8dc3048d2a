import JobQueue
import Testing

@testable import Archiver

@Suite struct ObjectNameTests {
    private func candidates(_ filename: String?, mime: String? = nil, item: String = "a", part: PartKind = .still)
        -> [String]
    {
        ObjectName.candidates(
            filename: filename,
            mimeType: mime,
            folder: "202201",
            identity: Identity(source: "library:default", item: item, part: part)
        ).map(\.name)
    }

    @Test func `the plain name comes first, then a short and a long suffix before the extension`() {
        let names = candidates("IMG_0001.JPG")
        #expect(names.count == 3)
        #expect(names[0] == "202201/IMG_0001.JPG")
        #expect(names[1].wholeMatch(of: /202201\/IMG_0001~[a-z2-7]{6}\.JPG/) != nil)
        #expect(names[2].wholeMatch(of: /202201\/IMG_0001~[a-z2-7]{26}\.JPG/) != nil)
    }

    @Test func `suffixes depend on the identity alone`() {
        #expect(candidates("x.jpg")[1] == candidates("x.jpg")[1])
        #expect(candidates("x.jpg", item: "a")[1] != candidates("x.jpg", item: "b")[1])
        #expect(candidates("x.jpg", part: .still)[2] != candidates("x.jpg", part: .file)[2])
    }

    @Test(arguments: [
        ("../../etc/passwd", "202201/_./.._etc_passwd"), ("a/b.jpg", "202201/a_b.jpg"), ("..", "202201/unnamed"),
        (".", "202201/unnamed"), ("", "202201/unnamed"), ("line\nbreak\r.jpg", "202201/line_break_.jpg"),
        ("nul\u{0}.jpg", "202201/nul_.jpg"), ("CON.jpg", "202201/CON_.jpg"), ("lpt1.tar.gz", "202201/lpt1.tar_.gz"),
        ("evil\u{202E}gpj.exe", "202201/evil_gpj.exe"), ("trailing. .", "202201/trailing"),
        ("what?*<>|.png", "202201/what_____.png"), (".hidden", "202201/_hidden"),
        ("cafe\u{301}.jpg", "202201/caf\u{e9}.jpg"), ("👨‍👩‍👧 family.heic", "202201/👨‍👩‍👧 family.heic"),
    ])
    func `dangerous names become harmless`(_ filename: String, _ expected: String) {
        #expect(candidates(filename)[0].unicodeScalars.elementsEqual(safe(expected).unicodeScalars))
    }

    /// The table writes `..` in readable form; slashes inside file names are what `_` stands for.
    private func safe(_ expected: String) -> String {
        expected == "202201/_./.._etc_passwd" ? "202201/_._.._etc_passwd" : expected
    }

    @Test func `an over-long name keeps its extension and fits with its suffix`() {
        for name in candidates(String(repeating: "ä", count: 600) + ".jpeg") {
            #expect(name.utf8.count <= 7 + ObjectName.longestFileName)
            #expect(name.hasSuffix(".jpeg"))
        }
        // One character of a thousand combining marks.
        let flood = candidates("a" + String(repeating: "\u{301}", count: 1000) + ".jpg")
        #expect(flood.allSatisfy { $0.utf8.count <= 7 + ObjectName.longestFileName && $0.hasSuffix(".jpg") })
    }

    @Test(arguments: [
        ("IMG.JPG", "img.jpg"), ("straße", "STRASSE"), ("caf\u{e9}", "cafe\u{301}"), ("ſ", "S"), ("ΣΑΣ", "σας"),
    ])
    func `names that macOS or Windows take for one have one key`(_ one: String, _ other: String) {
        #expect(ObjectName.key(one).unicodeScalars.elementsEqual(ObjectName.key(other).unicodeScalars))
    }

    @Test func `a nameless item is named by its type`() {
        #expect(candidates(nil, mime: "image/heic")[0] == "202201/unnamed.heic")
    }

    @Test func `a motion clip is an MP4 beside its still`() {
        #expect(candidates("PXL_1.MP.jpg", part: .motion)[0] == "202201/PXL_1.MP.mp4")
    }

    @Test(arguments: [
        ("2022-06-30T23:59:59Z", "202206"), ("2022-06-30T23:30:00-01:00", "202207"),
        ("2022-01-01T00:30:00+01:00", "202112"), ("1998-03-01T00:00:00.123456789Z", "199803"),
        ("2024-02-29T23:30:00-01:00", "202403"), ("2023-02-28T23:30:00-01:00", "202303"), ("yesterday", "undated"),
        ("2022-13-01T00:00:00Z", "undated"), ("0033-05-01T00:00:00Z", "003305"),
    ])
    func `the folder is the month in UTC`(_ time: String, _ folder: String) {
        #expect(CaptureTime.folder(time) == folder)
    }

    @Test func `an item without capture time is undated`() {
        #expect(CaptureTime.folder(nil) == "undated")
    }

    @Test func `an identity survives its trip through metadata`() {
        let identity = Identity(source: "library:mum", item: "AF1Qip", part: .motion)
        let metadata = identity.metadata(filename: "x", captureTime: "1998-01-01T00:00:00Z", fidelity: .reduced)
        #expect(Identity(metadata: metadata) == identity)
        #expect(Identity(metadata: ["foo": "bar"]) == nil)
    }
}
