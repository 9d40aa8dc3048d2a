import Media
import Testing

@Suite("Structures that real tools seldom write")
struct StructureTests {
    private static let ftyp = box("ftyp", Array("isom".utf8) + [0, 0, 0, 0])

    private static func track(_ handler: String, _ width: UInt64, _ height: UInt64, version: UInt8 = 0) -> [UInt8] {
        let head = [version, 0, 0, 7] + [UInt8](repeating: 0, count: version == 0 ? 72 : 84)
        let tkhd = box("tkhd", head + bigEndian(width << 16, 4) + bigEndian(height << 16, 4))
        let hdlr = box("hdlr", [UInt8](repeating: 0, count: 8) + Array(handler.utf8) + [UInt8](repeating: 0, count: 13))
        return box("trak", tkhd + box("edts", [1, 2, 3]) + box("mdia", box("mdhd", [0]) + hdlr))
    }

    @Test func soundTracksHaveNoSizeAndTheLargestVideoTrackWins() {
        let moov = box(
            "moov",
            Self.track("soun", 9000, 9000) + Self.track("vide", 160, 120) + Self.track("vide", 3840, 2160, version: 1)
        )
        let report = inspect(Self.ftyp + moov)
        #expect(report == MediaReport(kind: .mp4, width: 3840, height: 2160, isComplete: true, isMotionPhoto: false))
    }

    @Test func a64BitBoxAndALastBoxWithoutSizeAreComplete() {
        let moov = box("moov", Self.track("vide", 16, 8))
        let wide = bigEndian(1, 4) + Array("mdat".utf8) + bigEndian(16 + 5, 8) + [1, 2, 3, 4, 5]
        #expect(inspect(Self.ftyp + wide + moov).isComplete == true)
        #expect(inspect(Self.ftyp + wide + moov).width == 16)
        #expect(inspect((Self.ftyp + wide + moov).dropLast()).isComplete == false)
        let endless = bigEndian(0, 4) + Array("mdat".utf8) + [1, 2, 3]
        #expect(inspect(Self.ftyp + moov + endless).isComplete == true)
        #expect(inspect(Self.ftyp + endless).isComplete == false, "no moov")
    }

    @Test func aFaultInsideMoovCostsNothingButASizeAtMost() {
        for fault in [
            bigEndian(3, 4) + Array("udta".utf8), bigEndian(0xFFFF_FFFF, 4) + Array("trak".utf8), [0, 0, 0, 0],
        ] {
            let moov = box("moov", Self.track("vide", 16, 8) + fault)
            let report = inspect(Self.ftyp + moov + box("free", []))
            #expect(report == MediaReport(kind: .mp4, width: 16, height: 8, isComplete: true, isMotionPhoto: false))
        }
    }

    @Test func outermostBoxesThatDoNotAddUpAreNotComplete() {
        let moov = box("moov", Self.track("vide", 16, 8))
        #expect(inspect(Self.ftyp + moov + [0, 0, 0]).isComplete == false)
        #expect(inspect(Self.ftyp + moov + bigEndian(4, 4) + Array("mdat".utf8)).isComplete == false)
        let overflow = bigEndian(1, 4) + Array("mdat".utf8) + bigEndian(.max, 8)
        #expect(inspect(Self.ftyp + moov + overflow + [1]).isComplete == false)
        #expect(inspect(Self.ftyp + box("mdat", [1])).isComplete == false)
    }

