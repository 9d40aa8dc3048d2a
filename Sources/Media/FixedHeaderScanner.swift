/// Reads a size that stands at a fixed place near the front of a file.
struct FixedHeaderScanner: FormatScanner {
    private let size: @Sendable ([UInt8]) -> PixelSize?
    private var intake: Intake

    /// - Parameters:
    ///   - length: bytes of the header that `size` wants.
    ///   - size: reads them.
    init(length: Int, size: @escaping @Sendable ([UInt8]) -> PixelSize?) {
        self.size = size
        intake = Intake()
        intake.want(length)
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        _ = intake.isSatisfied(by: &rest)
    }

    func findings() -> Findings {
        Findings(size: size(intake.held))
    }
}

extension PixelSize {
    /// Reads the DIB header of a BMP; a negative height means that rows run from the top.
    @Sendable init?(bmpHeader: [UInt8]) {
        var reader = ByteReader(bmpHeader)
        guard reader.take(14) != nil, let header = reader.littleEndian(4) else { return nil }
        let width = header == 12 ? 2 : 4
        guard let columns = reader.littleEndian(width), let rows = reader.littleEndian(width) else { return nil }
        self.init(columns, width == 4 ? UInt64(Int32(truncatingIfNeeded: rows).magnitude) : rows)
    }

    /// Reads the main header of an AVI, where it stands first in the first list, as writers put it.
    @Sendable init?(aviHeader: [UInt8]) {
        var reader = ByteReader(aviHeader)
        guard reader.take(24) != nil, reader.bigEndian(4) == fourCC("avih"), reader.take(36) != nil,
            let width = reader.littleEndian(4), let height = reader.littleEndian(4)
        else { return nil }
        self.init(width, height)
    }
}
