/// Walks one format as its bytes come.
protocol FormatScanner: Sendable {
    /// Takes the next bytes, from the first byte of the file on.
    mutating func consume(_ bytes: UnsafeRawBufferPointer)
    /// What was found, judging the bytes so far as the whole file.
    func findings() -> Findings
}

/// What a scanner can say.
struct Findings {
    var size: PixelSize?
    var isComplete: Bool?
    /// Whether the container is all there is: no picture's data began.
    var isHollow = false
    var isMotionPhoto = false
}

/// Width and height in pixels, both positive.
struct PixelSize: Sendable, Equatable {
    let width: Int
    let height: Int

    /// Nil unless both are positive and fit 32 bits, the widest field that any of the formats has.
    init?(_ width: UInt64, _ height: UInt64) {
        guard (1...UInt64(UInt32.max)).contains(width), (1...UInt64(UInt32.max)).contains(height) else { return nil }
        self.width = Int(width)
        self.height = Int(height)
    }

    /// Never overflows: both are 32-bit numbers.
    var area: UInt64 { UInt64(width) * UInt64(height) }
}