    @Test("QuickTime from before ftyp is told by its first box", arguments: ["moov", "mdat", "wide", "free", "skip"])
    func bareQuickTime(_ type: String) {
        let moov = box("moov", Self.track("vide", 16, 8))
        let file = (type == "moov" ? [] : box(type, [0, 1, 2])) + moov
        #expect(
            inspect(file) == MediaReport(kind: .quicktime, width: 16, height: 8, isComplete: true, isMotionPhoto: false)
        )
    }

    /// A HEIC whose primary item 300 has its size at property 130, behind other items.
    private static func heic(_ ipmaVersion: UInt8, wideIndexes: Bool, after other: [UInt8] = []) -> [UInt8] {
        let properties = (1...140).flatMap { number in
            box("ispe", bigEndian(0, 4) + bigEndian(UInt64(number), 4) + bigEndian(UInt64(number + 1000), 4))
        }
        let idWidth = ipmaVersion == 0 ? 2 : 4
        let width = wideIndexes ? 2 : 1
        let essential: UInt64 = wideIndexes ? 0x8000 : 0x80
        let index: UInt64 = wideIndexes ? 130 : 100
        let entries =
            bigEndian(7, idWidth) + [2] + bigEndian(1, width) + bigEndian(essential | 2, width)
            + bigEndian(300, idWidth) + [1] + bigEndian(essential | index, width)
        let ipma = box("ipma", [ipmaVersion, 0, 0, wideIndexes ? 1 : 0] + bigEndian(2, 4) + entries)
        let pitm = ipmaVersion == 0 ? [0, 0, 0, 0] + bigEndian(300, 2) : [1, 0, 0, 0] + bigEndian(300, 4)
        let meta = box(
            "meta",
            bigEndian(0, 4) + box("pitm", pitm) + box("iprp", box("ipco", properties) + ipma)
        )
        return box("ftyp", Array("mif1".utf8) + [0, 0, 0, 0] + Array("heic".utf8)) + other + meta
    }

    @Test("The primary item's size is found whatever form the tables have", arguments: [UInt8(0), 1], [false, true])
    func primaryItem(_ version: UInt8, _ wideIndexes: Bool) {
        let number = wideIndexes ? 130 : 100
        let expected = MediaReport(
            kind: .heic,
            width: number,
            height: number + 1000,
            isComplete: true,
            isMotionPhoto: false
        )
        #expect(inspect(Self.heic(version, wideIndexes: wideIndexes)) == expected)
        let behindData = Self.heic(
            version,
            wideIndexes: wideIndexes,
            after: box("mdat", [UInt8](repeating: 9, count: 5000))
        )
        #expect(inspect(behindData, piece: 100) == expected)
    }

    @Test func aTableTooLargeToHoldIsSkipped() {
        let meta = box("meta", [UInt8](repeating: 0, count: 300 << 10))
        let file = box("ftyp", Array("heic".utf8) + [0, 0, 0, 0]) + meta
        let expected = MediaReport(kind: .heic, width: nil, height: nil, isComplete: true, isMotionPhoto: false)
        #expect(inspect(file, piece: 5000) == expected)
    }

    @Test func aClipInAHEICIsAMotionPhoto() {
        #expect(inspect(Self.heic(0, wideIndexes: true) + box("mpvd", [1])).isMotionPhoto)
        #expect(!inspect(Self.ftyp + box("mpvd", [1])).isMotionPhoto)
    }

    @Test func twentyGigabytesOfDataAreSkippedWithoutBeingHeld() {
        let moov = box("moov", Self.track("vide", 16, 8))
        let payload: UInt64 = 20 << 30
        var inspector = MediaInspector()
        let piece = [UInt8](repeating: 0xFF, count: 1 << 20)
        let head = Self.ftyp + bigEndian(1, 4) + Array("mdat".utf8) + bigEndian(payload + 16, 8)
        head.withUnsafeBytes { inspector.consume($0) }
        for _ in 0..<(payload >> 20) { piece.withUnsafeBytes { inspector.consume($0) } }
        moov.withUnsafeBytes { inspector.consume($0) }
        let report = inspector.report()
        #expect(report == MediaReport(kind: .mp4, width: 16, height: 8, isComplete: true, isMotionPhoto: false))
    }

    @Test func fillBytesGarbageAndDNLAreReadAsDecodersDo() throws {
        let frame: [UInt8] = [0xFF, 0xC1, 0, 11, 8, 0, 0, 0, 99, 1, 1, 0x11, 0]
        let scan: [UInt8] = [0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0, 0xFF, 0xD0, 3]
        let lines: [UInt8] = [0xFF, 0xDC, 0, 4, 0, 77]
        let file: [UInt8] =
            [0xFF, 0xD8, 0xFF, 0xFF, 0xFF] + [0xFE, 0, 4, 0xFF, 0xD9, 5, 6] + frame + scan + lines + [0xFF, 0xD9]
        let expected = MediaReport(kind: .jpeg, width: 99, height: 77, isComplete: true, isMotionPhoto: false)
        #expect(inspect(file) == expected)
        #expect(inspect(file, piece: 1) == expected)
    }

    @Test func aFrameHeaderAmongTheTablesIsNotMistaken() {
        // DHT (C4), JPG (C8) and DAC (CC) lie between the frame markers.
        let tables: [UInt8] = [0xC4, 0xC8, 0xCC].flatMap { [0xFF, $0, 0, 9, 8, 1, 1, 1, 1, 0, 0] }
        let frame: [UInt8] = [0xFF, 0xCF, 0, 7, 8, 0, 3, 0, 4]
        let report = inspect([0xFF, 0xD8] + tables + frame + [0xFF, 0xD9])
        #expect(report == MediaReport(kind: .jpeg, width: 4, height: 3, isComplete: false, isMotionPhoto: false))
    }
}
