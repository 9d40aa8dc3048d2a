/// Looks in XMP for the words that mark a motion photo.
///
/// Android's "Motion Photo format 1.0" has `GCamera:MotionPhoto` (1 means yes, anything else no) and container items with
/// `Item:Semantic` `MotionPhoto`; its predecessor has `GCamera:MicroVideo`. Both the attribute and the element form of RDF
/// count, under any namespace prefix. Where the marks disagree the clip is worth a request: only `MotionPhoto` itself,
/// with another value than 1, overrules a container.
struct MotionXMP {
    /// How an APP1 segment with XMP begins (XMP specification, part 3).
    private static let segmentHeader = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

    private var motionPhoto: Bool?
    private var microVideo: Bool?
    private var hasContainerItem = false
    /// Bytes of the clip, as far as a container item or `MicroVideoOffset` says.
    private var clip: UInt64 = 0
    /// Bytes of other things that follow the picture: gain maps, padding.
    private var others: UInt64 = 0

    /// The verdict on all packets that were read.
    var isMotionPhoto: Bool {
        motionPhoto == true || microVideo == true || (motionPhoto == nil && hasContainerItem)
    }

    /// Whether what follows the picture holds the clip that is announced; nil if all of the clip is missing.
    ///
    /// The download of a still may be served without its clip, which is a part of its own; a piece of one is a cut.
    func isClipWhole(in trailing: UInt64) -> Bool? {
        guard isMotionPhoto, clip > 0 else { return true }
        let (announced, overflow) = clip.addingReportingOverflow(others)
        if !overflow, trailing >= announced { return true }
        return trailing == 0 || trailing == others ? nil : false
    }

    /// Reads the payload of a JPEG's APP1 segment, if it is XMP.
    mutating func read(segment: [UInt8]) {
        guard segment.starts(with: Self.segmentHeader) else { return }
        read(packet: segment.dropFirst(Self.segmentHeader.count))
    }

    /// Reads an XMP packet in UTF-8.
    mutating func read(packet: ArraySlice<UInt8>) {
        let words = Words(packet)
        for place in words.places(of: "MotionPhoto") {
            if let value = words.value(at: place) {
                motionPhoto = (motionPhoto ?? false) || value
            } else if words.isSemantic(place) {
                hasContainerItem = true
            }
        }
        for place in words.places(of: "MicroVideo") {
            if let value = words.value(at: place) { microVideo = (microVideo ?? false) || value }
        }
        for place in words.places(of: "MicroVideoOffset") { clip = max(clip, words.number(at: place) ?? 0) }
        for item in words.items() {
            guard item.semantic != "Primary" else {
                others &+= item.padding
                continue
            }
            if item.semantic == "MotionPhoto" {
                clip = max(clip, item.length)
            } else {
                others &+= item.length
            }
            others &+= item.padding
        }
    }
}

/// Just enough of XML to tell a name's value.
private struct Words {
    private let bytes: [UInt8]

    init(_ packet: ArraySlice<UInt8>) {
        bytes = Array(packet)
    }

    /// Where a word stands that is no part of a longer name.
    func places(of word: StaticString) -> [Range<Int>] {
        let pattern = word.withUTF8Buffer { Array($0) }
        guard let first = pattern.first, bytes.count >= pattern.count else { return [] }
        var places: [Range<Int>] = []
        var index = 0
        while let hit = bytes[index...].firstIndex(of: first), hit + pattern.count <= bytes.count {
            index = hit + 1
            let end = hit + pattern.count
            guard bytes[hit..<end].elementsEqual(pattern) else { continue }
            let before = hit == 0 ? nil : bytes[hit - 1]
            let after = end == bytes.count ? nil : bytes[end]
            if !Self.isName(before), !Self.isName(after) { places.append(hit..<end) }
        }
        return places
    }

    /// Whether the attribute or element of this name holds 1; nil where the place is no name with a value.
    func value(at place: Range<Int>) -> Bool? {
        text(at: place).map { $0 == "1" }
    }

    /// The number that the attribute or element of this name holds.
    func number(at place: Range<Int>) -> UInt64? {
        text(at: place).flatMap { UInt64($0) }
    }

    /// One entry of a motion photo's container directory.
    struct Item {
        var semantic: String?
        var length: UInt64 = 0
        var padding: UInt64 = 0
    }

    /// The entries that name a semantic, in their order; attributes and child elements count alike.
    func items() -> [Item] {
        let tags = places(of: "Item").filter {
            $0.upperBound < bytes.count && bytes[$0.upperBound] != UInt8(ascii: ":")
        }
        let semantics = places(of: "Semantic")
        let lengths = places(of: "Length")
        let paddings = places(of: "Padding")
        return tags.indices.compactMap { index in
            let end = index + 1 < tags.count ? tags[index + 1].lowerBound : bytes.count
            let region = tags[index].upperBound..<end
            func inside(_ places: [Range<Int>]) -> Range<Int>? { places.first { region.contains($0.lowerBound) } }
            var item = Item()
            item.semantic = inside(semantics).flatMap(text)
            item.length = inside(lengths).flatMap(number) ?? 0
            item.padding = inside(paddings).flatMap(number) ?? 0
            return item.semantic == nil ? nil : item
        }
    }

    /// What the attribute or element of this name holds, without white space; nil where the place is no name with a value.
    private func text(at place: Range<Int>) -> String? {
        var index = skipSpace(place.upperBound)
        guard index < bytes.count else { return nil }
        let end: UInt8
        if bytes[index] == UInt8(ascii: "=") {
            index = skipSpace(index + 1)
            guard index < bytes.count, Self.isQuote(bytes[index]) else { return nil }
            end = bytes[index]
        } else {
            guard isElementName(place), let close = bytes[index...].firstIndex(of: UInt8(ascii: ">")),
                bytes[close - 1] != UInt8(ascii: "/")
            else { return nil }
            index = close
            end = UInt8(ascii: "<")
        }
        guard let stop = bytes[(index + 1)...].firstIndex(of: end) else { return nil }
        return String(decoding: bytes[(index + 1)..<stop].filter { !Self.isSpace($0) }, as: UTF8.self)
    }

    /// Whether the word is the value of an attribute or element named Semantic.
    func isSemantic(_ place: Range<Int>) -> Bool {
        let after = skipSpace(place.upperBound)
        var before = place.lowerBound - 1
        while before >= 0, Self.isSpace(bytes[before]) { before -= 1 }
        guard before >= 0, after < bytes.count else { return false }
        let isAttribute = Self.isQuote(bytes[before]) && bytes[after] == bytes[before]
        let isElement = bytes[before] == UInt8(ascii: ">") && bytes[after] == UInt8(ascii: "<")
        guard isAttribute || isElement else { return false }
        let name = Array("Semantic".utf8)
        return bytes[max(0, before - 40)..<before].split { !Self.isName($0) }.last?.elementsEqual(name) ?? false
    }

    /// Whether the word, with its namespace prefix, follows the `<` of an opening tag.
    private func isElementName(_ place: Range<Int>) -> Bool {
        var index = place.lowerBound - 1
        while index >= 0, Self.isName(bytes[index]) || bytes[index] == UInt8(ascii: ":") { index -= 1 }
        return index >= 0 && bytes[index] == UInt8(ascii: "<")
    }

    private func skipSpace(_ start: Int) -> Int {
        var index = start
        while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        return index
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    private static func isName(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
