import Media
import Testing

@Suite("Structures that real tools seldom write")
struct StructureTests {
    private static let ftyp = box("ftyp", Array("isom".utf8) + [0, 0, 0, 0])

    private static let data = box("mdat", [1, 2, 3])

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
        let report = inspect(Self.ftyp + moov + Self.data)
        #expect(report == MediaReport(kind: .mp4, width: 3840, height: 2160, isComplete: true, isMotionPhoto: false))
    }

    @Test func a64BitBoxIsCompleteAndALastBoxWithoutSizeCannotTell() {
        let moov = box("moov", Self.track("vide", 16, 8))
        let wide = bigEndian(1, 4) + Array("mdat".utf8) + bigEndian(16 + 5, 8) + [1, 2, 3, 4, 5]
        #expect(inspect(Self.ftyp + wide + moov).isComplete == true)
        #expect(inspect(Self.ftyp + wide + moov).width == 16)
        #expect(inspect((Self.ftyp + wide + moov).dropLast()).isComplete == false)
        let endless = bigEndian(0, 4) + Array("mdat".utf8) + [1, 2, 3]
        #expect(inspect(Self.ftyp + moov + endless).isComplete == nil)
        #expect(!inspect(Self.ftyp + moov + endless).isHollow)
        #expect(inspect(Self.ftyp + endless).isComplete == false, "no moov")
    }

    @Test func aFaultInsideMoovCostsNothingButASizeAtMost() {
        for fault in [
            bigEndian(3, 4) + Array("udta".utf8), bigEndian(0xFFFF_FFFF, 4) + Array("trak".utf8), [0, 0, 0, 0],
        ] {
            let moov = box("moov", Self.track("vide", 16, 8) + fault)
            let report = inspect(Self.ftyp + moov + box("free", []) + Self.data)
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

    @Test func aFilmThatBeginsAgainIsNotComplete() {
        let film = Self.ftyp + box("moov", Self.track("vide", 16, 8)) + Self.data
        #expect(inspect(film).isComplete == true)
        #expect(inspect(film + film).isComplete == false)
    }

    @Test("QuickTime from before ftyp is told by its first box", arguments: ["moov", "mdat", "wide", "free", "skip"])
    func bareQuickTime(_ type: String) {
        let moov = box("moov", Self.track("vide", 16, 8))
        let file = (type == "moov" ? [] : box(type, [0, 1, 2])) + moov + Self.data
        #expect(
            inspect(file) == MediaReport(kind: .quicktime, width: 16, height: 8, isComplete: true, isMotionPhoto: false)
        )
    }

    /// Item locations in the file, an item each: where it begins, and how long it is.
    private static func iloc(_ extents: [(UInt64, UInt64)]) -> [UInt8] {
        var items: [UInt8] = []
        for (index, extent) in extents.enumerated() {
            items += bigEndian(UInt64(index + 1), 2) + [0, 0, 0, 1] + bigEndian(extent.0, 4) + bigEndian(extent.1, 4)
        }
        return box("iloc", [0, 0, 0, 0, 0x44, 0] + bigEndian(UInt64(extents.count), 2) + items)
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
            bigEndian(0, 4) + box("pitm", pitm) + iloc([(8, 4)]) + box("iprp", box("ipco", properties) + ipma)
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
        let expected = MediaReport(kind: .heic, width: nil, height: nil, isComplete: nil, isMotionPhoto: false)
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
        let expected = MediaReport(
            kind: .jpeg,
            width: 4,
            height: 3,
            isComplete: false,
            isHollow: true,
            isMotionPhoto: false
        )
        #expect(inspect([0xFF, 0xD8] + tables + frame + [0xFF, 0xD9]) == expected)
    }

    // MARK: Files that were cut where nothing looks cut

    @Test func aBrandAloneIsAnEmptyContainer() {
        let report = inspect(box("ftyp", Array("isom".utf8) + [0, 0, 2, 0] + Array("isomavc1".utf8)))
        #expect(report.kind == .mp4 && report.isComplete == false && report.isHollow)
    }

    @Test func aMovieNeedsItsDirectoryAndItsData() {
        let moov = box("moov", Self.track("vide", 16, 8))
        for boxes in [moov, Self.data, moov + box("mdat", []), moov + box("free", [1])] {
            let report = inspect(Self.ftyp + boxes)
            #expect(report.isComplete == false && report.isHollow)
        }
        let whole = inspect(Self.ftyp + moov + Self.data)
        #expect(whole.isComplete == true && !whole.isHollow)
    }

    private static func chunks(_ offsets: [UInt64], width: Int, announced: Int? = nil) -> [UInt8] {
        let table =
            [0, 0, 0, 0] + bigEndian(UInt64(announced ?? offsets.count), 4) + offsets.flatMap { bigEndian($0, width) }
        let stbl = box("stbl", box("stsd", [0]) + box(width == 4 ? "stco" : "co64", table))
        return box("moov", box("trak", box("mdia", box("minf", box("vmhd", [0]) + stbl))))
    }

    @Test("A movie that was cut between two boxes of data misses chunks", arguments: [4, 8])
    func chunksBehindTheEnd(_ width: Int) {
        // More entries than are read at once, the one that is missing among them.
        for place in [0, 700, 1999] {
            var offsets = [UInt64](repeating: 30, count: 2000)
            let length = UInt64((Self.ftyp + Self.chunks(offsets, width: width) + Self.data + Self.data).count)
            offsets[place] = length - 1
            let file = Self.ftyp + Self.chunks(offsets, width: width) + Self.data + Self.data
            for piece in [17, Int.max] {
                #expect(inspect(file, piece: piece).isComplete == true)
                #expect(inspect(Array(file.dropLast(Self.data.count)), piece: piece).isComplete == false)
            }
        }
        // A count that the box cannot hold is no more than its entries.
        let short = Self.ftyp + Self.chunks([9], width: width, announced: 1 << 30) + Self.data
        #expect(inspect(short).isComplete == true)
    }

    @Test func fragmentsThatEndWithoutTheirIndexCannotTell() {
        let start = Self.ftyp + box("moov", Self.track("vide", 16, 8))
        let fragment = box("moof", [0]) + Self.data
        #expect(inspect(start + fragment + fragment + box("mfra", [0])).isComplete == true)
        #expect(inspect(start + fragment).isComplete == nil)
        #expect(inspect(start + fragment + box("moof", [0])).isComplete == false)
        #expect(inspect(start).isComplete == false)
    }

    @Test func everyItemOfAHEICMustBeInside() {
        func file(_ extents: [(UInt64, UInt64)], _ data: Int) -> MediaReport {
            let brand = box("ftyp", Array("heic".utf8) + [0, 0, 0, 0])
            let meta = box("meta", bigEndian(0, 4) + Self.iloc(extents))
            return inspect(brand + meta + (data > 0 ? box("mdat", [UInt8](repeating: 7, count: data)) : []))
        }
        let extents: [(UInt64, UInt64)] = [(20, 10), (90, 100), (30, 1)]
        #expect(file(extents, 200).isComplete == true)
        #expect(file(extents, 0).isComplete == false, "cut at the border of the box before the data")
        #expect(file(extents, 10).isComplete == false)
        #expect(file([], 200).isComplete == false && file([], 200).isHollow)
    }

    @Test func aTableOfExtentsWithoutNumbersEndsAtOnce() {
        // 20,000 items of 65,535 extents that take no bytes: a billion entries in 200 KB.
        var items: [UInt8] = []
        for item in 0..<20_000 as Range<UInt64> { items += bigEndian(item, 2) + [0, 0, 0xFF, 0xFF] }
        let iloc = box("iloc", [0, 0, 0, 0, 0, 0] + bigEndian(20_000, 2) + items)
        let file = box("ftyp", Array("heic".utf8) + [0, 0, 0, 0]) + box("meta", bigEndian(0, 4) + iloc)
        #expect(inspect(file).isComplete == nil)
    }
}
