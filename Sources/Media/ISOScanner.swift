/// Walks the boxes of MP4, QuickTime, HEIC and AVIF files (ISO/IEC 14496-12), wherever `moov` or `meta` stand.
///
/// Only `tkhd` and `hdlr`, and a HEIC's `meta`, are held; everything else is skipped by arithmetic. Faults inside `moov`
/// cost no more than the size: whether a file is complete is judged by its outermost boxes.
struct ISOScanner: FormatScanner {
    private enum State {
        case header
        case extendedSize(type: UInt64)
        case content(Content)
        case endless
        case broken
    }

    private enum Content {
        case skipped, meta, trackHeader, handler
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
    private var hasDirectory = false
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
        let tiles: Bool =
            switch state {
            case .header: containers.isEmpty && intake.isAtStart
            case .endless: true
            default: false
            }
        var motion = MotionXMP()
        if xmp.isFull { motion.read(packet: xmp.bytes[...]) }
        return Findings(
            size: primaryItem ?? largestTrack,
            isComplete: tiles && hasDirectory,
            isMotionPhoto: hasMotionBox || motion.isMotionPhoto
        )
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
                next()
            case .endless, .broken:
                return
            }
        }
    }

    private mutating func readHeader(_ type: UInt64, _ size: UInt64) {
        switch size {
        case 0 where containers.isEmpty:
            // The last box, up to the end of the file.
            if isDirectory(type) { hasDirectory = true }
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
        switch (parent, type) {
        case (nil, fourCC("moov")), (fourCC("moov"), fourCC("trak")), (fourCC("trak"), fourCC("mdia")):
            if parent == nil { hasDirectory = true }
            if type == fourCC("trak") { track = TrackHeader() }
            containers.append(Container(type: type, end: end))
            next()
        case (fourCC("trak"), fourCC("tkhd")):
            hold(.trackHeader, first: 96, of: payload)
        case (fourCC("mdia"), fourCC("hdlr")):
            hold(.handler, first: 12, of: payload)
        case (nil, fourCC("meta")) where holdsItems && !hasDirectory && payload <= Self.mostMeta:
            hasDirectory = true
            hold(.meta, first: payload, of: payload)
        default:
            if parent == nil && isDirectory(type) { hasDirectory = true }
            if parent == nil && holdsItems && type == fourCC("mpvd") { hasMotionBox = true }
            hold(.skipped, first: 0, of: payload)
        }
    }

    private func isDirectory(_ type: UInt64) -> Bool {
        type == fourCC("moov") || (holdsItems && type == fourCC("meta"))
    }

    private mutating func hold(_ content: Content, first: UInt64, of payload: UInt64) {
        // What is not held of the payload is skipped by `next`, which knows where the box ends.
        let held = min(first, payload)
        boxEnd = intake.position &+ payload
        intake.want(Int(held))
        state = .content(content)
    }

    private mutating func read(_ content: Content) {
        switch content {
        case .skipped: break
        case .trackHeader: track.readHeader(intake.held)
        case .handler: track.readHandler(intake.held)
        case .meta:
            let items = HEIFItems(meta: intake.held)
            primaryItem = items.primarySize
            xmp = RangeTap(items.xmpExtents, from: intake.position)
            if let inline = items.inlineXMP { xmp = RangeTap(whole: inline) }
        }
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
        while containers.count > 1 { close() }
        skip(to: max(outermost.end, intake.position))
    }

    private mutating func skip(to target: UInt64) {
        // A header needs 8 bytes; a shorter rest of a container is padding.
        var target = target
        while let container = containers.last, container.end &- target < 8 || container.end <= target {
            target = max(target, container.end)
            close()
        }
        intake.want(8, after: target &- intake.position)
        state = .header
    }

    private mutating func close() {
        let container = containers.removeLast()
        guard container.type == fourCC("trak"), let size = track.size else { return }
        if size.area > largestTrack?.area ?? 0 { largestTrack = size }
    }
}
