/// Where `iloc` says the bytes of one item are.
struct ItemLocation {
    /// More extents than this for a few KiB of XMP make no sense.
    private static let mostExtents: UInt64 = 16

    /// Whether the extents are offsets into `idat`, inside the `meta` box, rather than into the file.
    let isInline: Bool
    /// Where the bytes are, in the item's order.
    let extents: [Range<UInt64>]

    /// Nil if the item is not listed, or in a way that this cannot follow.
    init?(of item: UInt64, in payload: ArraySlice<UInt8>) {
        guard let location = Self.all(in: payload)?.first(where: { $0.item == item })?.location,
            location.extents.count <= Self.mostExtents
        else { return nil }
        self = location
    }

    private init(isInline: Bool, extents: [Range<UInt64>]) {
        self.isInline = isInline
        self.extents = extents
    }

    /// How long the file must be to hold the extents of all items; nil if the table cannot be followed.
    static func fileEnd(in payload: ArraySlice<UInt8>) -> UInt64? {
        guard let items = all(in: payload) else { return nil }
        return items.lazy.compactMap(\.location).filter { !$0.isInline }.flatMap(\.extents).map(\.upperBound).max() ?? 0
    }

    /// Every item with its place; nil for the place of one that is neither in the file nor inline.
    private static func all(in payload: ArraySlice<UInt8>) -> [(item: UInt64, location: ItemLocation?)]? {
        var reader = ByteReader(payload)
        guard let version = reader.take(4)?.first, version <= 2, let sizes = reader.bigEndian(2),
            let count = reader.bigEndian(version < 2 ? 2 : 4)
        else { return nil }
        let offsetSize = Int(sizes >> 12)
        let lengthSize = Int(sizes >> 8 & 15)
        let baseSize = Int(sizes >> 4 & 15)
        let indexSize = version == 0 ? 0 : Int(sizes & 15)
        let width = indexSize + offsetSize + lengthSize
        guard max(offsetSize, lengthSize, baseSize, indexSize) <= 8 else { return nil }
        var items: [(item: UInt64, location: ItemLocation?)] = []
        for _ in 0..<count {
            guard let id = reader.bigEndian(version < 2 ? 2 : 4), let method = reader.bigEndian(version == 0 ? 0 : 2),
                let reference = reader.bigEndian(2), let base = reader.bigEndian(baseSize),
                let extentCount = reader.bigEndian(2),
                // Extents without numbers cost no bytes: a table of nothing but them would go on for ever.
                width > 0 || extentCount <= 1, let list = reader.take(Int(extentCount) * width)
            else { return nil }
            guard method & 15 <= 1, reference == 0 else {
                items.append((id, nil))
                continue
            }
            var extents: [Range<UInt64>] = []
            var numbers = ByteReader(list)
            for _ in 0..<extentCount {
                guard numbers.take(indexSize) != nil, let offset = numbers.bigEndian(offsetSize),
                    let length = numbers.bigEndian(lengthSize), let range = Self.range(base, offset, length)
                else { return nil }
                extents.append(range)
            }
            items.append((id, ItemLocation(isInline: method & 15 == 1, extents: extents)))
        }
        return items
    }

    /// The item's bytes in a payload of `idat`, where one extent holds them all.
    func inlineBytes(of data: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard extents.count == 1, let extent = extents.first, extent.upperBound <= UInt64(data.count) else {
            return nil
        }
        return data.dropFirst(Int(extent.lowerBound)).prefix(extent.count)
    }

    private static func range(_ base: UInt64, _ offset: UInt64, _ length: UInt64) -> Range<UInt64>? {
        let (start, startOverflow) = base.addingReportingOverflow(offset)
        let (end, endOverflow) = start.addingReportingOverflow(length)
        return startOverflow || endOverflow ? nil : start..<end
    }
}
