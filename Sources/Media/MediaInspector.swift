/// Reads a body as it flows by, holding at most a few hundred KiB of it.
///
/// The report depends on the bytes only, never on how they were cut into pieces. Any bytes are safe to feed. Payload is
/// skipped by arithmetic, or by `memchr` where a JPEG's end has to be found: several GB/s, fit for a network loop.
package struct MediaInspector: Sendable {
    /// Bytes that decide the kind: enough for three MPEG transport packets and for telling text from compressed data.
    static let prefixLength = 1024

    private var prefix: [UInt8] = []
    private var kind: MediaKind?
    private var scanner: (any FormatScanner)?

    package init() {}

    /// Takes the next piece of the body; keeps no pointer to it.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        guard kind == nil else {
            scanner?.consume(bytes)
            return
        }
        let share = min(Self.prefixLength - prefix.count, bytes.count)
        prefix.append(contentsOf: bytes.prefix(share))
        guard prefix.count == Self.prefixLength else { return }
        decide()
        scanner?.consume(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(share)))
    }

    /// What is known from the bytes so far; `isComplete` judges them as if they were all.
    package func report() -> MediaReport {
        guard let kind else {
            var whole = self
            whole.decide()
            return whole.report()
        }
        let findings = scanner?.findings() ?? Findings()
        return MediaReport(
            kind: kind,
            width: findings.size?.width,
            height: findings.size?.height,
            isComplete: findings.isComplete,
            isHollow: findings.isHollow,
            isMotionPhoto: findings.isMotionPhoto
        )
    }

    private mutating func decide() {
        let kind = MediaKind(prefix: prefix)
        self.kind = kind
        scanner = kind.makeScanner()
        prefix.withUnsafeBytes { scanner?.consume($0) }
        prefix = []
    }
}

extension MediaKind {
    fileprivate func makeScanner() -> (any FormatScanner)? {
        switch self {
        case .jpeg: JPEGScanner()
        case .png: PNGScanner()
        case .gif: GIFScanner()
        case .webp: WebPScanner()
        case .bmp: FixedHeaderScanner(length: 26, size: PixelSize.init(bmpHeader:))
        case .avi: FixedHeaderScanner(length: 72, size: PixelSize.init(aviHeader:))
        case .mp4, .quicktime: ISOScanner(holdsItems: false)
        case .heic, .avif: ISOScanner(holdsItems: true)
        default: nil
        }
    }
}
