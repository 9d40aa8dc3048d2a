/// What a HEIC's or AVIF's `meta` box says of its items (ISO/IEC 23008-12, ISO/IEC 14496-12 section 8.11).
struct HEIFItems {
    /// Size of the primary item by its `ispe` property; a grid has one of its own.
    private(set) var primarySize: PixelSize?
    /// Where in the file the XMP item's bytes are, if they are in the file.
    private(set) var xmpExtents: [Range<UInt64>] = []
    /// The XMP itself, where the item's bytes are inside the `meta` box.
    private(set) var inlineXMP: ArraySlice<UInt8>?
    /// How long the file must be to hold all items: 0 if there are none; nil if the table cannot be followed.
    private(set) var fileEnd: UInt64?

    /// - Parameter meta: payload of the box, version and flags included.
    init(meta: [UInt8]) {
        let boxes = Box.all(in: meta.dropFirst(4))
        let primary = boxes.first(fourCC("pitm")).flatMap { Self.primaryID($0) }
        if let primary, let properties = boxes.first(fourCC("iprp")) {
            primarySize = Self.size(of: primary, in: Box.all(in: properties))
        }
        fileEnd = boxes.first(fourCC("iloc")).map { ItemLocation.fileEnd(in: $0) } ?? 0
        guard let infos = boxes.first(fourCC("iinf")), let xmp = Self.xmpID(infos),
            let locations = boxes.first(fourCC("iloc")), let location = ItemLocation(of: xmp, in: locations)
        else { return }
        if location.isInline {
            inlineXMP = boxes.first(fourCC("idat")).flatMap { location.inlineBytes(of: $0) }
        } else {
            xmpExtents = location.extents
        }
    }

    private static func primaryID(_ payload: ArraySlice<UInt8>) -> UInt64? {
        var reader = ByteReader(payload)
        guard let version = reader.take(4)?.first else { return nil }
        return reader.bigEndian(version == 0 ? 2 : 4)
    }

    /// The item that is XMP: of type `mime` and with the content type of RDF.
    private static func xmpID(_ payload: ArraySlice<UInt8>) -> UInt64? {
        var reader = ByteReader(payload)
        guard let version = reader.take(4)?.first, reader.take(version == 0 ? 2 : 4) != nil else { return nil }
        for box in Box.all(in: reader.rest) where box.type == fourCC("infe") {
            var info = ByteReader(box.payload)
            guard let version = info.take(4)?.first, version >= 2, let item = info.bigEndian(version == 2 ? 2 : 4),
                info.take(2) != nil, info.bigEndian(4) == fourCC("mime"), info.terminated() != nil
            else { continue }
            let contentType = info.terminated() ?? info.rest
            if contentType.elementsEqual("application/rdf+xml".utf8) { return item }
        }
        return nil
    }

    /// Follows the primary item's associations to the first `ispe` among the properties.
    private static func size(of item: UInt64, in boxes: [Box]) -> PixelSize? {
        guard let container = boxes.first(fourCC("ipco")) else { return nil }
        let properties = Box.all(in: container)
        for box in boxes where box.type == fourCC("ipma") {
            for index in associations(of: item, in: box.payload) where index >= 1 && index <= properties.count {
                let property = properties[index - 1]
                guard property.type == fourCC("ispe") else { continue }
                var reader = ByteReader(property.payload)
                guard reader.take(4) != nil, let width = reader.bigEndian(4), let height = reader.bigEndian(4) else {
                    continue
                }
                return PixelSize(width, height)
            }
        }
        return nil
    }

    /// Numbers, from 1, of the properties that `ipma` ties to an item; the top bit of each says "essential".
    private static func associations(of item: UInt64, in payload: ArraySlice<UInt8>) -> [Int] {
        var reader = ByteReader(payload)
        guard let version = reader.bigEndian(1), let flags = reader.bigEndian(3), let entries = reader.bigEndian(4)
        else {
            return []
        }
        let width = flags & 1 == 0 ? 1 : 2
        let mask: UInt64 = width == 1 ? 0x7F : 0x7FFF
        for _ in 0..<entries {
            guard let entry = reader.bigEndian(version == 0 ? 2 : 4), let count = reader.bigEndian(1),
                let list = reader.take(Int(count) * width)
            else { return [] }
            guard entry == item else { continue }
            var numbers = ByteReader(list)
            return (0..<count).compactMap { _ in numbers.bigEndian(width).map { Int($0 & mask) } }
        }
        return []
    }
}

/// One box that is held in memory.
struct Box {
    let type: UInt64
    let payload: ArraySlice<UInt8>

    /// The boxes that follow one another in `bytes`, up to the first that makes no sense.
    static func all(in bytes: ArraySlice<UInt8>) -> [Box] {
        var boxes: [Box] = []
        var reader = ByteReader(bytes)
        while let size = reader.bigEndian(4), let type = reader.bigEndian(4) {
            let length: UInt64
            switch size {
            case 0: length = UInt64(reader.rest.count)
            case 1:
                guard let large = reader.bigEndian(8), large >= 16 else { return boxes }
                length = large - 16
            default:
                guard size >= 8 else { return boxes }
                length = size - 8
            }
            guard let length = Int(exactly: length), let payload = reader.take(length) else { return boxes }
            boxes.append(Box(type: type, payload: payload))
        }
        return boxes
    }
}

extension [Box] {
    /// Payload of the first box of a type.
    func first(_ type: UInt64) -> ArraySlice<UInt8>? {
        first { $0.type == type }?.payload
    }
}
