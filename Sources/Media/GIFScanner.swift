/// Walks a GIF's blocks to its trailer (GIF89a specification); what follows it is ignored.
struct GIFScanner: FormatScanner {
    private enum State {
        case screen
        case introducer
        case imageDescriptor
        case blockSize
        case ended
    }

    private var state = State.screen
    private var intake: Intake
    private var size: PixelSize?
    private var hasImage = false
    private var hasEnd = false

    init() {
        intake = Intake()
        intake.want(7, after: 6)
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while true {
            if case .ended = state { return }
            guard intake.isSatisfied(by: &rest) else { return }
            switch state {
            case .screen:
                var reader = ByteReader(intake.held)
                if let width = reader.littleEndian(2), let height = reader.littleEndian(2) {
                    size = PixelSize(width, height)
                }
                intake.want(1, after: Self.colorTable(intake.held[4]))
                state = .introducer
            case .introducer:
                beginBlock(intake.held[0])
            case .imageDescriptor:
                // The table, then one byte of LZW code size, then sub-blocks.
                intake.want(1, after: Self.colorTable(intake.held[8]) + 1)
                state = .blockSize
            case .blockSize:
                let length = intake.held[0]
                intake.want(1, after: UInt64(length))
                if length == 0 { state = .introducer }
            case .ended:
                return
            }
        }
    }

    func findings() -> Findings {
        Findings(size: size, isComplete: hasEnd && hasImage && size != nil, isHollow: !hasImage)
    }

    private mutating func beginBlock(_ introducer: UInt8) {
        switch introducer {
        case 0x21:
            intake.want(1, after: 1)
            state = .blockSize
        case 0x2C:
            hasImage = true
            intake.want(9)
            state = .imageDescriptor
        case 0x3B:
            hasEnd = true
            state = .ended
        default:
            state = .ended
        }
    }

    /// Bytes of the color table that a packed field announces.
    private static func colorTable(_ packed: UInt8) -> UInt64 {
        packed & 0x80 == 0 ? 0 : 3 << (UInt64(packed & 7) + 1)
    }
}
