/// Walks a WebP's RIFF chunks (RFC 9649).
struct WebPScanner: FormatScanner {
    private enum State {
        case riff
        case chunkHeader
        case payload(type: UInt64, left: UInt64)
        case ended
    }

    /// Most bytes of XMP that are read; a motion photo's few lines stand in a packet of some KiB.
    private static let mostXMP: UInt64 = 256 << 10

    private var state = State.riff
    private var intake: Intake
    private var total: UInt64 = 0
    private var announced: UInt64 = 0
    private var size: PixelSize?
    private var hasImage = false
    private var motion = MotionXMP()

    init() {
        intake = Intake()
        intake.want(4, after: 4)
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        total &+= UInt64(bytes.count)
        var rest = bytes
        while true {
            if case .ended = state { return }
            guard intake.isSatisfied(by: &rest) else { return }
            var reader = ByteReader(intake.held)
            switch state {
            case .riff:
                announced = (reader.littleEndian(4) ?? 0) + 8
                intake.want(8, after: 4)
                state = .chunkHeader
            case .chunkHeader:
                guard let type = reader.bigEndian(4), let length = reader.littleEndian(4) else { return }
                begin(type, length)
            case .payload(let type, let left):
                read(type)
                intake.want(8, after: left)
                state = .chunkHeader
            case .ended:
                return
            }
        }
    }

    func findings() -> Findings {
        let isWhole = total == announced || (announced % 2 == 1 && total == announced + 1)
        return Findings(
            size: size,
            isComplete: isWhole && hasImage && size != nil,
            isHollow: !hasImage,
            isMotionPhoto: motion.isMotionPhoto
        )
    }

    private mutating func begin(_ type: UInt64, _ length: UInt64) {
        guard intake.position <= announced else {
            state = .ended
            return
        }
        if [fourCC("VP8 "), fourCC("VP8L"), fourCC("ANMF")].contains(type) { hasImage = true }
        let wanted: UInt64 =
            switch type {
            case fourCC("VP8X"), fourCC("VP8 "), fourCC("VP8L"): min(length, 10)
            case fourCC("XMP ") where length <= Self.mostXMP: length
            default: 0
            }
        intake.want(Int(wanted))
        state = .payload(type: type, left: length - wanted + length % 2)
    }

    private mutating func read(_ type: UInt64) {
        var reader = ByteReader(intake.held)
        switch type {
        case fourCC("XMP "):
            motion.read(packet: intake.held[...])
        case fourCC("VP8X") where size == nil:
            // Canvas: 24 bits each, one less than the number.
            guard reader.take(4) != nil, let width = reader.littleEndian(3), let height = reader.littleEndian(3) else {
                return
            }
            size = PixelSize(width + 1, height + 1)
        case fourCC("VP8 ") where size == nil:
            // Key frame: 3 bytes of frame tag, a start code, 14 bits each under 2 bits of scale (RFC 6386, section 9.1).
            guard reader.take(3) != nil, reader.bigEndian(3) == 0x9D012A, let width = reader.littleEndian(2),
                let height = reader.littleEndian(2)
            else { return }
            size = PixelSize(width & 0x3FFF, height & 0x3FFF)
        case fourCC("VP8L") where size == nil:
            // A signature, then 14 bits each, one less than the number.
            guard reader.take(1)?.first == 0x2F, let bits = reader.littleEndian(4) else { return }
            size = PixelSize((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        default: break
        }
    }
}
