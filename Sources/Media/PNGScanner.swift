/// Walks a PNG's chunks to IEND (PNG specification, section 5); what follows it is ignored.
struct PNGScanner: FormatScanner {
    private enum State {
        case chunkHeader
        case header(left: UInt64)
        case body(isEnd: Bool)
        case ended
    }

    private var state = State.chunkHeader
    private var intake: Intake
    private var size: PixelSize?
    private var hasData = false
    private var hasEnd = false

    init() {
        intake = Intake()
        intake.want(8, after: 8)
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while true {
            if case .ended = state { return }
            guard intake.isSatisfied(by: &rest) else { return }
            switch state {
            case .chunkHeader:
                beginChunk()
            case .header(let left):
                var reader = ByteReader(intake.held)
                if let width = reader.bigEndian(4), let height = reader.bigEndian(4) { size = PixelSize(width, height) }
                intake.want(0, after: left)
                state = .body(isEnd: false)
            case .body(let isEnd):
                hasEnd = isEnd
                intake.want(8)
                state = isEnd ? .ended : .chunkHeader
            case .ended:
                return
            }
        }
    }

    func findings() -> Findings {
        Findings(size: size, isComplete: hasEnd && hasData && size != nil, isHollow: !hasData)
    }

    private mutating func beginChunk() {
        var reader = ByteReader(intake.held)
        guard let length = reader.bigEndian(4), let type = reader.bigEndian(4), length <= UInt64(Int32.max) else {
            state = .ended
            return
        }
        if type == fourCC("IHDR"), size == nil, length >= 8 {
            intake.want(8)
            state = .header(left: length - 8 + 4)
        } else {
            if type == fourCC("IDAT") { hasData = true }
            intake.want(0, after: length + 4)
            state = .body(isEnd: type == fourCC("IEND"))
        }
    }
}
