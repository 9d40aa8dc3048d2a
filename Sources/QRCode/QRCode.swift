import CQREncode

/// A text as a square of dark and light modules, for the camera of a phone (libqrencode).
package struct QRCode: Sendable {
    /// Modules on a side, without the margin.
    package let width: Int
    private let dark: [Bool]

    /// Light modules around it (ISO/IEC 18004: four).
    package static let margin = 4

    /// Nil for an empty text, one with U+0000, and one that no code can hold (more than 2953 bytes at level L).
    package init?(_ text: String) {
        guard !text.isEmpty, !text.utf8.contains(0),
            let code = unsafe QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L)
        else { return nil }
        defer { unsafe QRcode_free(code) }
        let width = Int(unsafe code.pointee.width)
        guard width > 0, let data = unsafe code.pointee.data else { return nil }
        self.width = width
        // The lowest bit of a module says that it is dark.
        dark = (0..<width * width).map { unsafe data[$0] & 1 == 1 }
    }

    /// Whether the module is dark; false outside of the square.
    package func isDark(row: Int, column: Int) -> Bool {
        guard (0..<width).contains(row), (0..<width).contains(column) else { return false }
        return dark[row * width + column]
    }

    /// Columns that `lines` take.
    package var columns: Int { width + 2 * Self.margin }

    /// Two rows of modules a line, margin included, drawn with half blocks: light modules are the ink, for a dark screen.
    package var lines: [String] {
        let range = -Self.margin..<width + Self.margin
        return stride(from: range.lowerBound, to: range.upperBound, by: 2).map { row in
            String(
                range.map { column -> Character in
                    // Below the last row there is nothing, where their number is odd.
                    let isLast = row + 1 == range.upperBound
                    let lower = !isLast && !isDark(row: row + 1, column: column)
                    return switch (!isDark(row: row, column: column), lower) {
                    case (true, true): "█"
                    case (true, false): "▀"
                    case (false, true): "▄"
                    case (false, false): " "
                    }
                }
            )
        }
    }
}
