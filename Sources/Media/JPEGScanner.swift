#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Walks a JPEG's segments by their lengths and its entropy data to the EOI (ITU-T T.81, annex B).
///
/// Thumbnails live inside APPn segments and are skipped with them. What follows the EOI (a motion clip, a gain map) is
/// counted, and compared with what the XMP of a motion photo announces.
struct JPEGScanner: FormatScanner {
    private enum State {
        /// In entropy data, between segments, or in garbage between them, which decoders skip as well.
        case seekingMarker
        case length(marker: UInt8)
        case payload(marker: UInt8, left: UInt64)
        case skipping
        case ended
    }

    private var state = State.seekingMarker
    private var intake = Intake()
    private var sawFF = false
    private var hasFrame = false
    private var hasScan = false
    private var hasEnd = false
    private var width: UInt64 = 0
    private var height: UInt64 = 0
    private var motion = MotionXMP()
    /// Bytes after the EOI.
    private var trailing: UInt64 = 0

    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while true {
            switch state {
            case .seekingMarker:
                guard let marker = nextMarker(in: &rest) else { return }
                begin(marker)
            case .length(let marker):
                guard intake.isSatisfied(by: &rest) else { return }
                let length = UInt64(intake.held[0]) << 8 | UInt64(intake.held[1])
                beginPayload(of: marker, length: length)
            case .payload(let marker, let left):
                guard intake.isSatisfied(by: &rest) else { return }
                read(marker)
                intake.want(0, after: left)
                state = .skipping
            case .skipping:
                guard intake.isSatisfied(by: &rest) else { return }
                state = .seekingMarker
            case .ended:
                trailing &+= UInt64(rest.count)
                return
            }
        }
    }

    func findings() -> Findings {
        Findings(
            size: PixelSize(width, height),
            isComplete: hasEnd && hasFrame && hasScan ? motion.isClipWhole(in: trailing) : false,
            isHollow: !hasFrame || !hasScan,
            isMotionPhoto: motion.isMotionPhoto
        )
    }

    /// The next marker that matters; stuffed zeros, restarts, fill bytes and SOI are passed over.
    private mutating func nextMarker(in rest: inout UnsafeRawBufferPointer) -> UInt8? {
        guard let base = rest.baseAddress else { return nil }
        let count = rest.count
        var index = 0
        while index < count {
            guard sawFF else {
                guard let hit = memchr(base + index, 0xFF, count - index) else { break }
                index = UnsafeRawPointer(hit) - base + 1
                sawFF = true
                continue
            }
            let byte = rest[index]
            index += 1
            if byte == 0xFF { continue }
            sawFF = false
            switch byte {
            case 0x00, 0x01, 0xD0...0xD8: continue
            default:
                rest = UnsafeRawBufferPointer(rebasing: rest[index...])
                return byte
            }
        }
        return nil
    }

    private mutating func begin(_ marker: UInt8) {
        if marker == 0xD9 {
            hasEnd = true
            state = .ended
        } else {
            intake.want(2)
            state = .length(marker: marker)
        }
    }

    private mutating func beginPayload(of marker: UInt8, length: UInt64) {
        guard length >= 2 else {
            state = .ended
            return
        }
        let size = length - 2
        let wanted: UInt64 =
            switch marker {
            case 0xC0...0xCF: min(size, 5)
            case 0xDC: min(size, 2)
            case 0xE1: size
            default: 0
            }
        if marker == 0xDA { hasScan = true }
        intake.want(Int(wanted))
        state = .payload(marker: marker, left: size - wanted)
    }

    private mutating func read(_ marker: UInt8) {
        var reader = ByteReader(intake.held)
        switch marker {
        case 0xC4, 0xC8, 0xCC: break
        case 0xC0...0xCF where !hasFrame:
            guard reader.take(1) != nil, let height = reader.bigEndian(2), let width = reader.bigEndian(2) else {
                return
            }
            hasFrame = true
            self.height = height
            self.width = width
        case 0xDC where height == 0:
            // DNL gives the number of lines after the first scan where the frame header left it 0.
            height = reader.bigEndian(2) ?? 0
        case 0xE1:
            motion.read(segment: intake.held)
        default: break
        }
    }
}
