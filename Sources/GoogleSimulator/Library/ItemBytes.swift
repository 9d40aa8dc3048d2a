import HTTPServer
import Checksums
import Synchronization

/// What a base URL gives: the bytes and their type.
struct ItemBytes: Sendable {
    let body: ServerAnswer.Body
    let contentType: String

    /// `=d`: a photo's file, a video's thumbnail.
    static func download(_ item: LibraryItem) -> ItemBytes {
        item.kind == .video ? small : ItemBytes(body: whole(item), contentType: item.mimeType)
    }

    /// `=dv`: a video's file, a motion photo's clip; nil for a plain photo.
    static func video(_ item: LibraryItem) -> ItemBytes? {
        if item.kind == .video { return ItemBytes(body: whole(item), contentType: item.mimeType) }
        guard let clip = item.clip, case .file(let path, _) = item.content else { return nil }
        return ItemBytes(body: .file(path: path, offset: clip.offset, count: clip.count), contentType: "video/mp4")
    }

    /// 512 × 384 pixels.
    static var small: ItemBytes { ItemBytes(body: .bytes(smallPicture), contentType: "image/jpeg") }

    private static func whole(_ item: LibraryItem) -> ServerAnswer.Body {
        switch item.content {
        case .file(let path, let size): .file(path: path, offset: 0, count: size)
        case .synthetic(let media): .generated(SyntheticBody(media: media))
        }
    }

    /// The same bytes but for one.
    func altered(by mask: UInt8, at fraction: Double) -> ItemBytes {
        let place = min(Int64(Double(body.count) * fraction), body.count - 1)
        return ItemBytes(
            body: .generated(AlteredBody(original: body, mask: mask, place: place)),
            contentType: contentType
        )
    }

    /// More or fewer bytes, the first ones the same.
    func resized(by factor: Double) -> ItemBytes {
        let count = max(1, Int64(Double(body.count) * factor))
        return ItemBytes(body: .generated(ResizedBody(original: body, count: count)), contentType: contentType)
    }

    /// CRC-32C of the whole body; reads all of it.
    func checksum() throws -> UInt32 { try body.checksum() }
}

/// A made-up file as a body.
struct SyntheticBody: BodyGenerator {
    let media: SyntheticMedia
    var count: Int64 { media.size }

    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int64) { unsafe media.fill(buffer, from: offset) }
}

/// Another body with one byte changed.
struct AlteredBody: BodyGenerator {
    let original: ServerAnswer.Body
    let mask: UInt8
    /// Of the byte, within the body.
    let place: Int64
    var count: Int64 { original.count }

    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int64) {
        // A file that cannot be read any more gives whatever was in the buffer: these bytes are meant to be wrong.
        try? unsafe original.read(into: buffer, from: offset)
        let changed = place - offset
        if changed >= 0, changed < Int64(buffer.count) { unsafe buffer[Int(changed)] ^= mask }
    }
}

/// Another body cut off, or begun again at its end, so that it has a length of its own.
struct ResizedBody: BodyGenerator {
    let original: ServerAnswer.Body
    let count: Int64

    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int64) {
        var done = 0
        while done < buffer.count {
            let start = (offset + Int64(done)) % original.count
            let count = Int(min(Int64(buffer.count - done), original.count - start))
            // A file that cannot be read any more gives whatever was in the buffer: these bytes are meant to be wrong.
            try? unsafe original.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count]),
                from: start
            )
            done += count
        }
    }
}

extension ServerAnswer.Body {
    /// Fills a buffer that lies within the body.
    func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int64) throws {
        switch self {
        case .bytes(let bytes):
            unsafe bytes.withUnsafeBytes { source in
                let range = Int(offset)..<Int(offset) + buffer.count
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
            }
        case .file(let path, let start, _):
            _ = unsafe try FileReader(path).read(into: buffer, from: start + offset)
        case .generated(let generator):
            unsafe generator.fill(buffer, from: offset)
        }
    }

    /// CRC-32C of all of it, a megabyte at a time.
    func checksum() throws -> UInt32 {
        var crc = CRC32C()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { unsafe buffer.deallocate() }
        var offset: Int64 = 0
        while offset < count {
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[0..<Int(min(count - offset, 1 << 20))])
            try unsafe read(into: piece, from: offset)
            unsafe crc.consume(UnsafeRawBufferPointer(piece))
            offset += Int64(piece.count)
        }
        return crc.value
    }
}
