import HTTPServer

/// A made-up file: a valid head, seeded bytes up to the wanted size, a valid tail.
///
/// Nothing is stored: the middle is cut from one shared megabyte of noise, so a body costs a copy of memory.
struct SyntheticMedia: Sendable {
    /// Below this a JPEG has no room for its tables and its picture.
    static let smallest: Int64 = 4096

    let size: Int64
    private let seed: UInt64
    private let head: [UInt8]
    private let tail: [UInt8]

    /// A JPEG of exactly `size` bytes whose header says `width` × `height`, and which decodes to an even grey.
    init(jpeg size: Int64, seed: UInt64, width: Int, height: Int, creation: Timestamp) {
        let picture = GreyPicture(width: width, height: height)
        let opening = [0xFF, 0xD8] + exifSegment(creation: creation)
        let fixed = Int64(opening.count + picture.bytes.count)
        let padding = CommentPadding(count: size - fixed)
        self.size = size
        self.seed = seed
        head = opening
        tail = picture.bytes
        comments = padding
    }

    /// An MP4 of exactly `size` bytes: ftyp, moov with one video track, mdat.
    init(mp4 size: Int64, seed: UInt64, width: Int, height: Int, creation: Timestamp) {
        let opening = movieHead(size: size, width: width, height: height, creation: creation)
        self.size = size
        self.seed = seed
        head = opening
        tail = []
        comments = nil
    }

    private let comments: CommentPadding?

    /// Writes the bytes that stand at an offset.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int64) {
        var done = 0
        while done < buffer.count {
            let place = offset + Int64(done)
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            done += unsafe fillPiece(rest, at: place)
        }
    }

    private func fillPiece(_ buffer: UnsafeMutableRawBufferPointer, at place: Int64) -> Int {
        let headEnd = Int64(head.count)
        let tailStart = size - Int64(tail.count)
        if place < headEnd { return unsafe copy(head, from: Int(place), into: buffer) }
        if place >= tailStart { return unsafe copy(tail, from: Int(place - tailStart), into: buffer) }
        let count = Int(min(Int64(buffer.count), tailStart - place))
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count])
        unsafe Noise.shared.fill(target, from: UInt64(place) &+ seed)
        unsafe comments?.overwriteHeads(in: target, at: place - headEnd)
        return count
    }
}

private func copy(_ bytes: [UInt8], from start: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(bytes.count - start, buffer.count)
    unsafe bytes.withUnsafeBytes { source in
        let piece = unsafe UnsafeRawBufferPointer(rebasing: source[start..<start + count])
        unsafe buffer.copyMemory(from: piece)
    }
    return count
}

/// A megabyte of seeded noise that all made-up files are cut from, each from its own place.
struct Noise: Sendable {
    static let shared = Noise()
    private static let length = 1 << 20
    private let bytes: [UInt8]

    private init() {
        var generator = SeededGenerator(seed: 0x636F_6C64_726F_6C6C)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        while bytes.count < Self.length { bytes += generator.next().bigEndianBytes }
        self.bytes = bytes
    }

    /// Copies noise from any place, round and round.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from place: UInt64) {
        var start = Int(place % UInt64(Self.length))
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            done += unsafe copy(bytes, from: start, into: rest)
            start = 0
        }
    }
}

/// JPEG comment segments (T.81, B.2.4.5) that fill a given number of bytes; only their four-byte heads matter here.
private struct CommentPadding: Sendable {
    private static let longest: Int64 = 65537
    private let count: Int64
    private let segments: Int64

    /// - Parameter count: at least 4, so that one head fits.
    init(count: Int64) {
        self.count = count
        segments = (count + Self.longest - 1) / Self.longest
    }

    /// Where a segment starts: all are equally long, but for a byte.
    private func start(_ segment: Int64) -> Int64 { segment * count / segments }

    /// Puts the heads into a piece of the padding that begins at `place`.
    func overwriteHeads(in buffer: UnsafeMutableRawBufferPointer, at place: Int64) {
        var segment = max(0, place * segments / count - 1)
        while segment < segments {
            let begin = start(segment)
            if begin >= place + Int64(buffer.count) { break }
            let length = start(segment + 1) - begin - 2
            let head: [UInt8] = [0xFF, 0xFE, UInt8(length >> 8), UInt8(length & 255)]
            for (index, byte) in head.enumerated() {
                let position = begin + Int64(index) - place
                if position >= 0, position < buffer.count { unsafe buffer[Int(position)] = byte }
            }
            segment += 1
        }
    }
}
