import Testing

@testable import GoogleSimulator

@Suite struct SyntheticMediaTests {
    private func bytes(_ item: LibraryItem) throws -> [UInt8] {
        guard case .synthetic(let media) = item.content else { return [] }
        var all = [UInt8](repeating: 0, count: Int(media.size))
        all.withUnsafeMutableBytes { media.fill($0, from: 0) }
        return all
    }

    private func item(_ kind: LibraryItem.Kind, _ size: Int64) throws -> LibraryItem {
        let time = try #require(Timestamp("2024-02-29T23:59:59Z"))
        return makeItem(id: "x", number: 7, kind: kind, size: size, seed: 99, creation: time)
    }

    @Test(arguments: [4096, 4097, 65_535, 65_536, 131_074, 131_075, 500_000, 3_000_001])
    func aJPEGIsSegmentsFromStartToEnd(size: Int64) throws {
        let item = try item(.photo, size)
        let bytes = try bytes(item)
        #expect(bytes.count == Int(size) && bytes.suffix(2) == [0xFF, 0xD9])
        var index = 2
        var markers: [UInt8] = []
        while bytes[index] == 0xFF, bytes[index + 1] != 0xDA {
            markers.append(bytes[index + 1])
            index += 2 + Int(bytes[index + 2]) << 8 + Int(bytes[index + 3])
        }
        #expect(bytes[index + 1] == 0xDA && markers.first == 0xE1 && markers.contains(0xFE))
        let shape = try #require(pictureSize(bytes))
        #expect(shape.width == item.width && shape.height == item.height)
        #expect(ExifFacts(head: bytes).captured == item.creation)
    }

    @Test func anMP4IsBoxesFromStartToEnd() throws {
        let item = try item(.video, 300_000)
        let bytes = try bytes(item)
        var index = 0
        var names: [String] = []
        while index < bytes.count {
            names.append(String(decoding: bytes[index + 4..<index + 8], as: UTF8.self))
            let size = Int(UInt32(bigEndian: bytes[index..<index + 4]))
            index += size == 1 ? Int(UInt64(bigEndian: bytes[index + 8..<index + 16])) : size
        }
        #expect(names == ["ftyp", "moov", "mdat"] && index == bytes.count)
        let shape = try #require(pictureSize(bytes))
        #expect(shape.width == 1920 && shape.height == 1080)
    }

    @Test func piecesOfABodyAreTheSameAsTheWhole() throws {
        let item = try item(.photo, 400_000)
        guard case .synthetic(let media) = item.content else { return }
        let whole = try bytes(item)
        var generator = SeededGenerator(seed: 3)
        var offset = 0
        while offset < whole.count {
            let count = min(whole.count - offset, Int.random(in: 1...70_000, using: &generator))
            var piece = [UInt8](repeating: 0, count: count)
            piece.withUnsafeMutableBytes { media.fill($0, from: Int64(offset)) }
            #expect(piece == Array(whole[offset..<offset + count]))
            offset += count
        }
    }

    @Test func idsOfMadeUpItemsLeadBackToThem() {
        let library = SyntheticLibrary(SynthesisOptions(count: 1000), seed: 5)
        for ordinal in [0, 1, 500, 999] { #expect(library.ordinal(id: library.id(ordinal)) == ordinal) }
        #expect(library.ordinal(id: SyntheticLibrary(SynthesisOptions(count: 1000), seed: 6).id(1)) == nil)
        #expect(library.ordinal(id: library.id(1000)) == nil)
    }
}
