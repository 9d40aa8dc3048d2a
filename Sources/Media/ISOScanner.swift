/// Walks the boxes of MP4, QuickTime, HEIC and AVIF files (ISO/IEC 14496-12), wherever `moov` or `meta` stand.
///
/// Only `tkhd` and `hdlr`, and a HEIC's `meta`, are held, and the tables of chunk offsets read as they flow by; everything
/// else is skipped by arithmetic. Faults inside `moov` cost no more than the size: whether a file is complete is judged by
/// its outermost boxes, and by the places of chunks and items that can be read.
struct ISOScanner: FormatScanner {
    private enum State {
        case header
        case extendedSize(type: UInt64)
        case content(Content)
        case endless
        case broken
    }

    private enum Content {
        case skipped, meta, trackHeader, handler, chunkTable, chunkOffsets
    }

    private struct Container {
        let type: UInt64
        let end: UInt64
    }

    /// Most bytes of `meta` that are held; phones write a few KiB, some tens for hundreds of tiles.
    private static let mostMeta: UInt64 = 256 << 10

    private let holdsItems: Bool
    private var state = State.header
    private var intake = Intake()
    /// Where the box ends that is read or skipped now.
    private var boxEnd: UInt64 = 0
    private var containers: [Container] = []
    private var track = TrackHeader()
    private var largestTrack: PixelSize?
    private var primaryItem: PixelSize?
    private var hasMovie = false
    private var hasMeta = false
    /// Whether an outermost `mdat` has, or begins, a payload.
    private var hasData = false
    private var hasFragments = false
    /// Outermost `ftyp`: a file has one (4.3.1 there), so that with a second one it begins again.
    private var fileTypes = 0
    /// Type of the outermost box that began last.
    private var lastOutermost: UInt64 = 0
    /// How long the file must be to hold the items of `meta`; nil if that cannot be read.
    private var itemsEnd: UInt64?
    /// Where the last chunk of any track begins.
    private var farthestChunk: UInt64?
    /// Bytes of one entry of the table that is read now, and the entries that are left of it.
    private var chunkWidth = 4
    private var chunksLeft: UInt64 = 0
    private var hasMotionBox = false
    private var xmp = RangeTap()

    /// - Parameter holdsItems: whether the file is a HEIC or AVIF, whose `meta` describes images.
    init(holdsItems: Bool) {
        self.holdsItems = holdsItems
        intake.want(8)
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        let start = intake.position
        var rest = bytes
        walk(&rest)
        xmp.consume(bytes, at: start)
    }

    func findings() -> Findings {
        var motion = MotionXMP()
        if xmp.isFull { motion.read(packet: xmp.bytes[...]) }
        return Findings(
            size: primaryItem ?? largestTrack,
            isComplete: isComplete(announcesClip: motion.isMotionPhoto),
            isHollow: !(hasMovie && hasData) && !(hasMeta && itemsEnd != 0),
            isMotionPhoto: hasMotionBox || motion.isMotionPhoto
        )
    }

    private func isComplete(announcesClip: Bool) -> Bool? {
        let length = intake.position
        switch state {
        case .header where containers.isEmpty && intake.isAtStart: break
        case .endless: break
        default: return false
        }
        if let farthestChunk, farthestChunk >= length { return false }
        if hasMeta {
            guard let itemsEnd else { return nil }
            if itemsEnd > length { return false }
            // The clip of a motion photo stands behind the picture, which may be served without it.
            if itemsEnd > 0 { return announcesClip && !hasMotionBox ? nil : true }
        }
        guard hasMovie, hasData, fileTypes < 2, lastOutermost != fourCC("moof") else { return false }
        if case .endless = state { return nil }
        // Fragments go on until the recording stops; only an index at the end says that it did.
        return hasFragments && lastOutermost != fourCC("mfra") ? nil : true
    }

    private mutating func walk(_ rest: inout UnsafeRawBufferPointer) {
        while true {
            switch state {
            case .endless, .broken:
                // The position goes on, for the taps.
                intake.want(0, after: .max)
                _ = intake.isSatisfied(by: &rest)
                return
            case .header, .extendedSize, .content:
                guard intake.isSatisfied(by: &rest) else { return }
            }
            var reader = ByteReader(intake.held)
            switch state {
            case .header:
                guard let size = reader.bigEndian(4), let type = reader.bigEndian(4) else { return }
                readHeader(type, size)
            case .extendedSize(let type):
                let size = reader.bigEndian(8) ?? 0
                begin(type, payload: size < 16 ? nil : size - 16)
            case .content(let content):
                read(content)
            case .endless, .broken:
                return
            }
        }
    }

    private mutating func readHeader(_ type: UInt64, _ size: UInt64) {
        switch size {
        case 0 where containers.isEmpty:
            // The last box, up to the end of the file.
            note(outermost: type, isEmpty: false)
            state = .endless
        case 1 where containers.last.map { $0.end - intake.position >= 8 } ?? true:
            intake.want(8)
            state = .extendedSize(type: type)
        default:
            begin(type, payload: size < 8 ? nil : size - 8)
        }
    }

    /// Goes into a box, or past it; a nil payload is a size that made no sense.
    private mutating func begin(_ type: UInt64, payload: UInt64?) {
        let here = intake.position
        let (end, overflow) = here.addingReportingOverflow(payload ?? 0)
        guard let payload, !overflow, end <= containers.last?.end ?? .max else {
            leaveBrokenContainer()
            return
        }
        let parent = containers.last?.type
        if parent == nil { note(outermost: type, isEmpty: payload == 0) }
        switch (parent, type) {
        case (nil, fourCC("moov")), (fourCC("moov"), fourCC("trak")), (fourCC("trak"), fourCC("mdia")),
            (fourCC("mdia"), fourCC("minf")), (fourCC("minf"), fourCC("stbl")):
            if type == fourCC("trak") { track = TrackHeader() }
            containers.append(Container(type: type, end: end))
            next()
        case (fourCC("trak"), fourCC("tkhd")):
            hold(.trackHeader, first: 96, of: payload)
        case (fourCC("mdia"), fourCC("hdlr")):
            hold(.handler, first: 12, of: payload)
        case (fourCC("stbl"), fourCC("stco")), (fourCC("stbl"), fourCC("co64")):
            chunkWidth = type == fourCC("stco") ? 4 : 8
            hold(.chunkTable, first: 8, of: payload)
        case (nil, fourCC("meta")) where holdsItems && !hasMeta && payload <= Self.mostMeta:
            hasMeta = true
            hold(.meta, first: payload, of: payload)
        default:
            if parent == nil && holdsItems && type == fourCC("meta") { hasMeta = true }
            if parent == nil && holdsItems && type == fourCC("mpvd") { hasMotionBox = true }
            hold(.skipped, first: 0, of: payload)
        }
    }

    private mutating func note(outermost type: UInt64, isEmpty: Bool) {
        lastOutermost = type
        switch type {
        case fourCC("moov"): hasMovie = true
        case fourCC("mdat"): hasData = hasData || !isEmpty
        case fourCC("moof"): hasFragments = true
        case fourCC("ftyp"): fileTypes += 1
        default: break
        }
    }

    private mutating func hold(_ content: Content, first: UInt64, of payload: UInt64) {
        // What is not held of the payload is skipped by `next`, which knows where the box ends.
        let held = min(first, payload)
        boxEnd = intake.position &+ payload
        intake.want(Int(held))
        state = .content(content)
    }

    /// Reads what is held, and goes on behind it.
    private mutating func read(_ content: Content) {
        switch content {
        case .skipped: break
        case .trackHeader:
            track.readHeader(intake.held)
            noteTrack()
        case .handler:
            track.readHandler(intake.held)
            noteTrack()
        case .chunkTable:
            var reader = ByteReader(intake.held)
            chunksLeft = reader.take(4) == nil ? 0 : reader.bigEndian(4) ?? 0
            if wantChunks() { return }
        case .chunkOffsets:
            var reader = ByteReader(intake.held)
            while let offset = reader.bigEndian(chunkWidth) { farthestChunk = max(farthestChunk ?? 0, offset) }
            chunksLeft -= UInt64(intake.held.count / chunkWidth)
            if wantChunks() { return }
        case .meta:
            let items = HEIFItems(meta: intake.held)
            primaryItem = items.primarySize
            itemsEnd = items.fileEnd
            xmp = RangeTap(items.xmpExtents, from: intake.position)
            if let inline = items.inlineXMP { xmp = RangeTap(whole: inline) }
        }
        next()
    }

    /// Asks for the next entries of a table of chunk offsets, 4 KiB at most; false where none are left in its box.
    private mutating func wantChunks() -> Bool {
        let width = UInt64(chunkWidth)
        let entries = min(chunksLeft, (boxEnd - min(boxEnd, intake.position)) / width, 4096 / width)
        guard entries > 0 else { return false }
        intake.want(Int(entries * width))
        state = .content(.chunkOffsets)
        return true
    }

    /// Both boxes of a track that say something of its pictures come before its tables.
    private mutating func noteTrack() {
        if let size = track.size, size.area > largestTrack?.area ?? 0 { largestTrack = size }
    }

    /// Goes on to the header after the box just read, past what was not held of it.
    private mutating func next() {
        skip(to: max(boxEnd, intake.position))
    }

    /// A child that makes no sense: go on after the outermost container, or give up where there is none.
    private mutating func leaveBrokenContainer() {
        guard let outermost = containers.first else {
            state = .broken
            return
        }
        while containers.count > 1 { containers.removeLast() }
        skip(to: max(outermost.end, intake.position))
    }

    private mutating func skip(to target: UInt64) {
        // A header needs 8 bytes; a shorter rest of a container is padding.
        var target = target
        while let container = containers.last, container.end &- target < 8 || container.end <= target {
            target = max(target, container.end)
            containers.removeLast()
        }
        intake.want(8, after: target &- intake.position)
        state = .header
    }
}
